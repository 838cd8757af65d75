"""A simulated survey as plain columns, the same for all programs.

One camera of up to 189 detectors in rows of 14 takes exposures of one field through three filters
in turn, each exposure being a visit; a sky map of 4 x 4 tracts with 8 x 8 patches each lies around
the field. A ``region`` is four corners in degrees, counterclockwise; a ``timespan`` is begin and
end in nanoseconds (TAI since 1970). Imports nothing of either program.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterator
from typing import Any

CAMERA = "SurveyCam"
SKY_MAP = "survey"
BANDS = ("g", "r", "i")
N_DETECTORS = 189
#: Detectors of the repositories that hold datasets alone.
N_FEW_DETECTORS = 100
RAW_RUN = "SurveyCam/raw/all"
#: A chain, and how many runs it has.
CHAIN = "chain10"
N_RUNS = 10

Columns = dict[str, list[Any]]
#: Columns by dimension element, in the order in which they can be inserted.
Tables = dict[str, Columns]
Corners = list[tuple[float, float]]

_FIELD_DEG = (45.0, 0.0)
_DITHER_DEG = 0.3
_PITCH_DEG = 0.235
_HALF_DETECTOR_DEG = 0.1125
_DETECTORS_A_ROW = 14
_TRACTS_A_SIDE = 4
_TRACT_DEG = 1.5
_PATCHES_A_SIDE = 8
_PATCH_BORDER_DEG = 0.005
_EXPOSURES_A_DAY = 1000
_FIRST_DAY = dt.date(2026, 1, 1)
_SECOND = 10**9
_DAY = 86400 * _SECOND
_FIRST_NS = (_FIRST_DAY - dt.date(1970, 1, 1)).days * _DAY
_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))


def camera_tables(n_detectors: int = N_DETECTORS) -> Tables:
    """Return the camera: instrument, filters, detectors, visit system."""
    numbers = range(n_detectors)
    return {
        "instrument": {
            "name": [CAMERA],
            "visit_max": [10**7],
            "visit_system": [0],
            "exposure_max": [10**7],
            "detector_max": [n_detectors],
            "class_name": ["no.such.SurveyCam"],
        },
        "physical_filter": {
            "instrument": [CAMERA] * len(BANDS),
            "name": [filter_of(i) for i in range(len(BANDS))],
            "band": list(BANDS),
        },
        "detector": {
            "instrument": [CAMERA] * n_detectors,
            "id": list(numbers),
            "full_name": [f"R{i // 9:02d}_S{i % 9}" for i in numbers],
            "name_in_raft": [f"S{i % 9}" for i in numbers],
            "raft": [f"R{i // 9:02d}" for i in numbers],
            "purpose": ["SCIENCE"] * n_detectors,
        },
        "visit_system": {"instrument": [CAMERA], "id": [0], "name": ["one-to-one"]},
    }


def exposure_tables(count: int) -> Tables:
    """Return days, groups and exposures, numbered from 1 on."""
    numbers = range(1, count + 1)
    days = sorted({day_number(i) for i in numbers})
    exposures = _shared_columns(numbers) | {
        "obs_id": [f"SC_{i:08d}" for i in numbers],
        "group": [group_of(i) for i in numbers],
        "dark_time": [31.0] * count,
        "observation_type": ["science"] * count,
        "seq_start": [i % _EXPOSURES_A_DAY for i in numbers],
        "seq_end": [i % _EXPOSURES_A_DAY for i in numbers],
        "tracking_ra": [pointing(i)[0] for i in numbers],
        "tracking_dec": [pointing(i)[1] for i in numbers],
        "sky_angle": [0.0] * count,
        "has_simulated": [True] * count,
        "can_see_sky": [True] * count,
    }
    return {
        "day_obs": {
            "instrument": [CAMERA] * len(days),
            "id": [_day_obs(day) for day in days],
            "timespan": [(_FIRST_NS + d * _DAY, _FIRST_NS + (d + 1) * _DAY) for d in days],
        },
        "group": {"instrument": [CAMERA] * count, "name": [group_of(i) for i in numbers]},
        "exposure": exposures,
    }


def visit_tables(count: int) -> Tables:
    """Return a visit of each exposure, with the region of the whole camera."""
    numbers = range(1, count + 1)
    visits = _shared_columns(numbers) | {
        "name": [f"V_{i:08d}" for i in numbers],
        "region": [_camera_region(i) for i in numbers],
    }
    return {
        "visit": visits,
        "visit_definition": {
            "instrument": [CAMERA] * count,
            "exposure": list(numbers),
            "visit": list(numbers),
        },
        "visit_system_membership": {
            "instrument": [CAMERA] * count,
            "visit": list(numbers),
            "visit_system": [0] * count,
        },
    }


def visit_detector_tables(count: int, n_detectors: int = N_DETECTORS) -> Tables:
    """Return the region of each detector in each visit."""
    pairs = [(i, d) for i in range(1, count + 1) for d in range(n_detectors)]
    return {
        "visit_detector_region": {
            "instrument": [CAMERA] * len(pairs),
            "visit": [visit for visit, _ in pairs],
            "detector": [detector for _, detector in pairs],
            "region": [_detector_region(visit, detector) for visit, detector in pairs],
        }
    }


def sky_map_tables() -> Tables:
    """Return the sky map with its tracts and patches."""
    n_tracts, n_patches = _TRACTS_A_SIDE**2, _PATCHES_A_SIDE**2
    both = [(tract, patch) for tract in range(n_tracts) for patch in range(n_patches)]
    return {
        "skymap": {
            "name": [SKY_MAP],
            "hash": [b"survey sky map hash."],
            "tract_max": [n_tracts],
            "patch_nx_max": [_PATCHES_A_SIDE],
            "patch_ny_max": [_PATCHES_A_SIDE],
        },
        "tract": {
            "skymap": [SKY_MAP] * n_tracts,
            "id": list(range(n_tracts)),
            "region": [_tract_region(tract) for tract in range(n_tracts)],
        },
        "patch": {
            "skymap": [SKY_MAP] * len(both),
            "tract": [tract for tract, _ in both],
            "id": [patch for _, patch in both],
            "cell_x": [patch % _PATCHES_A_SIDE for _, patch in both],
            "cell_y": [patch // _PATCHES_A_SIDE for _, patch in both],
            "region": [_patch_region(tract, patch) for tract, patch in both],
        },
    }


def survey_tables(n_exposures: int, n_detectors: int = N_DETECTORS) -> Tables:
    """Return everything of a survey of so many exposures."""
    return {
        **camera_tables(n_detectors),
        **exposure_tables(n_exposures),
        **visit_tables(n_exposures),
        **visit_detector_tables(n_exposures, n_detectors),
        **sky_map_tables(),
    }


def data_ids(count: int, n_detectors: int = N_DETECTORS) -> list[dict[str, Any]]:
    """Return the data IDs of the first so many detector images, exposure by exposure."""
    return [_data_id(i, n_detectors) for i in range(count)]


def scattered_data_ids(
    total: int, count: int, n_detectors: int = N_FEW_DETECTORS
) -> list[dict[str, Any]]:
    """Return so many different ones of the first data IDs, in no order."""
    chosen = random.Random(1).sample(range(total), count)
    return [_data_id(i, n_detectors) for i in chosen]


def _data_id(number: int, n_detectors: int) -> dict[str, Any]:
    return {
        "instrument": CAMERA,
        "exposure": 1 + number // n_detectors,
        "detector": number % n_detectors,
    }


def where_of(data_id: dict[str, Any]) -> str:
    """Return the expression that a data ID stands for."""
    return (
        f"instrument='{data_id['instrument']}' AND exposure={data_id['exposure']} "
        f"AND detector={data_id['detector']}"
    )


def chain_members(ids: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    """Return the data IDs that the k-th run of the chain holds."""
    members = ids[k::N_RUNS]
    if k < 2:
        members = members + [one for i, one in enumerate(ids[: len(ids) // 10]) if i % N_RUNS != k]
    return members


def as_rows(columns: Columns) -> Iterator[dict[str, Any]]:
    """Go through columns row by row."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def filter_of(number: int) -> str:
    """Return the filter of an exposure."""
    return f"{BANDS[number % len(BANDS)]}_survey"


