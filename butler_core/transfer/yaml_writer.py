"""Writes the YAML of an export file, as daf_butler's own loader and PyYAML read it.

A small writer for plain values, lists and mappings in block style, and for the
tags that export files have; PyYAML's makes several objects of each scalar.
"""

from __future__ import annotations

import base64
import math
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from butler_core.tai import MAX_NS, MIN_NS, ns_to_iso
from butler_core.timespan import Timespan

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*")
# Words that YAML 1.1 takes for something else than text.
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class TaiTime:
    """A time, to be written with its tag."""

    #: TAI [ns since 1970]
    time_ns: int


@dataclass(frozen=True, slots=True)
class EncodedRegion:
    """A region, to be written with its tag."""

    #: sphgeom's encoding.
    encoded: bytes


def open_ended_times(begin_ns: int, end_ns: int) -> tuple[TaiTime | None, TaiTime | None]:
    """Return both ends of a timespan, None where it has none."""
    return (
        None if begin_ns == MIN_NS else TaiTime(begin_ns),
        None if end_ns == MAX_NS else TaiTime(end_ns),
    )


def document_lines(
    header: Mapping[str, Any], list_name: str, sections: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield the lines of a document, each with its line end.

    Parameters
    ----------
    header
        What stands before the list.
    list_name
        Key of the list.
    sections
        The list's mappings, one held in memory at a time.
    """
    for line in _mapping(header, 0):
        yield f"{line}\n"
    yield f"{list_name}:\n"
    for section in sections:
        for line in _sequence([section], 0):
            yield f"{line}\n"


def _mapping(mapping: Mapping[str, Any], indent: int) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    for key, value in mapping.items():
        lines += _entry(f"{pad}{_scalar(key)}:", value, indent)
    return lines


def _sequence(values: Sequence[Any], indent: int) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    for value in values:
        if isinstance(value, Mapping) and value:
            inner = _mapping(value, indent + 2)
            inner[0] = f"{pad}- {inner[0][indent + 2 :]}"
            lines += inner
        else:
            lines += _entry(f"{pad}-", value, indent + 2)
    return lines


def _entry(head: str, value: Any, indent: int) -> list[str]:
    """Return what stands behind ``key:`` or ``-``."""
    if isinstance(value, Mapping):
        return [head, *_mapping(value, indent + 2)] if value else [f"{head} {{}}"]
    if isinstance(value, list | tuple):
        return [head, *_sequence(value, indent)] if value else [f"{head} []"]
    if isinstance(value, EncodedRegion):
        from butler_core import region

        kind = type(region.decode(value.encoded)).__name__
        inner = {"encoded": value.encoded.hex()}
        return [f"{head} !<lsst.sphgeom.{kind}>", *_mapping(inner, indent + 2)]
    if isinstance(value, Timespan):
        if value.is_empty:
            return [f"{head} !lsst.daf.butler.Timespan 'EMPTY'"]
        begin, end = open_ended_times(*value.nsec)
        ends = _mapping({"begin": begin, "end": end}, indent + 2)
        return [f"{head} !lsst.daf.butler.Timespan", *ends]
    return [f"{head} {_scalar(value)}"]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, uuid.UUID):
        return f"!uuid '{value}'"
    if isinstance(value, TaiTime):
        return f"!butler_time/tai/iso '{ns_to_iso(value.time_ns).replace('T', ' ')}'"
    if isinstance(value, bytes):
        return f"!!binary '{base64.b64encode(value).decode('ascii')}'"
    raise TypeError(f"a {type(value).__name__} cannot be written into an export file: {value!r}")


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    # YAML 1.1 takes a number for text if it has an exponent and no point.
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text
