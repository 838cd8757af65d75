"""The small world with everything odd added that a repository may hold.

Missing values wherever a column may have none, negative numbers, text full of
signs that mean something somewhere, timespans without ends or that touch, regions
at the poles and across right ascension 0, pixels of several sizes, and collections
in chains of chains. As ``small_world.py``, it is plain rows and knows no program.
"""

from __future__ import annotations

import runpy
from pathlib import Path

_SMALL = runpy.run_path(str(Path(__file__).parent / "small_world.py"))
_square = _SMALL["_square"]

REFERENCE_POINTS = _SMALL["REFERENCE_POINTS"]

#: Texts of the odd exposures' targets; some match only where a pattern's signs are escaped.
TARGETS = ("a*b", "a?b", "a[b]", "a\\b", "Field1", "", "50%_x", "Ångström", None)
#: Timespans of the odd exposures; that of exposure 100 ends where the third begins.
SPANS = (
    None,
    (None, "2024-01-11T00:00:00"),
    ("2024-01-10T20:00:30.5", "2024-01-10T20:01:00"),
    ("2024-01-12T00:00:00", None),
    (None, None),
    ("2024-01-11T20:00:00.000000001", "2024-01-11T20:00:00.000000002"),
    ("2024-01-10T12:00:00", "2024-01-11T12:00:00"),
    None,
    ("2024-01-12T20:25:33.25", "2024-01-12T20:25:34.25"),
)
#: Centre, half side [deg] and camera of the odd visits; None has no region.
FIELDS = (
    None,
    (0.0, 0.0, 0.3),
    (359.99, 0.02, 0.0002),
    (180.0, 89.97, 0.1),
    (10.0, -89.8, 0.15),
    (90.0, -30.0, 1.5),
    None,
    (0.5, 0.5, 0.5),
    (45.0, 0.0, 0.05),
)


def elements() -> dict[str, list[dict]]:
    """Return the records of each dimension element, in an order in which they can be inserted."""
    found = _SMALL["elements"]()
    found["instrument"].append({"name": "CamC", "class_name": None, "visit_max": None})
    found["detector"] += [
        {"instrument": "CamC", "id": i, "full_name": f"C{i}", "raft": "C", "purpose": None}
        for i in range(2)
    ]
    found["ssp_hypothesis_table"] = [{"name": "h1"}, {"name": "h2"}]
    for element in ("ssp_balanced_index", "ssp_hypothesis_bundle"):
        found[element] = [{"ssp_hypothesis_table": "h1", "id": i} for i in (-1, 3)]
    found["subfilter"] = [{"band": "g", "id": 0}, {"band": "g", "id": 1}, {"band": "r", "id": 0}]
    found["group"].append({"instrument": "CamA", "name": "odd's"})
    for number in range(len(SPANS)):
        _add_odd_exposure(found, number)
        _add_odd_visit(found, number)
    _add_polar_map(found)
    return found


def _add_odd_exposure(found: dict[str, list[dict]], number: int) -> None:
    few = number % 3 == 0
    row = {
        "instrument": "CamA", "id": 200 + number, "obs_id": f"CamA_[{number}]_*",
        "day_obs": 20240110 + number % 3, "group": "odd's",
        "physical_filter": ("g1", "r1", "g_wide")[number % 3], "seq_num": number - 5,
        "target_name": TARGETS[number], "exposure_time": None if few else 7.5 * number,
        "dark_time": None, "observation_type": None if number == 4 else "odd",
        "has_simulated": None if few else number % 2 == 0, "can_see_sky": None,
        "tracking_ra": 0.5 - 0.5 * number, "zenith_angle": None if number == 1 else -3.0 + number,
        "science_program": "O'Brien" if number == 2 else None,
    }  # fmt: skip
    if SPANS[number] is not None:
        row["timespan"] = SPANS[number]
    found["exposure"].append(row)


