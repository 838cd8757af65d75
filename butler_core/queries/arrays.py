"""Columns of an answer as arrays."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from butler_core.errors import MissingPackageError

#: Where a UUID's text has its 32 digits.
_DIGITS = [i for i in range(36) if i not in (8, 13, 18, 23)]


def to_array(values: Sequence[Any]) -> Any:
    """Return a column as an array, shape (n,), masked where values are None.

    Ids of 16 bytes become an array of ``V16``, other bytes one of objects.
    """
    import numpy as np

    if len(values) and isinstance(values[0], bytes) and None not in values:
        if set(map(len, values)) == {16}:
            return np.frombuffer(b"".join(values), dtype="V16")
        found = np.empty(len(values), dtype=object)
        found[:] = values
        return found
    if len(values) and isinstance(values[0], str):
        place: dict[Any, int] = defaultdict(itertools.count().__next__)
        places = np.fromiter(map(place.__getitem__, values), np.int64, count=len(values))
        if len(place) <= len(values) // 8 and None not in place:  # most have few values
            return np.asarray(list(place))[places]
    array = np.asarray(values)
    if array.dtype != object:
        return array
    missing = [value is None for value in values]
    if not any(missing):
        return array
    filler: Any = next((value for value in values if value is not None), "")
    filled = [filler if value is None else value for value in values]
    return np.ma.MaskedArray(to_array(filled), mask=missing)


def ids_as_text(ids: Sequence[bytes]) -> list[str]:
    """Return ids of 16 bytes as UUIDs are written."""
    import numpy as np

    if not ids:
        return []
    text = np.full((len(ids), 36), ord("-"), dtype=np.uint8)
    digits = np.frombuffer(b"".join(ids).hex().encode("ascii"), dtype=np.uint8)
    text[:, _DIGITS] = digits.reshape(-1, 32)
    found: list[str] = text.view("S36")[:, 0].astype("U36").tolist()
    return found


def to_arrow(columns: Mapping[str, Sequence[Any]]) -> Any:
    """Return columns as a ``pyarrow.Table``.

    Raises
    ------
    MissingPackageError
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingPackageError(
            "to_arrow() needs the package pyarrow, which is not installed: pip install pyarrow"
        ) from error
    ids = pa.binary(16)
    arrays = {
        name: pa.array(values, type=ids if name == "id" and _are_ids(values) else None)
        for name, values in columns.items()
    }
    return pa.table(arrays)


def _are_ids(values: Sequence[Any]) -> bool:
    return bool(len(values)) and isinstance(values[0], bytes)
