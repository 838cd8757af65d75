"""Answers to generated queries, compared with the peer's.

The two differ on purpose: the radius of CIRCLE is a radius here, and half of it
must be written for the peer; a dataset that a search without find-first meets
in two collections, or a data ID for which two calibrations are valid, comes
once here; a shape that ``visit.region`` must overlap
restricts visits here, and there the pixels that are joined with them, too.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from butler_core import Butler
from butler_core.errors import ButlerError

_NUMBERS = {
    "detector": (0, 1, 2, 3), "visit": (100, 103, 105, 110), "exposure": (100, 104, 106, 113),
    "exposure.seq_num": (0, 3, 7), "visit.seq_num": (1, 4, 9), "day_obs": (20240110, 20240111),
    "exposure.exposure_time": (15.0, 30.0, 20.5), "visit.exposure_time": (15.0, 44.9),
    "exposure.zenith_angle": (11.0, 15.5, 20.0), "visit.zenith_angle": (12.0, 16.25),
    "exposure.tracking_ra": (2.0, 5.5), "tract": (0, 1, 3), "patch": (0, 1, 2, 3),
    "patch.cell_x": (0, 1), "visit.day_obs": (20240110, 20240112),
    "exposure.day_obs": (20240111,), "skymap.tract_max": (2, 4), "visit_system": (0, 2),
}  # fmt: skip
_TEXTS = {
    "physical_filter": ("g1", "r1", "g_wide", "r.B"), "band": ("g", "r", "i", "z"),
    "detector.full_name": ("R0_S0", "R1_S1"), "detector.raft": ("R0", "R1"),
    "detector.purpose": ("SCIENCE", "GUIDER"), "exposure.target_name": ("field0", "field1"),
    "visit.target_name": ("field0",), "exposure.observation_type": ("science", "bias"),
    "exposure.science_program": ("SURVEY",), "visit.name": ("CamA_V_103", "CamB_V_101"),
    "exposure.obs_id": ("CamA_O_102",), "group": ("grp0", "grp3"),
    "exposure.physical_filter": ("g1", "i1"), "visit_system.name": ("by-seq",),
}  # fmt: skip
_TRUTHS = ("exposure.can_see_sky", "exposure.has_simulated")
_SPANS = ("exposure.timespan", "visit.timespan", "day_obs.timespan")
_REGIONS = ("visit.region", "visit_detector_region.region", "tract.region", "patch.region")
_TIMES = ("2024-01-10T20:10:00", "2024-01-11T12:00:00", "2024-01-12T20:25:33.25")
_CENTRES = ((0.0, 0.0), (359.7, -0.3), (0.3, 0.4), (120.0, 89.6), (270.0, 89.9), (45.0, -30.0))
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")

#: What the peer refuses to answer; we may answer, or refuse too.
_REFUSALS = re.compile(
    r"Ambiguous calibration validity|Spatial overlap constraints nested inside OR or NOT"
)


class Writer:
    """Writes random conditions on what the dimensions of a query have."""

    def __init__(self, seed: object, dimensions: tuple[str, ...]) -> None:
        self.chosen = random.Random(repr(seed))
        self.dimensions = dimensions

    def _among(self, names: Any) -> list[str]:
        return [name for name in names if self._may_be_named(name.partition(".")[0])]

    def _may_be_named(self, first: str) -> bool:
        if first == "visit_detector_region":
            return {"visit", "detector"} <= set(self.dimensions)
        return first in self.dimensions

    def expression(self, depth: int = 2) -> str:
        # The peer brings conditions to a normal form that may be exponentially long: small ones.
        if depth and self.chosen.random() < 0.45:
            joint = self.chosen.choice([" AND ", " OR ", " AND "])
            parts = [self.expression(depth - 1) for _ in range(2)]
            text = "(" + joint.join(parts) + ")"
        else:
            text = self.condition()
        return f"NOT {text}" if self.chosen.random() < 0.12 else text

    def condition(self) -> str:
        makers = [self._number, self._number, self._list, self._text, self._text, self._glob,
                  self._truth, self._span, self._instant]  # fmt: skip
        while True:
            text = self.chosen.choice(makers)()
            if text:
                return text

    def _pick(self, table: dict[str, Any]) -> tuple[str, Any] | None:
        names = self._among(table)
        if not names:
            return None
        name = self.chosen.choice(names)
        return name, self.chosen.choice(table[name])

    def _number(self) -> str:
        picked = self._pick(_NUMBERS)
        if picked is None:
            return ""
        name, value = picked
        one = 1.0 if isinstance(value, float) else 1  # the peer mixes no kinds of number
        left = self.chosen.choice(
            [name, name, f"{name} + {one}", f"{name} * {one + one}", f"-{name}", f"{name} - {one}"]
        )
        return f"{left} {self.chosen.choice(_OPERATORS)} {value}"

    def _list(self) -> str:
        names = [n for n in self._among(_NUMBERS) if isinstance(_NUMBERS[n][0], int)]
        if not names:
            return ""
        name = self.chosen.choice(names)
        low = min(_NUMBERS[name])
        items = [
            str(self.chosen.choice(_NUMBERS[name])),
            f"{low}..{low + self.chosen.randint(0, 9)}",
            f"{low}..{low + 12}:{self.chosen.randint(1, 4)}",
        ]
        some = ", ".join(self.chosen.sample(items, self.chosen.randint(1, 2)))
        return f"{name} {self.chosen.choice(['IN', 'IN', 'NOT IN'])} ({some})"

    def _text(self) -> str:
        picked = self._pick(_TEXTS)
        if picked is None:
            return ""
        name, value = picked
        if self.chosen.random() < 0.25:
            return f"{name} IN ({', '.join(map(repr, _TEXTS[name]))})"
        return f"{name} {self.chosen.choice(_OPERATORS)} '{value}'"

    def _glob(self) -> str:
        picked = self._pick(_TEXTS)
        if picked is None:
            return ""
        name, value = picked
        pattern = self.chosen.choice([value[:2] + "*", "*" + value[-1], "?" + value[1:], value])
        return f"GLOB({name}, '{pattern}')"

    def _truth(self) -> str:
        names = self._among(_TRUTHS)
        return self.chosen.choice(names) if names else ""

    def _span(self) -> str:
        names = self._among(_SPANS)
        if not names:
            return ""
        begin, end = sorted(self.chosen.sample(_TIMES, 2))
        begin, end = self.chosen.choice([(begin, end), (begin, None), (None, end)])
        ends = ["NULL" if t is None else f"T'{t}'" for t in (begin, end)]
        return f"{self.chosen.choice(names)} OVERLAPS ({', '.join(ends)})"

    def _instant(self) -> str:
        names = self._among(_SPANS)
        if not names:
            return ""
        time = self.chosen.choice(_TIMES)
        end = self.chosen.choice(["begin", "end"])
        operator = self.chosen.choice(_OPERATORS)
        return f"{self.chosen.choice(names)}.{end} {operator} T'{time}'"

    def shape(self) -> str:
        """Write the condition that a region overlaps a shape, if there are regions."""
        names = self._among(_REGIONS)
        if not names or "htm7" in self.dimensions:
            return ""
        lon, lat = self.chosen.choice(_CENTRES)
        size = self.chosen.choice([0.05, 0.3, 0.9])
        shape = self.chosen.choice(
            [f"POINT({lon}, {lat})", f"CIRCLE({lon}, {lat}, {size})",
             f"BOX({lon}, {lat}, {size}, {size / 4})",
             f"POLYGON({lon}, {lat}, {lon + size}, {lat}, {lon + size / 2}, {lat - size})"]
        )  # fmt: skip
        return f"{self.chosen.choice(names)} OVERLAPS {shape}"


def _where(writer: Writer, *, spatial: bool) -> str:
    parts = []
    if "instrument" in writer.dimensions:
        parts.append(f"instrument = '{writer.chosen.choice(['CamA', 'CamA', 'CamB'])}'")
    if "skymap" in writer.dimensions:
        parts.append(f"skymap = '{writer.chosen.choice(['grid', 'cap'])}'")
    if spatial and (shape := writer.shape()):
        parts.append(shape)
    if not spatial or writer.chosen.random() < 0.4:
        parts.append(writer.expression())
    return " AND ".join(parts)


def _for_peer(where: str) -> str:
    return re.sub(
        r"CIRCLE\(([^,]+), ([^,]+), ([^)]+)\)",
        lambda m: f"CIRCLE({m[1]}, {m[2]}, {float(m[3]) / 2!r})",
        where,
    )


class Comparison:
    """Asks both, and keeps what differs."""

    def __init__(self, peer: Any, peer_error: type[Exception]) -> None:
        self.peer, self.peer_error = peer, peer_error
        self.asked = self.refused = self.filled = 0
        self.differences: list[str] = []

    def compare(self, what: str, question: dict[str, Any], ours: Any) -> None:
        self.asked += 1
        try:
            theirs = self.peer(what, question | {"where": _for_peer(question["where"])})
        except self.peer_error as error:
            self.refused += 1
            if not _REFUSALS.search(error.args[1]):
                self.differences.append(f"{question}: the peer says {error.args}")
            return
        try:
            found = sorted(ours(), key=repr)
        except ButlerError as error:
            self.differences.append(f"{question}: we say {type(error).__name__}: {error}")
            return
        self.filled += bool(found)
        if what == "data_ids" or not question.get("find_first", True):
            theirs = [row for i, row in enumerate(theirs) if row not in theirs[:i]]
        if found != theirs:
            more = [row for row in found if row not in theirs]
            fewer = [row for row in theirs if row not in found]
            self.differences.append(
                f"{question}: ours {len(found)}, theirs {len(theirs)}; "
                f"more {more[:3]}, fewer {fewer[:3]}"
            )

    def check(self, *, share_filled: float = 0.2) -> None:
        assert not self.differences, "\n".join(self.differences[:12]) + f"\n{len(self.differences)}"
        assert self.refused <= self.asked * 0.4, (self.refused, self.asked)
        assert self.filled > self.asked * share_filled, (self.filled, self.asked)


@pytest.fixture
def comparison(peer: Any, peer_error: type[Exception]) -> Comparison:
    return Comparison(peer, peer_error)


_ELEMENTS = {
    "exposure": ("instrument", "exposure", "day_obs", "group", "physical_filter", "band"),
    "visit": ("instrument", "visit", "day_obs", "physical_filter", "band"),
    "detector": ("instrument", "detector"),
    "physical_filter": ("instrument", "physical_filter", "band"),
    "day_obs": ("instrument", "day_obs"),
    "tract": ("skymap", "tract"),
    "patch": ("skymap", "tract", "patch"),
    "visit_detector_region": ("instrument", "visit", "detector", "physical_filter", "band"),
    "visit_definition": ("instrument", "visit", "exposure", "physical_filter"),
    "visit_system_membership": ("instrument", "visit", "visit_system"),
}
_DATA_IDS = (
    ("instrument", "exposure", "detector"),
    ("instrument", "visit", "detector"),
    ("instrument", "visit"),
    ("instrument", "exposure", "visit"),
    ("instrument", "visit", "visit_system"),
    ("instrument", "physical_filter", "detector"),
    ("instrument", "day_obs"),
    ("skymap", "tract", "patch"),
    ("skymap", "tract", "band"),
    ("band",),
)
_SPATIAL_JOINS = (
    ("instrument", "visit", "skymap", "tract"),
    ("instrument", "visit", "skymap", "patch", "tract"),
    ("instrument", "visit", "detector", "skymap", "tract", "patch"),
    ("instrument", "visit", "htm7"),
    ("instrument", "visit", "detector", "htm7"),
    ("skymap", "tract", "patch", "htm7"),
    ("instrument", "exposure", "visit", "detector", "skymap", "tract"),
)


@pytest.mark.parametrize("element", _ELEMENTS)
@pytest.mark.parametrize("spatial", [False, True])
def test_dimension_records_are_the_peers(
    comparison: Comparison, ours: Butler, element: str, *, spatial: bool
) -> None:
    for number in range(15):
        where = _where(Writer((element, spatial, number), _ELEMENTS[element]), spatial=spatial)
        comparison.compare(
            "records",
            {"element": element, "where": where},
            lambda where=where: [
                list(record.data_id.values_required)
                for record in ours.query_dimension_records(element, where=where)
            ],
        )

    comparison.check(share_filled=0.1)


@pytest.mark.parametrize("dimensions", [*_DATA_IDS, *_SPATIAL_JOINS], ids="-".join)
def test_data_ids_are_the_peers(
    comparison: Comparison, ours: Butler, dimensions: tuple[str, ...]
) -> None:
    for number in range(15):
        where = _where(Writer((dimensions, number), dimensions), spatial=number % 3 == 0)
        _compare_data_ids(comparison, ours, dimensions, where, [])

    comparison.check(share_filled=0.1)


def _compare_data_ids(
    comparison: Comparison, ours: Butler, dimensions: Any, where: str, datasets: Any
) -> None:
    def answer() -> list[list[Any]]:
        query = ours.query().where(where)
        for name, collections in datasets:
            query = query.join_dataset_search(name, collections)
        return [list(data_id.values_required) for data_id in query.data_ids(dimensions)]

    question = {"dimensions": list(dimensions), "where": where, "datasets": datasets}
    comparison.compare("data_ids", question, answer)


@pytest.mark.parametrize(
    ("dimensions", "datasets"),
    [
        (("instrument", "exposure", "detector"), [("raw", "outer")]),
        (("instrument", "exposure"), [("raw", "CamA/raw")]),
        (("instrument", "detector"), [("raw", "CamA/raw")]),
        (("instrument", "visit", "detector"), [("calexp", "inner"), ("raw", "outer")]),
        (("instrument", "visit", "skymap", "tract", "patch"), [("calexp", "run/2")]),
        (("instrument", "visit", "skymap", "tract"), [("coadd", "coadds"), ("calexp", "run/1")]),
        (("instrument", "visit"), [("refcat", "refcats")]),
        (("instrument", "visit", "htm7"), [("refcat", "refcats")]),
        (("skymap", "tract"), [("coadd", "outer")]),
        (("instrument", "detector", "exposure"), [("camera", "calib/run1")]),
        (("instrument", "detector", "exposure"), [("bias", "calib")]),
        (("instrument", "detector", "visit"), [("flat", "calib"), ("calexp", "run/3")]),
        (("instrument", "detector", "visit"), [("flat", "calib/run1")]),
        (("instrument", "day_obs", "detector"), [("bias", "calib/B")]),
        (("instrument", "detector"), [("bias", "calib")]),
    ],
    ids=str,
)
def test_data_ids_with_datasets_are_the_peers(
    comparison: Comparison, ours: Butler, dimensions: tuple[str, ...], datasets: Any
) -> None:
    for number in range(10):
        where = _where(Writer((dimensions, number), dimensions), spatial=number % 4 == 0)
        _compare_data_ids(comparison, ours, dimensions, where, datasets)

    comparison.check(share_filled=0.05)


@pytest.mark.parametrize(
    ("dimensions", "where"),
    [
        (("instrument", "exposure"), "exposure.seq_num / 2 = 1.5"),
        (("instrument", "exposure"), "(exposure.seq_num - 5) % 4 = -1"),
        (("instrument", "exposure"), "exposure.target_name = NULL"),
        (("instrument", "exposure"), "exposure.exposure_time = 15"),
        (("instrument", "exposure"), "detector = 1"),
        (("instrument", "exposure"), "visit.region OVERLAPS POINT(0.0, 0.0)"),
        (("instrument", "exposure"), "exposure.timespan OVERLAPS T'2024-01-10T19:59:30.1'"),
        (("instrument", "visit"), "htm7 = 131072"),
        (("instrument", "visit"), "tract = 1 AND skymap = 'grid'"),
        (("instrument", "visit"), "skymap = 'grid' AND visit.region OVERLAPS tract.region"),
        (("htm7",), "visit = 104"),
        (("visit_system",), "visit = 103"),
        (("band",), "exposure > 110"),
        ((), "exposure > 110"),
        (("instrument", "visit", "skymap", "tract", "patch"),
         "skymap = 'grid' AND visit.region OVERLAPS tract.region"),
        (("instrument", "visit", "detector", "skymap", "tract", "patch"),
         "skymap = 'grid' AND patch.region OVERLAPS visit.region"),
    ],
)  # fmt: skip
def test_what_a_condition_brings_in_is_joined_as_the_peer_does(
    comparison: Comparison, ours: Butler, dimensions: tuple[str, ...], where: str
) -> None:
    _compare_data_ids(comparison, ours, dimensions, f"instrument = 'CamA' AND {where}", [])

    comparison.check(share_filled=0.0 if "exposure_time" in where else 0.5)


_DATASETS = {
    "raw": ("instrument", "exposure", "detector", "day_obs", "group", "physical_filter", "band"),
    "calexp": ("instrument", "visit", "detector", "day_obs", "physical_filter", "band"),
    "coadd": ("skymap", "tract", "patch", "band"),
    "bias": ("instrument", "detector", "exposure"),
    "flat": ("instrument", "detector", "physical_filter", "band", "visit"),
}


@pytest.mark.parametrize("name", _DATASETS)
@pytest.mark.parametrize("find_first", [True, False])
def test_datasets_are_the_peers(
    comparison: Comparison, ours: Butler, name: str, *, find_first: bool
) -> None:
    searched = {
        "raw": ["outer", "CamA/raw", ["CamB/raw", "tag", "CamA/raw"]],
        "calexp": ["outer", "inner", "tag", ["run/3", "outer"], ["run/1", "run/2"]],
        "coadd": ["outer"],
        "bias": [["calib/run2", "calib/run1"], "calib/run1"],
        "flat": ["calib/run1"],
    }[name]
    if name in ("bias", "flat") and find_first:  # else the peer gives any one dataset a data ID
        searched += ["calib", "calib/A"]
    for number in range(15):
        writer = Writer((name, find_first, number), _DATASETS[name])
        where = _where(writer, spatial=number % 4 == 0)
        collections = writer.chosen.choice(searched)
        comparison.compare(
            "datasets",
            {"type": name, "collections": collections, "find_first": find_first, "where": where},
            lambda where=where, collections=collections: [
                [ref.run, *ref.data_id.values_required]
                for ref in ours.query_datasets(
                    name, collections, find_first=find_first, where=where
                )
            ],
        )

    comparison.check(share_filled=0.1)


_LOOKED_UP = (
    ("2024-01-10T00:00:00", "2024-01-10T00:00:01"),
    ("2024-01-11T20:00:00", "2024-01-11T20:20:00"),
    ("2024-01-11T20:19:59", "2024-01-11T20:20:01"),
    ("2023-01-01T00:00:00", "2023-01-02T00:00:00"),
    ("2024-01-11T23:00:00", "2024-01-12T01:00:00"),
    ("2024-01-12T00:00:00", None),
)


def test_calibrations_are_found_for_the_times_the_peer_finds_them(peer: Any, ours: Butler) -> None:
    searched = ("calib", "calib/A", "calib/B", ["calib/A", "calib/run2"], ["calib/run1", "calib"])
    exposures = (100, 101, 102, 105, 107, 110, 111)
    times = [{"data_id": {"exposure": exposure}} for exposure in exposures]
    times += [{"data_id": {}, "timespan": span} for span in _LOOKED_UP]
    questions = [
        {"type": "bias", "collections": collections, **time,
         "data_id": {"instrument": "CamA", "detector": detector, **time["data_id"]}}
        for collections in searched
        for detector in range(4)
        for time in times
    ]  # fmt: skip

    theirs = peer("find", questions)

    differences = [
        (question, ours_found, expected)
        for question, expected in zip(questions, theirs, strict=True)
        if (ours_found := _found(ours, question)) != _outcome(expected)
    ]
    assert not differences, differences[:5]
    assert len({repr(found) for found in theirs}) >= 4


def _outcome(found: Any) -> Any:
    if isinstance(found, dict):
        return None if found["error"] == "DatasetNotFoundError" else "refused"
    return found


def _found(butler: Butler, question: dict[str, Any]) -> Any:
    from butler_core import Timespan

    span = question.get("timespan")
    try:
        ref = butler.find_dataset(
            question["type"],
            question["data_id"],
            collections=question["collections"],
            timespan=None if span is None else Timespan.from_times(*span),
        )
    except ButlerError:
        return "refused"
    return None if ref is None else ref.run
