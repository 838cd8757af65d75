"""Small random observing worlds as plain rows, and repositories made of them.

Rows name no program's classes: regions are corners in degrees, counter-clockwise; timespans are
pairs of nanoseconds (TAI). Heavy imports are inside functions, so that another program's Python
can read the rows too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

SECOND = 10**9
DAY = 86400 * SECOND
START = 19723 * DAY  # 2024-01-01 in TAI nanoseconds
FILTERS = {"g1": "g", "g2": "g", "r1": "r"}

#: One row of a dimension element.
Row = dict[str, Any]


@dataclass
class Datasets:
    """Datasets of one type in one run."""

    name: str
    dimensions: tuple[str, ...]
    run: str
    data_ids: list[Row]
    is_calibration: bool = False
    storage_class: str = "StructuredDataDict"


@dataclass
class World:
    """Dimension records, datasets and validity ranges."""

    records: dict[str, list[Row]] = field(default_factory=dict)
    datasets: list[Datasets] = field(default_factory=list)
    #: Collection, dataset type, run, data ID, begin and end [ns].
    certified: list[tuple[str, str, str, Row, int, int]] = field(default_factory=list)
    chains: dict[str, list[str]] = field(default_factory=dict)

    def rows(self, element: str) -> list[Row]:
        return self.records.get(element, [])

    def add(self, element: str, **row: Any) -> None:
        self.records.setdefault(element, []).append(row)


def make_world(
    seed: int, *, n_detectors: int = 3, n_exposures: int = 5, two_cameras: bool = False
) -> World:
    """Return a world; the same seed gives the same."""
    chosen = random.Random(seed)
    world = World()
    _add_camera(world, chosen, "Cam", n_detectors, n_exposures)
    if two_cameras:
        _add_camera(world, chosen, "Aux", 1, 2)
    _add_sky_map(world)
    return world


def _add_camera(
    world: World, chosen: random.Random, camera: str, n_detectors: int, n_exposures: int
) -> None:
    world.add("instrument", name=camera, visit_max=999, visit_system=0, exposure_max=999,
              detector_max=99, class_name="no.such.Camera")  # fmt: skip
    for name, band in FILTERS.items():
        world.add("physical_filter", instrument=camera, name=name, band=band)
    for i in range(n_detectors):
        world.add("detector", instrument=camera, id=i, full_name=f"S{i}", raft=f"R{i % 2}",
                  name_in_raft=f"S{i}", purpose="SCIENCE")  # fmt: skip
    for day in (0, 1):
        span = (START + day * DAY, START + (day + 1) * DAY)
        world.add("day_obs", instrument=camera, id=20240101 + day, timespan=span)
    world.add("visit_system", instrument=camera, id=0, name="one-to-one")
    number = 0
    while number < n_exposures:
        snaps = 2 if number + 1 < n_exposures and chosen.random() < 0.25 else 1
        _add_visit(world, chosen, camera, range(number, number + snaps), n_detectors)
        number += snaps


def _add_visit(
    world: World, chosen: random.Random, camera: str, numbers: range, n_detectors: int
) -> None:
    first = numbers[0]
    day = first % 2
    name = chosen.choice(list(FILTERS))
    begins = [START + day * DAY + n * 60 * SECOND for n in numbers]
    shared = {"instrument": camera, "day_obs": 20240101 + day, "physical_filter": name,
              "science_program": "S", "observation_reason": "science", "azimuth": 180.0,
              "target_name": f"field{first % 3}", "zenith_angle": 10.0 + first}  # fmt: skip
    world.add("group", instrument=camera, name=f"grp{first}")
    for number, begin in zip(numbers, begins, strict=True):
        world.add(
            "exposure", **shared, id=number + 1, obs_id=f"{camera}_{number + 1}", group=f"grp{first}",
            timespan=(begin, begin + 30 * SECOND), exposure_time=15.0 * (1 + number % 3),
            dark_time=31.0, observation_type="science", seq_num=number, seq_start=first,
            seq_end=numbers[-1], tracking_ra=10.0, tracking_dec=0.0, sky_angle=0.0,
            has_simulated=number % 2 == 0, can_see_sky=True,
        )  # fmt: skip
    if chosen.random() < 0.15:
        return
    visit = 100 + first + 1
    lon, lat = 10.0 + chosen.uniform(-0.5, 0.5), chosen.uniform(-0.5, 0.5)
    world.add(
        "visit", **shared, id=visit, name=f"{camera}_V{visit}", seq_num=first, exposure_time=30.0,
        timespan=(begins[0], begins[-1] + 30 * SECOND),
        region=_box(lon, lat, 0.15 + 0.15 * n_detectors, 0.2),
    )  # fmt: skip
    for number in numbers:
        world.add("visit_definition", instrument=camera, exposure=number + 1, visit=visit)
    world.add("visit_system_membership", instrument=camera, visit=visit, visit_system=0)
    for i in range(n_detectors):
        offset = 0.3 * (i - (n_detectors - 1) / 2)
        world.add("visit_detector_region", instrument=camera, visit=visit, detector=i,
                  region=_box(lon + offset, lat, 0.12, 0.12))  # fmt: skip


def _add_sky_map(world: World) -> None:
    world.add("skymap", name="map", hash=b"map".ljust(20, b"."), tract_max=4, patch_nx_max=2,
              patch_ny_max=2)  # fmt: skip
    for tract in range(2):
        lon = 9.5 + tract
        world.add("tract", skymap="map", id=tract, region=_box(lon, 0.0, 0.5, 0.5))
        for patch in range(4):
            x, y = patch % 2, patch // 2
            region = _box(lon + 0.5 * x - 0.25, 0.5 * y - 0.25, 0.25, 0.25)
            world.add(
                "patch", skymap="map", tract=tract, id=patch, cell_x=x, cell_y=y, region=region
            )


def _box(lon: float, lat: float, half_x: float, half_y: float) -> list[tuple[float, float]]:
    return [
        (lon + dx * half_x, lat + dy * half_y) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


def insert_records(butler: Any, world: World) -> None:
    """Insert a world's dimension records into one of our repositories."""
    from butler_core.region import polygon
    from butler_core.timespan import Timespan

    for element, rows in world.records.items():
        native = []
        for row in rows:
            row = dict(row)
            if "region" in row:
                row["region"] = polygon(row["region"])
            if "timespan" in row:
                row["timespan"] = Timespan(*row["timespan"])
            native.append(row)
        butler.insert_dimension_data(element, *native)


