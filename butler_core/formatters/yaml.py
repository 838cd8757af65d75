"""Structured data as YAML files.

Reads plain YAML, and files in which other software has tagged objects with
its own types: such an object becomes the dict, list or text it consists of.
No object is ever built by a file's wish.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_text
from butler_core.formatters.plain_data import component_of, to_plain

#: Line breaks of Unicode: only between double quotes do they come back as they are.
_LINE_BREAKS = frozenset("\x85\u2028\u2029")


@dataclass(frozen=True)
class YamlFormatter:
    """Reads and writes structured data."""

    extension: ClassVar[str] = ".yaml"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Write structured data; keys keep their order.

        Parameters
        ----------
        obj
            What `plain_data.to_plain` takes.
        path
            Where to write.
        """
        import yaml

        text = yaml.dump(
            to_plain(obj), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=100
        )
        path.write_text(text, encoding="utf-8")

    def read(self, request: ReadRequest) -> Any:
        """Read structured data, or the item of one key.

        Parameters
        ----------
        request
            A component is a key of the topmost dict.
        """
        import yaml

        request.take_parameters()
        text = read_text(request)
        try:
            content = yaml.load(text, Loader=_loader())  # noqa: S506 - derived from the safe one
        except (yaml.YAMLError, ValueError) as error:
            raise ReadFileError(f"{request.path!r} is no YAML: {error}.") from error
        if request.component is not None:
            return component_of(content, request)
        return request.storage_class.check(content)


@cache
def _dumper() -> Any:
    """Make the dumper, which never abbreviates repeated items by references."""
    import yaml

    class PlainDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # either
        """Writes every item in full."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - yaml's signature
            return True

    def in_quotes(dumper: Any, text: str) -> Any:
        style = '"' if _LINE_BREAKS.intersection(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    PlainDumper.add_representer(str, in_quotes)
    return PlainDumper


@cache
def _loader() -> Any:
    """Make the loader, which reads objects of unknown tags as what they consist of."""
    import yaml

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
