from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from butler_core import Butler, CollectionType, DatasetType, Timespan
from butler_core.errors import (
    AmbiguousDatasetError,
    CollectionTypeError,
    DatasetExistsError,
    DatasetTypeError,
    ValidityConflictError,
)
from butler_core.registry.dataset_types import RegisteredType
from butler_core.registry.registry import Registry
from butler_core.timespan import MAX_NS, MIN_NS

DETECTORS = 3
RUNS = ("run/1", "run/2")


class World:
    """Biases of three detectors in two runs, a tag and a calibration collection."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        registry.dataset_types.register(
            DatasetType.of(
                "bias", ["detector"], "int", universe=registry.universe, is_calibration=True
            )
        )
        registry.dataset_types.register(
            DatasetType.of("raw", ["exposure"], "int", universe=registry.universe)
        )
        self.bias: RegisteredType = registry.dataset_types.get("bias")
        self.keys: dict[str, list[int]] = {}
        for run in RUNS:
            registry.collections.register(run)
            columns = {"instrument": ["CamA"] * DETECTORS, "detector": list(range(DETECTORS))}
            self.keys[run] = registry.datasets.insert(
                self.bias, registry.collections.get(run), columns
            ).keys
        registry.collections.register("calib", CollectionType.CALIBRATION)
        registry.collections.register("tag", CollectionType.TAGGED)
        self.calib, self.tag = registry.collections.get("calib"), registry.collections.get("tag")

    def certify(self, run: str, detectors: list[int], span: Timespan) -> None:
        keys = [self.keys[run][d] for d in detectors]
        self.registry.memberships.certify(self.bias, self.calib, keys, span)

    def decertify(self, span: Timespan, detectors: list[int] | None = None) -> int:
        ids = None
        if detectors is not None:
            ids = {"instrument": ["CamA"] * len(detectors), "detector": detectors}
        return self.registry.memberships.decertify(self.bias, self.calib, span, ids)

    def ranges(self) -> set[tuple[int, int, int, int]]:
        """Return key, detector, begin and end of all validity ranges."""
        found = self.registry.memberships.ranges(self.bias, self.calib)
        names = ("dataset_key", "detector", "begin_ns", "end_ns")
        return set(zip(*(found[name] for name in names), strict=True))


@pytest.fixture
def biases(make_butler: Callable[..., Butler]) -> World:
    return World(make_butler().repository.registry)


def test_a_tag_names_what_was_associated(biases: World) -> None:
    members = biases.registry.memberships
    members.associate(biases.bias, biases.tag, biases.keys["run/1"])
    members.associate(biases.bias, biases.tag, biases.keys["run/1"][:1])

    assert members.tagged(biases.bias, biases.tag) == biases.keys["run/1"]
    assert members.disassociate(biases.bias, biases.tag, [biases.keys["run/1"][0], 999]) == 1
    assert members.tagged(biases.bias, biases.tag) == biases.keys["run/1"][1:]


def test_a_tag_names_one_dataset_a_data_id(biases: World) -> None:
    members = biases.registry.memberships
    members.associate(biases.bias, biases.tag, biases.keys["run/1"][:1])

    with pytest.raises(DatasetExistsError, match="'tag' names another 'bias'"):
        members.associate(biases.bias, biases.tag, biases.keys["run/2"])
    with pytest.raises(AmbiguousDatasetError, match=r"two 'bias' datasets have the data ID"):
        members.associate(biases.bias, biases.tag, [keys[1] for keys in biases.keys.values()])
    assert members.tagged(biases.bias, biases.tag) == biases.keys["run/1"][:1]


def test_removing_a_dataset_removes_its_memberships(biases: World) -> None:
    biases.registry.memberships.associate(biases.bias, biases.tag, biases.keys["run/1"])
    biases.certify("run/1", [0, 1], Timespan(0, 10))

    biases.registry.datasets.delete(biases.keys["run/1"][:1])

    assert biases.registry.memberships.tagged(biases.bias, biases.tag) == biases.keys["run/1"][1:]
    assert {detector for _, detector, _, _ in biases.ranges()} == {1}


def test_only_tags_are_associated_and_only_calibrations_certified(biases: World) -> None:
    members = biases.registry.memberships

    with pytest.raises(
        CollectionTypeError, match="'calib' is a CALIBRATION collection, not TAGGED"
    ):
        members.associate(biases.bias, biases.calib, biases.keys["run/1"])
    with pytest.raises(CollectionTypeError, match="'tag' is a TAGGED collection, not CALIBRATION"):
        members.certify(biases.bias, biases.tag, [], Timespan(0, 1))
    with pytest.raises(DatasetTypeError, match="'raw' is not registered as a calibration"):  # noqa: PT012 - the step that fails ends it
        raw = biases.registry.dataset_types.get("raw")
        members.certify(raw, biases.calib, [], Timespan(0, 1))


def test_an_overlapping_validity_is_refused_with_what_it_overlaps(biases: World) -> None:
    biases.certify("run/1", [0], Timespan(100, 200))

    with pytest.raises(ValidityConflictError, match=r"valid from 1970.*\(1 such in all\)"):
        biases.certify("run/2", [0, 1], Timespan(199, 300))
    biases.certify("run/2", [0, 1], Timespan(200, 300))
    assert len(biases.ranges()) == 3


def test_two_datasets_of_one_data_id_are_not_valid_together(biases: World) -> None:
    keys = [biases.keys["run/1"][0], biases.keys["run/2"][0]]

    with pytest.raises(ValidityConflictError, match="two 'bias' datasets of one data ID"):
        biases.registry.memberships.certify(biases.bias, biases.calib, keys, Timespan(0, 1))


def test_a_hole_in_a_validity_leaves_two_ranges(biases: World) -> None:
    biases.certify("run/1", [0], Timespan.unbounded())

    assert biases.decertify(Timespan(100, 200)) == 1

    key = biases.keys["run/1"][0]
    assert biases.ranges() == {(key, 0, MIN_NS, 100), (key, 0, 200, MAX_NS)}


spans = st.tuples(st.integers(100, 112), st.integers(100, 112)).map(
    lambda pair: Timespan(min(pair), max(pair) + 1)
) | st.sampled_from([Timespan.unbounded(), Timespan(MIN_NS, 105), Timespan(105, MAX_NS)])
detectors = st.lists(st.integers(0, DETECTORS - 1), unique=True, min_size=1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("certify"), st.sampled_from(RUNS), detectors, spans),
        st.tuples(st.just("decertify"), st.none(), detectors | st.none(), spans),
    ),
    max_size=8,
)
#: Instants at which validity is looked up; bounds of spans lie between them.
INSTANTS = [MIN_NS, *range(100, 114), MAX_NS - 1]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_validity_is_a_map_from_detector_and_instant_to_dataset(biases: World, steps: list) -> None:
    biases.decertify(Timespan.unbounded())
    model: dict[tuple[int, int], int] = {}

    for what, run, chosen, span in steps:
        instants = [t for t in INSTANTS if span.begin_ns <= t < span.end_ns]
        cells = [(d, t) for d in (range(DETECTORS) if chosen is None else chosen) for t in instants]
        if what == "decertify":
            biases.decertify(span, chosen)
            for cell in cells:
                model.pop(cell, None)
        elif any(cell in model for cell in cells):
            with pytest.raises(ValidityConflictError):
                biases.certify(run, chosen, span)
        else:
            biases.certify(run, chosen, span)
            model |= {(d, t): biases.keys[run][d] for d, t in cells}

    stored = biases.ranges()
    found = {(d, t): key for key, d, begin, end in stored for t in INSTANTS if begin <= t < end}
    assert found == model
    assert len(found) == sum(begin <= t < end for *_, begin, end in stored for t in INSTANTS)
