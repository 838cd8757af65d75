"""Configurations as plain values: what can be written, compared and digested.

Turns values into numbers, text, lists and mappings; reads nothing back.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from pipetask.errors import TaskConfigError

#: Stands in a difference for a field that one side does not have.
NO_FIELD = "<no such field>"


class FieldDifference(NamedTuple):
    """One field in which two configurations differ."""

    #: Dotted path of the field.
    field: str
    #: Its value in the first, made plain.
    old: Any
    #: Its value in the second, made plain.
    new: Any


def plain(value: Any, where: str) -> Any:
    """Turn a value into what JSON and YAML can hold.

    Parameters
    ----------
    value
        A field's value or a whole model.
    where
        Dotted path of the field, for messages.

    Returns
    -------
    object
        None, bool, int, float, str, list or dict; mappings are sorted by key,
        sets by their text.

    Raises
    ------
    TaskConfigError
        If the value has no plain form.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value, where)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: plain(value.__dict__[name], f"{where}.{name}") for name in sorted(fields)}
    if isinstance(value, Mapping):
        return _plain_mapping(value, where)
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, where) for item in value), key=canonical_json)
    return _plain_atom(value, where)


def canonical_json(value: Any) -> str:
    """Write plain values as JSON in one way only.

    Parameters
    ----------
    value
        What `plain` returned.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(model: BaseModel) -> str:
    """Return the SHA-256 of a model's values, in hexadecimal.

    Parameters
    ----------
    model
        The configuration.
    """
    text = canonical_json(plain(model, type(model).__name__))
    return hashlib.sha256(text.encode()).hexdigest()


def leaves(model: BaseModel, prefix: str = "") -> dict[str, Any]:
    """Return the plain value of every field, nested models taken apart.

    Parameters
    ----------
    model
        The configuration.
    prefix
        Put before each name, with its final dot.

    Returns
    -------
    dict
        Plain values by dotted path, in the order of the fields.
    """
    found: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = model.__dict__[name]
        if isinstance(value, BaseModel):
            found.update(leaves(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = plain(value, f"{type(model).__name__}.{name}")
    return found


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[FieldDifference]:
    """List the paths whose values differ.

    Parameters
    ----------
    old, new
        What `leaves` returned for the two configurations.
    """
    return [
        FieldDifference(path, old.get(path, NO_FIELD), new.get(path, NO_FIELD))
        for path in dict.fromkeys((*old, *new))
        # As text, since NaN is the same value as NaN here.
        if canonical_json(old.get(path, NO_FIELD)) != canonical_json(new.get(path, NO_FIELD))
    ]


def _plain_mapping(value: Mapping[Any, Any], where: str) -> dict[Any, Any]:
    """Make keys and values plain and sort by key."""
    items = []
    for key, item in value.items():
        plain_key = plain(key, where)
        if not isinstance(plain_key, (str, int)):
            plain_key = str(plain_key)
        items.append((plain_key, plain(item, f"{where}[{key!r}]")))
    return dict(sorted(items, key=lambda pair: str(pair[0])))


def _plain_atom(value: Any, where: str) -> str:
    """Write paths, times and patterns as text."""
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, re.Pattern):
        return str(value.pattern)
    raise TaskConfigError(
        f"{where} holds a {type(value).__name__} ({value!r}), which has no plain text form; "
        "use numbers, text, lists, mappings or nested configurations."
    )