def group_of(number: int) -> str:
    """Return the group of an exposure."""
    return f"group{number:08d}"


def day_number(number: int) -> int:
    """Return the day of an exposure, counted from the survey's first."""
    return number // _EXPOSURES_A_DAY


def pointing(number: int) -> tuple[float, float]:
    """Return where an exposure points [deg]: spread over a disc by the golden angle."""
    radius = _DITHER_DEG * math.sqrt((number % 97) / 97.0)
    angle = number * _GOLDEN_ANGLE
    return _FIELD_DEG[0] + radius * math.cos(angle), _FIELD_DEG[1] + radius * math.sin(angle)


def _shared_columns(numbers: range) -> Columns:
    """Return what exposures and visits have in common."""
    count = len(numbers)
    begins = [_FIRST_NS + i * 40 * _SECOND for i in numbers]
    return {
        "instrument": [CAMERA] * count,
        "id": list(numbers),
        "physical_filter": [filter_of(i) for i in numbers],
        "day_obs": [_day_obs(day_number(i)) for i in numbers],
        "timespan": [(begin, begin + 30 * _SECOND) for begin in begins],
        "seq_num": [i % _EXPOSURES_A_DAY for i in numbers],
        "exposure_time": [30.0] * count,
        "target_name": ["field"] * count,
        "observation_reason": ["science"] * count,
        "science_program": ["SURVEY"] * count,
        "azimuth": [180.0] * count,
        "zenith_angle": [30.0] * count,
    }