def _add_odd_visit(found: dict[str, list[dict]], number: int) -> None:
    id_ = 200 + number
    field = FIELDS[number]
    row = {
        "instrument": "CamA", "id": id_, "name": f"odd_{id_}", "day_obs": 20240110 + number % 3,
        "physical_filter": ("g1", "r1", "g_wide")[number % 3], "seq_num": number - 5,
        "target_name": TARGETS[-1 - number], "region": field and _region(*field),
        "zenith_angle": None,
    }  # fmt: skip
    if SPANS[number] is not None:
        row["timespan"] = SPANS[number]
    found["visit"].append(row)
    # One exposure may be of two visits, and a visit of several exposures.
    for exposure in {200 + number, 200 + number % 3}:
        found["visit_definition"].append({"instrument": "CamA", "exposure": exposure, "visit": id_})
    found["visit_system_membership"].append(
        {"instrument": "CamA", "visit": id_, "visit_system": 2 * (number % 2)}
    )
    if field is not None:
        lon, lat, half = field
        found["visit_detector_region"] += [
            {"instrument": "CamA", "visit": id_, "detector": d,
             "region": _region(lon + d * half / 2, lat, half / 2)}
            for d in range(2)
        ]  # fmt: skip


def _region(lon: float, lat: float, half: float) -> list[tuple[float, float]]:
    """Return the corners of a square, or of one around the pole if that is inside."""
    if abs(lat) + half < 90.0:
        return _square(lon, lat, half)
    turns = (45.0, 135.0, 225.0, 315.0) if lat > 0 else (315.0, 225.0, 135.0, 45.0)
    return [((lon + turn) % 360.0, (90.0 - half) * (1 if lat > 0 else -1)) for turn in turns]


def _add_polar_map(found: dict[str, list[dict]]) -> None:
    found["skymap"].append(
        {"name": "south", "hash": b"south".ljust(20, b"."), "tract_max": 2, "patch_nx_max": 1,
         "patch_ny_max": 1}
    )  # fmt: skip
    found["tract"] += [
        {"skymap": "south", "id": 0, "region": _region(0.0, -90.0, 0.5)},
        {"skymap": "south", "id": 1, "region": _region(90.0, -30.0, 2.0)},
        {"skymap": "south", "id": 2, "region": None},
    ]
    found["patch"] += [
        {"skymap": "south", "tract": 1, "id": i, "cell_x": i, "cell_y": -1,
         "region": _region(89.0 + i, -30.0, 0.5)}
        for i in range(3)
    ]  # fmt: skip


DATASET_TYPES = (
    *_SMALL["DATASET_TYPES"],
    ("catalog", ("instrument", "visit"), False),
    ("tile", ("band", "healpix3"), False),
    ("matches", ("instrument", "visit", "htm7"), False),
    ("fine", ("htm9",), False),
    ("template", ("skymap", "tract", "subfilter"), False),
)

COLLECTIONS = (
    *_SMALL["COLLECTIONS"],
    ("nested", "CHAINED"),
    ("deepest", "CHAINED"),
    ("hollow", "CHAINED"),
)
CHAINS = {
    **_SMALL["CHAINS"],
    "nested": ["inner", "run/2"],
    "deepest": ["hollow", "nested", "outer", "odd"],
    "hollow": [],
}


def datasets() -> list[tuple[str, str, list[dict]]]:
    """Return dataset type, run and data IDs."""
    visits = [{"instrument": "CamA", "visit": 200 + number} for number in range(len(FIELDS))]
    raws = [
        {"instrument": "CamA", "exposure": 200 + number, "detector": number % 4}
        for number in range(len(SPANS))
    ]
    tiles = [{"band": band, "healpix3": pixel} for band in "gr" for pixel in range(304, 308)]
    return [
        *_SMALL["datasets"](),
        ("raw", "odd", raws),
        ("calexp", "odd", [{**visit, "detector": 1} for visit in visits]),
        ("catalog", "odd", visits),
        ("catalog", "run/1", visits[::2]),
        ("starmap", "odd", [{"healpix3": pixel} for pixel in range(300, 310)]),
        ("tile", "odd", tiles),
        ("matches", "odd", [{**visits[1], "htm7": pixel} for pixel in (131072, 147456, 212991)]),
        ("fine", "odd", [{"htm9": pixel} for pixel in (2097152, 2359296, 2621440)]),
        ("template", "odd",
         [{"skymap": "grid", "tract": t, "band": "g", "subfilter": s}
          for t in (0, 1) for s in (0, 1)]),
    ]  # fmt: skip


CERTIFIED = (
    *_SMALL["CERTIFIED"],
    ("calib/B", "flat", "calib/run1", 1, ("2024-01-11T20:30:00", None)),
)
TAGGED = (*_SMALL["TAGGED"], ("catalog", "odd", 3), ("coadd", "coadds", 4))
