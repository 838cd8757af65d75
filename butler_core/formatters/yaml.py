"""Structured data as YAML files.

Reads plain YAML, and files in which other software has tagged objects with
its own types: such an object becomes the dict, list or text it consists of.
No object is ever built by a file's wish.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar

import yaml
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from butler_core.errors import ReadFileError
from butler_core.formatters.bytes_formatter import BytesFormatter
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_text
from butler_core.formatters.plain_data import component_of, to_plain

_TAG = "tag:yaml.org,2002:"

#: Of longer text, what it means is looked up each time.
_LONGEST_KEPT = 100

#: Line breaks of Unicode: only between double quotes do they come back as they are.
_LINE_BREAKS = frozenset("\x85\u2028\u2029")


@dataclass(frozen=True)
class YamlFormatter(BytesFormatter):
    """Reads and writes structured data."""

    extension: ClassVar[str] = ".yaml"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def to_bytes(self, obj: Any) -> bytes:
        """Return structured data as YAML; keys keep their order.

        Parameters
        ----------
        obj
            What `plain_data.to_plain` takes.
        """
        stream = io.BytesIO()
        dumper = _Dumper(
            stream, default_flow_style=False, encoding="utf-8", allow_unicode=True, width=100
        )
        try:
            dumper.open()
            dumper.serialize(_node(to_plain(obj), dumper))
            dumper.close()
        finally:
            dumper.dispose()
        return stream.getvalue()

    def read(self, request: ReadRequest) -> Any:
        """Read structured data, or the item of one key.

        Parameters
        ----------
        request
            A component is a key of the topmost dict.
        """
        request.take_parameters()
        text = read_text(request)
        try:
            content = yaml.load(text, Loader=_loader())  # noqa: S506 - derived from the safe one
        except (yaml.YAMLError, ValueError) as error:
            raise ReadFileError(f"{request.path!r} is no YAML: {error}.") from error
        if request.component is not None:
            return component_of(content, request)
        return request.storage_class.check(content)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # either
    """Looks up what text without quotes would mean once for each text."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Return the tag that a reader would give a node."""
        if kind is not ScalarNode:
            return _TAG + ("map" if kind is MappingNode else "seq")
        if not implicit[0]:
            return _TAG + "str"
        return _meaning(value) if len(value) <= _LONGEST_KEPT else _meaning.__wrapped__(value)


@lru_cache(maxsize=4096)
def _meaning(text: str) -> str:
    """Return the tag of text without quotes."""
    tag: str = yaml.resolver.Resolver().resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag


def _node(plain: Any, dumper: Any) -> Any:
    """Return plain data as nodes, each a new one, so that nothing is abbreviated by references."""
    kind = type(plain)
    if kind is dict:
        items = [(_node(key, dumper), _node(value, dumper)) for key, value in plain.items()]
        return MappingNode(_TAG + "map", items, flow_style=False)
    if kind is list:
        return SequenceNode(_TAG + "seq", [_node(item, dumper) for item in plain], flow_style=False)
    if kind is str:
        style = '"' if _LINE_BREAKS.intersection(plain) else None
        return ScalarNode(_TAG + "str", plain, style=style)
    if kind is int:
        return ScalarNode(_TAG + "int", str(plain))
    return dumper.represent_data(plain)


@cache
def _loader() -> Any:
    """Make the loader, which reads objects of unknown tags as what they consist of."""

    class PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # either
        """Builds dicts, lists, texts and numbers only."""

    def without_tag(loader: Any, _tag: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    # None stands for every tag that has no constructor of its own.
    PlainLoader.add_multi_constructor(None, without_tag)
    return PlainLoader
