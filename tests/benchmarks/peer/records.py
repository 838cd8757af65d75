"""Inserts dimension records in bulk, given as mappings with regions and timespans as objects."""

from __future__ import annotations

from typing import Any

import world
from actor import Setting
from clock import clock

from peer.repositories import create, insert, native_rows


def exposures(setting: Setting, *, count: int) -> dict[str, Any]:
    """Insert exposures."""
    tables = world.exposure_tables(count)
    rows = native_rows(tables.pop("exposure"))
    return _insert(setting, tables, "exposure", rows)


def visits(setting: Setting, *, count: int) -> dict[str, Any]:
    """Insert visits with regions; their overlaps with the sky's pixels are stored, too."""
    tables = {"day_obs": world.exposure_tables(count)["day_obs"]}
    rows = native_rows(world.visit_tables(count)["visit"])
    return _insert(setting, tables, "visit", rows)


def _insert(
    setting: Setting, before: world.Tables, element: str, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    butler = create(setting)
    insert(butler, world.camera_tables())
    insert(butler, before)
    with clock() as taken:
        butler.registry.insertDimensionData(element, *rows)
    where = f"instrument='{world.CAMERA}'"
    found = butler.query_dimension_records(element, where=where, limit=None)
    return taken.facts(n=len(rows), n_records=len(found))
