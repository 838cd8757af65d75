"""Dataset ids: time-ordered for new outputs, reproducible for raws.

Ids are 16 bytes wherever there are many of them; ``uuid.UUID`` at the edge.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from butler_core.dimensions.group import DimensionGroup

# The namespace in which Rubin's repositories number their raws, uuid5(NAMESPACE_DNS, "lsst.org").
_NAMESPACE = uuid.UUID("840b31d9-05cd-5161-b2c8-00d32b280d0f")


class DatasetIdMode(StrEnum):
    """How the id of a dataset comes about."""

    UNIQUE = "unique"
    DATAID_TYPE = "dataid_type"
    DATAID_TYPE_RUN = "dataid_type_run"

    @property
    def is_reproducible(self) -> bool:
        """Whether the same dataset gets the same id in every repository."""
        return self is not DatasetIdMode.UNIQUE


def new_ids(count: int) -> list[bytes]:
    """Return new UUIDv7 ids, each greater than the one before it.

    The layout is that of RFC 9562, section 5.7: 48 bits of Unix time [ms], then
    random bits; here the first 12 + 14 of them count within one call, so that a
    batch is sorted.
    """
    milliseconds = time.time_ns() // 1_000_000
    noise = os.urandom(6 * count)
    start = int.from_bytes(os.urandom(3)) >> 3  # 21 bits, leaving room to count upwards
    ids = []
    for i in range(count):
        counter = start + i
        tick = milliseconds + (counter >> 26)
        high = (counter >> 14) & 0xFFF
        low = counter & 0x3FFF
        head = (tick & 0xFFFFFFFFFFFF) << 16 | 0x7000 | high
        tail = (0x8000 | low).to_bytes(2)
        ids.append(head.to_bytes(8) + tail + noise[6 * i : 6 * i + 6])
    return ids


def reproducible_ids(
    mode: DatasetIdMode,
    dataset_type: str,
    run: str,
    group: DimensionGroup,
    rows: Iterable[tuple[object, ...]],
) -> list[bytes]:
    """Return the UUIDv5 of each data ID.

    Parameters
    ----------
    mode
        Whether the run's name takes part.
    rows
        Values in the order of ``group.required``.
    """
    prefix = f"dataset_type={dataset_type}"
    if mode is DatasetIdMode.DATAID_TYPE_RUN:
        prefix += f",run={run}"
    order = sorted(range(len(group.required)), key=lambda i: group.required[i])
    names = [group.required[i] for i in order]
    return [
        uuid.uuid5(
            _NAMESPACE,
            ",".join([prefix, *(f"{n}={row[i]}" for n, i in zip(names, order, strict=True))]),
        ).bytes
        for row in rows
    ]