def _day_obs(day: int) -> int:
    return int((_FIRST_DAY + dt.timedelta(days=day)).strftime("%Y%m%d"))


def _rectangle(west: float, south: float, east: float, north: float) -> Corners:
    return [(west, south), (east, south), (east, north), (west, north)]


def _camera_region(visit: int) -> Corners:
    lon, lat = pointing(visit)
    half = _DETECTORS_A_ROW / 2 * _PITCH_DEG
    return _rectangle(lon - half, lat - half, lon + half, lat + half)


def _detector_region(visit: int, detector: int) -> Corners:
    lon, lat = pointing(visit)
    middle = (_DETECTORS_A_ROW - 1) / 2
    lon += (detector % _DETECTORS_A_ROW - middle) * _PITCH_DEG
    lat += (detector // _DETECTORS_A_ROW - middle) * _PITCH_DEG
    half = _HALF_DETECTOR_DEG
    return _rectangle(lon - half, lat - half, lon + half, lat + half)


def _tract_region(tract: int) -> Corners:
    row, column = divmod(tract, _TRACTS_A_SIDE)
    west = _FIELD_DEG[0] + (column - _TRACTS_A_SIDE / 2) * _TRACT_DEG
    south = _FIELD_DEG[1] + (row - _TRACTS_A_SIDE / 2) * _TRACT_DEG
    return _rectangle(west, south, west + _TRACT_DEG, south + _TRACT_DEG)


def _patch_region(tract: int, patch: int) -> Corners:
    (west, south), *_ = _tract_region(tract)
    row, column = divmod(patch, _PATCHES_A_SIDE)
    size, border = _TRACT_DEG / _PATCHES_A_SIDE, _PATCH_BORDER_DEG
    west, south = west + column * size - border, south + row * size - border
    return _rectangle(west, south, west + size + 2 * border, south + size + 2 * border)
