"""Worlds and pipelines that two programs build the same graphs of, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from graph_specs import UNITS, Connection, Task, random_condition, random_pipeline, simple
from graph_world import SECOND, START, Datasets, Row, World, make_world
from graph_world_data import CALIBRATIONS, CHAIN, RUNS, certify_biases, filled_world, raw_data_ids


@dataclass
class Build:
    """A graph to build in a world."""

    tasks: list[Task]
    inputs: list[str]
    where: str = ""


@dataclass
class Case:
    """A world, and graphs to build in it."""

    world: World
    builds: list[Build]
    #: Export files to import before the world's own rows are inserted.
    exports: list[Path] = field(default_factory=list)


RAW = Connection("raw", UNITS["ED"])


def case(name: str, data: Path | None = None) -> Case:
    """Return a case such as ``random/3``.

    Parameters
    ----------
    data
        The folder of real files, for the cases that need them.
    """
    kind, _, number = name.partition("/")
    if kind == "export":
        assert data is not None
        return _export(data)
    makers: dict[str, Callable[[int], Case]] = {
        "random": _random, "dense": _dense, "calibrations": _calibrations,
        "prerequisites": _prerequisites, "survey": _survey,
    }  # fmt: skip
    return makers[kind](int(number))


def _random(seed: int) -> Case:
    world = filled_world(seed, two_cameras=seed % 2 == 0)
    builds = []
    for part in range(4):
        tasks = random_pipeline((seed, part))
        names = {n for t in tasks for c in t.inputs.values() for n in c.dimensions}
        where = "instrument = 'Cam' AND skymap = 'map'"
        if part % 2:
            # Implied dimensions may be named where what implies them is there.
            known = names | (
                {"physical_filter", "band"} if names & {"exposure", "visit"} else set()
            )
            where += f" AND {random_condition((seed, part), known).text}"
        builds.append(Build(tasks, [CHAIN], where))
    return Case(world, builds)


def _dense(size: int) -> Case:
    group = ("instrument", "group")
    world = make_world(1, n_detectors=1, n_exposures=1)
    detector, one = world.records["detector"][0], world.records["group"][0]
    for name in [n for n in world.records if n.startswith("visit") and n != "visit_system"]:
        del world.records[name]
    del world.records["exposure"]
    world.records["detector"] = [{**detector, "id": i, "full_name": f"S{i}"} for i in range(size)]
    world.records["group"] = [{**one, "name": f"g{i}"} for i in range(size)]
    starts = [{"instrument": "Cam", "group": f"g{i}"} for i in range(size)]
    world.datasets.append(Datasets("start", group, "in/all", starts))
    tasks = [
        Task("scatter", group, {"x": Connection("start", group, multiple=False)},
             outputs={"y": Connection("middle", group, multiple=False)}),
        Task("gather", UNITS["D"], {"y": Connection("middle", group)},
             outputs={"z": Connection("end", UNITS["D"], multiple=False)}),
    ]  # fmt: skip
    return Case(world, [Build(tasks, ["in/all"], "instrument = 'Cam'")])


def _calibrations(seed: int) -> Case:
    world = filled_world(seed)
    certify_biases(world, seed)
    bias = Connection("bias", UNITS["D"], is_calibration=True)
    builds = [
        Build(
            [Task("isr", UNITS[unit], {"raw": RAW}, {"bias": bias},
                  {"out": Connection("out", UNITS[unit], multiple=False)})],
            [*RUNS, *CALIBRATIONS], "instrument = 'Cam'",
        )
        for unit in ("ED", "E", "V", "VD")
    ]  # fmt: skip
    return Case(world, builds)


def _prerequisites(seed: int) -> Case:
    from lsst.sphgeom import Angle, Circle, HtmPixelization, LonLat, UnitVector3d

    world = filled_world(seed)
    centre = UnitVector3d(LonLat.fromDegrees(10.0, 0.0))
    ranges = HtmPixelization(7).envelope(Circle(centre, Angle.fromDegrees(3.0))).ranges()
    pixels = [{"htm7": pixel} for begin, end in ranges for pixel in range(begin, end)]
    world.datasets.append(Datasets("refcat", ("htm7",), "refcats", pixels))
    wanted = {
        "ref": Connection("refcat", ("htm7",)),
        "template": Connection("template", UNITS["PB"], minimum=0),
        "flat": Connection("flat", UNITS["DF"], minimum=0),
    }
    where = "instrument = 'Cam' AND skymap = 'map'"
    builds = [
        Build(
            [Task("use", UNITS[unit], {"raw": RAW}, {name: wanted[name]},
                  {"out": Connection("out", UNITS[unit], multiple=False)})],
            [*RUNS, "refcats"], where,
        )
        for unit, name in (("VD", "ref"), ("V", "ref"), ("P", "ref"), ("VD", "template"),
                           ("V", "template"), ("ED", "flat"), ("VD", "flat"))
    ]  # fmt: skip
    return Case(world, builds)


# ------------------------------------------------------------------------- survey
_N_DETECTORS, _PITCH, _HALF = 189, 0.235, 0.1125
_N_TRACTS, _TRACT, _N_PATCHES = 4, 1.5, 8


def _survey(n_exposures: int) -> Case:
    """Return exposures of a wide camera, one visit each, over sixteen tracts."""
    world = make_world(1, n_detectors=_N_DETECTORS, n_exposures=0)
    for i in range(1, n_exposures + 1):
        _add_pointing(world, i)
    world.records["skymap"] = [
        {**world.records["skymap"][0], "tract_max": _N_TRACTS**2, "patch_nx_max": _N_PATCHES,
         "patch_ny_max": _N_PATCHES}
    ]  # fmt: skip
    world.records["tract"], world.records["patch"] = [], []
    for tract in range(_N_TRACTS**2):
        _add_tract(world, tract)
    world.datasets.append(Datasets("raw", UNITS["ED"], "raw/all", raw_data_ids(world)))
    summary = Connection("visitSummary", UNITS["V"], multiple=False)
    tasks = [
        simple("isr", "ED", ["raw:ED"]),
        simple("calibrate", "VD", ["isrOut:ED"], "calexp"),
        simple("visitSummary", "V", ["calexp:VD"], "visitSummary"),
        Task("warp", UNITS["PV"], {"calexp": Connection("calexp", UNITS["VD"]), "summary": summary},
             outputs={"warp": Connection("warp", UNITS["PV"], multiple=False)}),
        simple("coadd", "PB", ["warp:PV"], "coaddOut"),
    ]  # fmt: skip
    return Case(world, [Build(tasks, ["raw/all"], "instrument = 'Cam' AND skymap = 'map'")])


def _add_pointing(world: World, i: int) -> None:
    angle, radius = i * 2.399963, 0.3 * math.sqrt((i % 97) / 97.0)
    lon, lat = 45.0 + radius * math.cos(angle), radius * math.sin(angle)
    begin = START + i * 40 * SECOND
    shared = {"instrument": "Cam", "day_obs": 20240101, "physical_filter": "g1", "seq_num": i,
              "timespan": (begin, begin + 30 * SECOND), "exposure_time": 30.0}  # fmt: skip
    world.add("group", instrument="Cam", name=f"grp{i}")
    world.add("exposure", **shared, id=i, obs_id=f"E{i}", group=f"grp{i}", seq_start=i, seq_end=i)
    top = ((_N_DETECTORS - 1) // 14 - 6.5) * _PITCH + _HALF
    wide = 7 * _PITCH
    region = [
        (lon - wide, lat - wide),
        (lon + wide, lat - wide),
        (lon + wide, lat + top),
        (lon - wide, lat + top),
    ]
    world.add("visit", **shared, id=i, name=f"V{i}", region=region)
    world.add("visit_definition", instrument="Cam", exposure=i, visit=i)
    world.add("visit_system_membership", instrument="Cam", visit=i, visit_system=0)
    for d in range(_N_DETECTORS):
        x, y = (d % 14 - 6.5) * _PITCH, (d // 14 - 6.5) * _PITCH
        world.add("visit_detector_region", instrument="Cam", visit=i, detector=d,
                  region=_box(lon + x, lat + y, _HALF))  # fmt: skip


def _add_tract(world: World, tract: int) -> None:
    x0 = 45.0 + (tract % _N_TRACTS - _N_TRACTS / 2) * _TRACT
    y0 = (tract // _N_TRACTS - _N_TRACTS / 2) * _TRACT
    half, cell = _TRACT / 2, _TRACT / _N_PATCHES
    world.add("tract", skymap="map", id=tract, region=_box(x0 + half, y0 + half, half))
    for patch in range(_N_PATCHES**2):
        x, y = patch % _N_PATCHES, patch // _N_PATCHES
        world.add("patch", skymap="map", tract=tract, id=patch, cell_x=x, cell_y=y,
                  region=_box(x0 + (x + 0.5) * cell, y0 + (y + 0.5) * cell, cell / 2 + 0.005))  # fmt: skip


def _box(lon: float, lat: float, half: float) -> list[tuple[float, float]]:
    return [(lon + x * half, lat + y * half) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


# ------------------------------------------------------------------------- export
def _export(data: Path) -> Case:
    """Return the visits of a real export, with patches drawn over its tract."""
    folder = data / "exports"
    skymap = "discrete/ci_hsc"
    world = World()
    for patch, (lon, lat) in enumerate(_grid(320.2, 321.6, -0.8, 0.6, 0.15)):
        world.add("patch", skymap=skymap, tract=0, id=patch, cell_x=patch % 10, cell_y=patch // 10,
                  region=_box(lon, lat, 0.08))  # fmt: skip
    calexp = Connection("calexp", UNITS["VD"], storage_class="ExposureF")
    tasks = [
        Task("warp", UNITS["PV"], {"calexp": calexp},
             outputs={"warp": Connection("warp", UNITS["PV"], multiple=False)}),
        simple("coadd", "PB", ["warp:PV"], "coaddOut"),
    ]  # fmt: skip
    runs = ["HSC/runs/ci_hsc/20240806T180642Z"]
    where = f"instrument = 'HSC' AND skymap = '{skymap}'"
    builds = [
        Build(tasks, runs, where),
        Build(tasks, runs, f"{where} AND visit > 903986 AND patch < 60"),
    ]
    return Case(
        world, builds, [folder / "ci_hsc-subset.yaml", folder / "ci_hsc-subset-skymap.yaml"]
    )


def _grid(
    west: float, east: float, south: float, north: float, step: float
) -> Iterable[tuple[float, float]]:
    for i in range(round((east - west) / step) + 1):
        for j in range(round((north - south) / step) + 1):
            yield west + i * step, south + j * step


# ------------------------------------------------------------------------ answers
def edge_of(label: str, quantum: Row, side: str, dataset_type: str, data_id: Row, run: str) -> str:
    """Return an edge as a text that both programs write alike."""
    return "|".join([text_of(label, quantum), side, dataset_type, text_of(run, data_id)])


def text_of(name: str, data_id: Row) -> str:
    """Return a name with a data ID, sorted."""
    return f"{name}:" + ",".join(f"{k}={data_id[k]}" for k in sorted(data_id))
