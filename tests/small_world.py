"""A small observing world as plain rows: two cameras, two sky maps, datasets and collections.

Knows no program, so that two of them can be given the same world and asked the
same questions. Run by path (``runpy.run_path``). Regions are corners in degrees,
counter-clockwise; timespans are pairs of TAI texts.
"""

from __future__ import annotations

import math

FILTERS = {
    "CamA": {"g1": "g", "r1": "r", "i1": "i", "g_wide": "g"},
    "CamB": {"r.B": "r", "z.B": "z"},
}
#: Where each camera points first, and by how much the next visit is off [deg].
POINTINGS = {"CamA": (359.6, -0.4, 0.17, 0.13), "CamB": (120.0, 89.3, 40.0, 0.08)}
N_DETECTORS = {"CamA": 4, "CamB": 2}
N_EXPOSURES = {"CamA": 14, "CamB": 6}
HALF = 0.12  # half a detector's side [deg]


def elements() -> dict[str, list[dict]]:
    """Return the records of each dimension element, in an order in which they can be inserted."""
    found: dict[str, list[dict]] = {
        name: []
        for name in (
            "instrument", "skymap", "physical_filter", "detector", "day_obs", "group",
            "visit_system", "exposure", "visit", "visit_definition", "visit_system_membership",
            "visit_detector_region", "tract", "patch",
        )
    }  # fmt: skip
    for camera in FILTERS:
        _add_camera(found, camera)
        for number in range(N_EXPOSURES[camera]):
            _add_exposure(found, camera, number)
    _add_sky_map(found, "grid", [(359.0, -1.0), (0.0, -1.0), (359.0, 0.0), (0.0, 0.0)], 1.0)
    _add_sky_map(found, "cap", [(100.0, 89.0), (190.0, 89.0)], 0.9)
    return found


def _add_camera(found: dict[str, list[dict]], camera: str) -> None:
    found["instrument"].append(
        {"name": camera, "visit_max": 9999, "visit_system": 0, "exposure_max": 9999,
         "detector_max": 10, "class_name": f"no.such.{camera}"}
    )  # fmt: skip
    found["physical_filter"] += [
        {"instrument": camera, "name": name, "band": band} for name, band in FILTERS[camera].items()
    ]
    found["detector"] += [
        {"instrument": camera, "id": i, "full_name": f"R{i // 2}_S{i % 2}",
         "name_in_raft": f"S{i % 2}", "raft": f"R{i // 2}",
         "purpose": "GUIDER" if i == 3 else "SCIENCE"}
        for i in range(N_DETECTORS[camera])
    ]  # fmt: skip
    found["day_obs"] += [
        {"instrument": camera, "id": 20240100 + day,
         "timespan": (f"2024-01-{day:02d}T12:00:00", f"2024-01-{day + 1:02d}T12:00:00")}
        for day in (10, 11, 12)
    ]  # fmt: skip
    found["visit_system"] += [
        {"instrument": camera, "id": 0, "name": "one-to-one"},
        {"instrument": camera, "id": 2, "name": "by-seq"},
    ]


def _span(number: int) -> tuple[str, str]:
    day, minute = 10 + number % 3, 5 * number
    return (
        f"2024-01-{day:02d}T{20 + minute // 60:02d}:{minute % 60:02d}:00",
        f"2024-01-{day:02d}T{20 + minute // 60:02d}:{minute % 60:02d}:{30 + number % 20:02d}.5",
    )


