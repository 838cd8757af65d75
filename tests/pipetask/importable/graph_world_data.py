"""Datasets for random worlds: raws with holes in two runs, flats, templates, calibrations, shards."""

from __future__ import annotations

import random

from graph_specs import UNITS
from graph_world import DAY, SECOND, START, Datasets, Row, World, make_world

#: The chain of all runs, and what it is taken apart to.
MAX_NS = 4_102_444_800 * SECOND
CHAIN, RUNS = "in", ["raw/2", "raw/1"]
CALIBRATIONS = ["calib/new", "calib/old"]


def raw_data_ids(world: World) -> list[Row]:
    """Return one data ID for each exposure and detector."""
    return [
        {"instrument": e["instrument"], "exposure": e["id"], "detector": d["id"]}
        for e in world.rows("exposure")
        for d in world.rows("detector")
        if d["instrument"] == e["instrument"]
    ]


def filled_world(seed: int, **kwargs: int | bool) -> World:
    """Return a random world with datasets of every kind."""
    world, chosen = make_world(seed, **kwargs), random.Random(seed)

    def some(rows: list[Row], part: float) -> list[Row]:
        return [row for row in rows if chosen.random() < part]

    detectors = [
        {"instrument": d["instrument"], "detector": d["id"]} for d in world.rows("detector")
    ]
    flats = [
        {**d, "physical_filter": f["name"]}
        for d in detectors
        for f in world.rows("physical_filter")
        if f["instrument"] == d["instrument"]
    ]
    patches = [
        {"skymap": "map", "tract": p["tract"], "patch": p["id"], "band": band}
        for p in world.rows("patch")
        for band in "gr"
    ]
    visits = [{"instrument": v["instrument"], "visit": v["id"]} for v in world.rows("visit")]
    world.datasets += [
        Datasets("raw", UNITS["ED"], "raw/1", some(raw_data_ids(world), 0.8)),
        Datasets("raw", UNITS["ED"], "raw/2", some(raw_data_ids(world), 0.5)),
        Datasets("flat", UNITS["DF"], "raw/2", some(flats, 0.7)),
        Datasets("template", UNITS["PB"], "raw/1", some(patches, 0.7)),
        Datasets("summary", UNITS["V"], "raw/1", some(visits, 0.7)),
        Datasets("bias", UNITS["D"], "bias/1", detectors, is_calibration=True),
        Datasets("bias", UNITS["D"], "bias/2", detectors, is_calibration=True),
        Datasets("bias", UNITS["D"], "bias/3", detectors, is_calibration=True),
    ]
    world.chains[CHAIN] = list(RUNS)
    return world


def certify_biases(world: World, seed: int) -> None:
    """Certify biases with ranges that leave no exposure without one, and overlap between collections."""
    chosen = random.Random(seed)
    for row in next(one for one in world.datasets if one.name == "bias").data_ids:
        times = sorted(START + chosen.randint(0, 2 * DAY) for _ in range(2))
        times[0] -= times[0] % SECOND
        ranges = [(0, times[0], "bias/1"), (times[0], MAX_NS, "bias/2")]
        world.certified += [
            ("calib/old", "bias", run, row, begin, end) for begin, end, run in ranges
        ]
        if chosen.random() < 0.6:
            world.certified.append(("calib/new", "bias", "bias/3", row, times[0], times[1]))