def insert_datasets(butler: Any, world: World) -> None:
    """Register a world's datasets, without files, its validity ranges and its chains."""
    from butler_core import CollectionType, DatasetType
    from butler_core.timespan import Timespan

    registry = butler.repository.registry
    keys: dict[tuple[str, str], dict[tuple[Any, ...], int]] = {}
    for one in world.datasets:
        butler.register_dataset_type(
            DatasetType.of(one.name, one.dimensions, one.storage_class, universe=butler.dimensions,
                           is_calibration=one.is_calibration)
        )  # fmt: skip
        butler.collections.register(one.run)
        registered = registry.dataset_types.get(one.name)
        names = registered.dataset_type.dimensions.required
        columns = {n: [data_id[n] for data_id in one.data_ids] for n in names}
        made = registry.datasets.insert(registered, registry.collections.get(one.run), columns).keys
        rows = [tuple(data_id[n] for n in names) for data_id in one.data_ids]
        keys.setdefault((one.name, one.run), {}).update(zip(rows, made, strict=True))
    for collection, name, run, data_id, begin, end in world.certified:
        butler.collections.register(collection, CollectionType.CALIBRATION)
        registered = registry.dataset_types.get(name)
        row = tuple(data_id[n] for n in registered.dataset_type.dimensions.required)
        registry.memberships.certify(
            registered, registry.collections.get(collection), [keys[name, run][row]],
            Timespan(begin, end),
        )  # fmt: skip
    for name, children in world.chains.items():
        butler.collections.register(name, CollectionType.CHAINED)
        butler.collections.redefine_chain(name, children)