def _add_exposure(found: dict[str, list[dict]], camera: str, number: int) -> None:
    day = 20240110 + number % 3
    id_ = 100 + number
    filters = list(FILTERS[camera])
    shared = {
        "instrument": camera, "day_obs": day, "physical_filter": filters[number % len(filters)],
        "timespan": _span(number), "exposure_time": 15.0 * (1 + number % 3), "seq_num": number,
        "target_name": None if number % 5 == 4 else f"field{number % 2}",
        "science_program": "SURVEY" if number % 4 else None, "observation_reason": "science",
    }  # fmt: skip
    on_sky = number % 7 != 6
    found["group"].append(
        {"instrument": camera, "name": f"grp{number // 2}"} if number % 2 == 0 else {}
    )
    found["group"] = [row for row in found["group"] if row]
    found["exposure"].append(
        shared
        | {"id": id_, "obs_id": f"{camera}_O_{id_}", "group": f"grp{number // 2}",
           "dark_time": shared["exposure_time"] + 0.5, "seq_start": number, "seq_end": number,
           "observation_type": "science" if on_sky else "bias", "sky_angle": 0.0, "azimuth": 180.0,
           "zenith_angle": 10.0 + number, "has_simulated": number % 2 == 0, "can_see_sky": on_sky,
           "tracking_ra": None if not on_sky else number * 1.0, "tracking_dec": -0.5}
    )  # fmt: skip
    if on_sky:
        _add_visit(found, camera, number, shared)


def _add_visit(found: dict[str, list[dict]], camera: str, number: int, shared: dict) -> None:
    id_ = 100 + number
    corners = {d: _detector_corners(camera, number, d) for d in range(N_DETECTORS[camera])}
    found["visit"].append(
        shared
        | {"id": id_, "name": f"{camera}_V_{id_}", "azimuth": 180.0, "zenith_angle": 10.0 + number,
           "region": None if number == 5 else _around(camera, number)}
    )  # fmt: skip
    found["visit_definition"].append({"instrument": camera, "exposure": id_, "visit": id_})
    systems = (0, 2) if number % 2 else (0,)
    found["visit_system_membership"] += [
        {"instrument": camera, "visit": id_, "visit_system": system} for system in systems
    ]
    if number != 5:
        found["visit_detector_region"] += [
            {"instrument": camera, "visit": id_, "detector": d, "region": region}
            for d, region in corners.items()
        ]


def _centre(camera: str, number: int) -> tuple[float, float]:
    lon, lat, step, rise = POINTINGS[camera]
    return lon + step * number, lat + rise * (number % 6)


