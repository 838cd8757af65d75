"""Inserts dimension records in bulk, given as mappings with regions and timespans as objects."""

from __future__ import annotations

from typing import Any

import world
from actor import Setting
from clock import clock

from butler_core.region import polygons_from_corners
from butler_core.timespan import Timespan
from ours.repositories import create, insert


def exposures(setting: Setting, *, count: int) -> dict[str, Any]:
    """Insert exposures."""
    tables = world.exposure_tables(count)
    rows = _rows(tables.pop("exposure"))
    return _insert(setting, tables, "exposure", rows)


def visits(setting: Setting, *, count: int) -> dict[str, Any]:
    """Insert visits with regions; their overlaps with the sky's pixels are stored, too."""
    tables = {"day_obs": world.exposure_tables(count)["day_obs"]}
    rows = _rows(world.visit_tables(count)["visit"])
    return _insert(setting, tables, "visit", rows)


def _rows(columns: world.Columns) -> list[dict[str, Any]]:
    columns = dict(columns)
    columns["timespan"] = [Timespan(begin, end) for begin, end in columns["timespan"]]
    if "region" in columns:
        columns["region"] = polygons_from_corners(columns["region"])
    return list(world.as_rows(columns))


def _insert(
    setting: Setting, before: world.Tables, element: str, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    with create(setting) as butler:
        insert(butler, world.camera_tables())
        insert(butler, before)
        with clock() as taken:
            butler.insert_dimension_data(element, *rows)
        found = butler.query_dimension_records(element)
        return taken.facts(n=len(rows), n_records=len(found.to_numpy()["instrument"]))
