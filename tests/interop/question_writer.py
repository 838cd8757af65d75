"""Random questions to both programs, from seeds; what they look like says ``query_answers.py``."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from tests.interop.expression_writer import ExpressionWriter

Question = dict[str, Any]

#: The dimensions that conditions on the records of each element speak of.
ELEMENTS = {
    "instrument": ("instrument",),
    "skymap": ("skymap",),
    "exposure": ("instrument", "exposure", "day_obs", "group", "physical_filter", "band"),
    "visit": ("instrument", "visit", "day_obs", "physical_filter", "band"),
    "detector": ("instrument", "detector"),
    "physical_filter": ("instrument", "physical_filter", "band"),
    "band": ("band",),
    "subfilter": ("band", "subfilter"),
    "day_obs": ("instrument", "day_obs"),
    "group": ("instrument", "group"),
    "visit_system": ("instrument", "visit_system"),
    "tract": ("skymap", "tract"),
    "patch": ("skymap", "tract", "patch"),
    "visit_detector_region": ("instrument", "visit", "detector", "physical_filter", "band"),
    "visit_definition": ("instrument", "visit", "exposure", "physical_filter"),
    "visit_system_membership": ("instrument", "visit", "visit_system"),
    "ssp_hypothesis_table": ("ssp_hypothesis_table",),
    "ssp_balanced_index": ("ssp_hypothesis_table", "ssp_balanced_index"),
    "ssp_hypothesis_bundle": ("ssp_hypothesis_table", "ssp_hypothesis_bundle"),
}
_KEYS = {
    "exposure": "id", "visit": "id", "detector": "id", "day_obs": "id", "tract": "id",
    "patch": "id", "subfilter": "id", "visit_system": "id", "ssp_balanced_index": "id",
    "ssp_hypothesis_bundle": "id", "physical_filter": "name", "group": "name", "band": "name",
}  # fmt: skip
_INSTRUMENTAL = (
    "detector", "visit", "exposure", "physical_filter", "day_obs", "group", "visit_system", "band",
    "subfilter",
)  # fmt: skip
_SKY = ("tract", "patch")
#: Types, their dimensions, and collections in which each is searched for.
DATASETS = {
    "raw": (
        ("instrument", "exposure", "detector", "day_obs", "group", "physical_filter", "band"),
        ("outer", "CamA/raw", ["CamB/raw", "tag", "CamA/raw"], "deepest", ["odd", "tag"]),
    ),
    "calexp": (
        ("instrument", "visit", "detector", "day_obs", "physical_filter", "band"),
        ("outer", "inner", "tag", ["run/3", "outer"], ["run/1", "run/2"], "deepest", ["tag", "odd"],
         "nested", "hollow"),
    ),
    "coadd": (("skymap", "tract", "patch", "band"), ("outer", "coadds", ["tag", "coadds"])),
    "catalog": (("instrument", "visit", "band"), (["run/1", "odd"], "odd", "tag", "deepest")),
    "bias": (("instrument", "detector", "exposure"), (["calib/run2", "calib/run1"], "calib/run1")),
    "flat": (("instrument", "detector", "physical_filter", "band", "visit"), ("calib/run1",)),
    "camera": (("instrument",), ("calib/run1",)),
    "starmap": (("healpix3",), ("odd", "deepest")),
    "tile": (("band", "healpix3"), ("odd",)),
    "fine": (("htm9",), ("odd",)),
    "refcat": (("htm7",), ("refcats", "outer")),
    "matches": (("instrument", "visit", "htm7"), ("odd", "deepest")),
    "template": (("skymap", "tract", "band", "subfilter"), ("odd",)),
    "summary": ((), ("run/1", "outer", "deepest")),
}  # fmt: skip
#: Searched for only where the first is taken: of several ranges the peer gives any one.
TIMED = {"bias": ("calib", "calib/A", "calib/B"), "flat": ("calib/A", "calib")}


def record_questions(element: str, count: int) -> Iterator[Question]:
    """Ask for records, some in an order and only the first few of them."""
    for number in range(count):
        writer = ExpressionWriter(("records", element, number), ELEMENTS[element])
        question = {"what": "records", "element": element, "where": writer.where(),
                    "bind": writer.bind}  # fmt: skip
        if number % 3 == 2:
            names = [name for name in ELEMENTS[element] if name != "band" or element == "band"]
            question |= _ordered(writer, names)
        if number % 7 == 3:
            question |= _by_value(writer)
        yield question | _placed(writer)


def data_id_questions(numbers: Iterable[int]) -> Iterator[Question]:
    """Ask for data IDs over random dimensions, count them, or ask for any."""
    for number in numbers:
        chosen = random.Random(f"dimensions {number}")
        dimensions = _dimensions(chosen)
        writer = ExpressionWriter(("data_ids", number), dimensions)
        question = {"what": chosen.choice(["data_ids"] * 6 + ["count", "any"]),
                    "dimensions": list(dimensions), "where": writer.where(),
                    "bind": writer.bind}  # fmt: skip
        if question["what"] == "data_ids" and number % 4 == 1:
            question |= _ordered(writer, dimensions)
        if number % 9 == 4:
            question |= _by_value(writer)
        yield question | _placed(writer)


def _dimensions(chosen: random.Random) -> tuple[str, ...]:
    kind = chosen.random()
    names: list[str] = []
    if kind < 0.75:
        names += ["instrument", *chosen.sample(_INSTRUMENTAL, chosen.choice([1, 2, 2, 3]))]
    if kind > 0.5:
        names += ["skymap", *_SKY[: chosen.choice([1, 2])]]
    elif kind > 0.4 and ("visit" in names or not names):
        names.append("htm7")
    if "skymap" in names and "instrument" not in names and chosen.random() < 0.3:
        names.append(chosen.choice(["htm7", "band"]))
    return tuple(dict.fromkeys(names))


def joined_questions(numbers: Iterable[int]) -> Iterator[Question]:
    """Ask for data IDs that have datasets of one to three types."""
    for number in numbers:
        chosen = random.Random(f"joined {number}")
        first = chosen.choice(list(DATASETS))
        types = {first, *chosen.sample(list(DATASETS), chosen.choice([0, 0, 1, 1, 2]))}
        own = DATASETS[first][0]
        dimensions = list(dict.fromkeys([*own, *chosen.sample(_INSTRUMENTAL[:5], 1)]))
        if chosen.random() < 0.4 or first in ("refcat", "starmap", "tile", "fine", "matches"):
            dimensions = list(own)
        spoken = {name for each in types for name in DATASETS[each][0]} | set(dimensions)
        writer = ExpressionWriter(("joined", number), spoken, sorted(types))
        yield {
            "what": chosen.choice(["data_ids"] * 4 + ["count"]),
            "dimensions": dimensions,
            "datasets": [[name, chosen.choice(DATASETS[name][1])] for name in sorted(types)],
            "where": writer.where(depth=1),
            "bind": writer.bind,
        }


def dataset_questions(name: str, count: int) -> Iterator[Question]:
    """Ask for datasets of a type, the first of each data ID or all."""
    dimensions, searched = DATASETS[name]
    for number in range(count):
        writer = ExpressionWriter(("datasets", name, number), dimensions, [name])
        find_first = number % 2 == 0
        places = [*searched, *(TIMED.get(name, ()) if find_first else ())]
        question = {"what": "datasets", "type": name, "find_first": find_first,
                    "collections": writer.chosen.choice(places), "where": writer.where(),
                    "bind": writer.bind, "on_result": True}  # fmt: skip
        if number % 5 == 3 and find_first and question["collections"] in searched:
            question |= _ordered(writer, dimensions)
        yield question


def _ordered(writer: ExpressionWriter, dimensions: Any) -> Question:
    """Order by a field or two, then by what makes the order total; take the first few."""
    own = [name for name in dimensions if name in _KEYS]
    terms = [f"{name}.{_KEYS[name]}" for name in own[: writer.chosen.randint(0, 2)]]
    if "exposure" in dimensions:
        terms += ["exposure.target_name", "exposure.timespan.begin"][: writer.chosen.randint(0, 2)]
    terms = [writer.chosen.choice(["", "-"]) + term for term in terms]
    terms += [writer.chosen.choice(["", "", "-"]) + name for name in dimensions]
    return {"order_by": terms, "limit": writer.chosen.choice([None, 1, 3, 10])}


def _by_value(writer: ExpressionWriter) -> Question:
    """Give values of dimensions beside the condition."""
    values = {"detector": 1, "exposure": 103, "visit": 203, "band": "g", "tract": 1,
              "physical_filter": "g1", "day_obs": 20240111, "skymap": "grid"}  # fmt: skip
    named = [name for name in values if name in writer.dimensions]
    chosen = writer.chosen.sample(named, min(1, len(named)))
    return {"data_id": {name: values[name] for name in chosen}}


def _placed(writer: ExpressionWriter) -> Question:
    """Say where the condition is put: on the query, or on its result."""
    return {"on_result": True} if writer.chosen.random() < 0.4 else {}
