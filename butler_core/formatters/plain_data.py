"""Python objects as plain data: dicts, lists, texts and numbers.

Models, dataclasses, numpy scalars and arrays, paths, times and sets are
reduced to what JSON and YAML hold. Restores no types.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import PurePath
from typing import Any

from butler_core.errors import WriteFileError
from butler_core.formatters.formatter import ReadRequest


def to_plain(obj: Any) -> Any:
    """Return an object as dicts, lists, texts, numbers, booleans and None.

    Parameters
    ----------
    obj
        May nest pydantic models, dataclasses, mappings, sequences, sets (which
        are sorted), enumerations, paths, UUIDs, numpy arrays and scalars, and
        astropy quantities and times.

    Raises
    ------
    WriteFileError
        If something in it is none of these; its place is named.
    """
    return _reduce(obj, "the dataset")


def to_json(obj: Any) -> str:
    """Return an object as one line of ASCII JSON; NaN is written as ``NaN``.

    Parameters
    ----------
    obj
        What `to_plain` takes.
    """
    return json.dumps(to_plain(obj))


def _reduce(obj: Any, place: str) -> Any:
    """Reduce one object; ``place`` says where it stands."""
    if obj is None or type(obj) in {str, int, float, bool}:
        return obj
    if isinstance(obj, Enum):
        return _reduce(obj.value, place)
    if isinstance(obj, Mapping):
        return {_key(key, place): _reduce(item, f"{place}[{key!r}]") for key, item in obj.items()}
    if isinstance(obj, (list, tuple)):
        return [_reduce(item, f"{place}[{index}]") for index, item in enumerate(obj)]
    if isinstance(obj, AbstractSet):
        return sorted((_reduce(item, place) for item in obj), key=repr)
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        fields = dataclasses.fields(obj)
        return {one.name: _reduce(getattr(obj, one.name), f"{place}.{one.name}") for one in fields}
    if isinstance(obj, (str, int, float)):
        return next(kind(obj) for kind in (str, int, float) if isinstance(obj, kind))
    if isinstance(obj, (PurePath, uuid.UUID)):
        return str(obj)
    return _reduce_by_method(obj, place)


def _reduce_by_method(obj: Any, place: str) -> Any:
    """Reduce an object of a library by the method that gives its plain form."""
    if hasattr(obj, "model_dump"):
        return _reduce(obj.model_dump(mode="json"), place)
    if hasattr(obj, "isot"):  # astropy.time.Time
        return _reduce(obj.isot, place)
    if hasattr(obj, "isoformat"):
        return obj.isoformat()
    if hasattr(obj, "unit") and hasattr(obj, "value"):  # astropy.units.Quantity
        return {"value": _reduce(obj.value, place), "unit": str(obj.unit)}
    if hasattr(obj, "tolist"):  # numpy arrays and scalars
        plain = obj.tolist()
        return plain if type(plain) in {str, int, float, bool} else _reduce(plain, place)
    if hasattr(obj, "to_dict"):
        return _reduce(obj.to_dict(), place)
    raise WriteFileError(
        f"{place} is a {type(obj).__module__}.{type(obj).__qualname__}, which has no JSON or YAML "
        "form; give dicts, lists, texts, numbers, dataclasses or pydantic models."
    )


def _key(key: Any, place: str) -> str | int | float | bool | None:
    """Reduce a mapping's key."""
    plain = _reduce(key, place)
    if isinstance(plain, (dict, list)):
        raise WriteFileError(f"{place} has the key {key!r}, which has no JSON or YAML form.")
    found: str | int | float | bool | None = plain
    return found


def component_of(content: Any, request: ReadRequest) -> Any:
    """Return the item that a request's component names in structured data.

    Parameters
    ----------
    content
        What the file holds.
    request
        Names the component, a key of the topmost dict.

    Raises
    ------
    ParameterError
        If there is no such key.
    """
    keys = content if isinstance(content, Mapping) else {}
    if request.component not in keys:
        raise request.unknown_component(str(key) for key in keys)
    return keys[request.component]