def _square(lon: float, lat: float, half: float) -> list[tuple[float, float]]:
    stretch = half / max(math.cos(math.radians(lat)), 0.01)
    return [
        ((lon + dx * stretch) % 360.0, lat + dy * half)
        for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


def _detector_corners(camera: str, number: int, detector: int) -> list[tuple[float, float]]:
    lon, lat = _centre(camera, number)
    stretch = 1.0 / max(math.cos(math.radians(lat)), 0.01)
    dx, dy = (detector % 2 - 0.5) * 0.26, (detector // 2 - 0.5) * 0.26
    return _square(lon + dx * stretch, lat + dy, HALF)


def _around(camera: str, number: int) -> list[tuple[float, float]]:
    return _square(*_centre(camera, number), 2.2 * HALF)


def _add_sky_map(
    found: dict[str, list[dict]], name: str, corners: list[tuple[float, float]], side: float
) -> None:
    found["skymap"].append(
        {"name": name, "hash": name.encode().ljust(20, b"."), "tract_max": len(corners),
         "patch_nx_max": 2, "patch_ny_max": 2}
    )  # fmt: skip
    for tract, (lon, lat) in enumerate(corners):
        wide = side / max(math.cos(math.radians(lat + side / 2)), 0.01)

        def cell(x0: float, x1: float, y0: float, y1: float, lon=lon, lat=lat, wide=wide) -> list:
            return [
                ((lon + x * wide) % 360.0, lat + y * side)
                for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
            ]

        found["tract"].append({"skymap": name, "id": tract, "region": cell(0.0, 1.0, 0.0, 1.0)})
        for patch in range(4):
            x, y = (patch % 2) / 2, (patch // 2) / 2
            found["patch"].append(
                {"skymap": name, "tract": tract, "id": patch, "cell_x": patch % 2,
                 "cell_y": patch // 2, "region": cell(x, x + 0.5, y, y + 0.5)}
            )  # fmt: skip


#: Name, dimensions, whether it is a calibration.
DATASET_TYPES = (
    ("raw", ("instrument", "detector", "exposure"), False),
    ("calexp", ("instrument", "visit", "detector"), False),
    ("bias", ("instrument", "detector"), True),
    ("flat", ("instrument", "detector", "physical_filter"), True),
    ("camera", ("instrument",), True),
    ("refcat", ("htm7",), False),
    ("starmap", ("healpix3",), False),
    ("coadd", ("skymap", "tract", "patch", "band"), False),
    ("summary", (), False),
)

#: Name and type of each collection that no dataset makes.
COLLECTIONS = (
    ("tag", "TAGGED"),
    ("calib/A", "CALIBRATION"),
    ("calib/B", "CALIBRATION"),
    ("inner", "CHAINED"),
    ("outer", "CHAINED"),
    ("calib", "CHAINED"),
)
CHAINS = {
    "inner": ["run/1", "tag", "run/3"],
    "outer": ["run/2", "inner", "CamA/raw", "coadds", "refcats"],
    "calib": ["calib/B", "calib/A"],
}


def datasets() -> list[tuple[str, str, list[dict]]]:
    """Return dataset type, run and data IDs."""
    rows = elements()
    raw = {
        camera: [
            {"instrument": camera, "exposure": row["id"], "detector": d}
            for row in rows["exposure"]
            if row["instrument"] == camera
            for d in range(N_DETECTORS[camera])
            if (row["id"] + d) % 5
        ]
        for camera in FILTERS
    }
    visits = [
        {"instrument": row["instrument"], "visit": row["id"], "detector": d}
        for row in rows["visit"]
        for d in range(2)
    ]
    detectors = [{"instrument": "CamA", "detector": d} for d in range(4)]
    flats = [row | {"physical_filter": name} for row in detectors[:2] for name in ("g1", "r1")]
    patches = [
        {"skymap": row["skymap"], "tract": row["tract"], "patch": row["id"], "band": band}
        for row in rows["patch"]
        for band in ("g", "r")
        if (row["tract"] + row["id"]) % 3
    ]
    return [
        *((("raw", f"{camera}/raw", ids)) for camera, ids in raw.items()),
        ("calexp", "run/1", visits[::2]),
        ("calexp", "run/2", visits[::3]),
        ("calexp", "run/3", visits),
        ("bias", "calib/run1", detectors),
        ("bias", "calib/run2", detectors[:3]),
        ("flat", "calib/run1", flats),
        ("camera", "calib/run1", [{"instrument": "CamA"}, {"instrument": "CamB"}]),
        ("coadd", "coadds", patches),
        ("summary", "run/1", [{}]),
    ]


#: The calibration collection, dataset type, run, detectors below which, and validity.
CERTIFIED = (
    ("calib/A", "bias", "calib/run1", 4, ("2024-01-10T00:00:00", "2024-01-12T00:00:00")),
    ("calib/A", "bias", "calib/run2", 3, ("2024-01-12T00:00:00", None)),
    ("calib/B", "bias", "calib/run2", 2, ("2024-01-11T20:20:00", "2024-01-12T20:00:00")),
    ("calib/A", "flat", "calib/run1", 2, ("2024-01-10T00:00:00", "2024-01-11T20:30:00")),
    ("calib/A", "camera", "calib/run1", 99, (None, None)),
)
#: Datasets of the tag: type, run, and every which one.
TAGGED = (("calexp", "run/3", 5), ("raw", "CamA/raw", 7))
#: Pixels of the reference catalogue are those around these points [deg].
REFERENCE_POINTS = ((359.8, -0.2), (0.4, 0.1), (120.0, 89.6))
