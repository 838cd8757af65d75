"""Batches are as long as a trip to a worker is worth, and leave something for every worker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipetask.execution.batch_size import BatchSizes
from pipetask.execution.quantum_work import Outcome, QuantumResult

#: More than anybody asks for in these tests.
MANY = 1_000_000
DURATIONS_S = st.floats(0.0, 1000.0)


def sizes_after(
    elapsed_s: list[float], *, n_workers: int = 1, most: int = MANY, label: str = "isr"
) -> BatchSizes:
    """Return what learnt that quanta of a task took so long [s], one after another."""
    sizes = BatchSizes(n_workers, most)
    for each_s in elapsed_s:
        sizes.learn(QuantumResult(0, label, {}, Outcome.SUCCEEDED, elapsed_s=each_s))
    return sizes


@given(st.lists(DURATIONS_S), st.integers(1, 64), st.integers(1, 100), st.integers(0, MANY))
def test_a_batch_is_never_empty_nor_longer_than_it_may_be(
    elapsed_s: list[float], n_workers: int, most: int, n_ready: int
) -> None:
    size = sizes_after(elapsed_s, n_workers=n_workers, most=most).of("isr", n_ready)

    assert 1 <= size <= most
    assert size <= max(1, n_ready / (2 * n_workers))


@given(st.lists(DURATIONS_S), st.integers(1, 64), st.integers(1, 100), st.integers(0, MANY))
def test_quanta_of_a_task_that_nobody_knows_go_one_by_one(
    elapsed_s: list[float], n_workers: int, most: int, n_ready: int
) -> None:
    sizes = sizes_after(elapsed_s, n_workers=n_workers, most=most, label="characterize")

    assert sizes.of("isr", n_ready) == 1


@pytest.mark.parametrize(
    ("elapsed_s", "size"),
    [(0.0, 2000), (1e-5, 2000), (0.001, 200), (0.03, 6), (0.11, 1), (0.3, 1), (3600.0, 1)],
)
def test_a_batch_takes_a_fifth_of_a_second(elapsed_s: float, size: int) -> None:
    sizes = sizes_after([elapsed_s] * 3)

    assert sizes.of("isr", MANY) == size


@given(st.lists(DURATIONS_S, min_size=1))
def test_a_batch_is_as_for_a_duration_between_the_shortest_and_the_longest(
    elapsed_s: list[float],
) -> None:
    size = sizes_after(elapsed_s).of("isr", MANY)

    # a mean may be off by a rounding error
    smallest = sizes_after([max(elapsed_s) * (1 + 1e-9)]).of("isr", MANY)
    largest = sizes_after([min(elapsed_s) * (1 - 1e-9)]).of("isr", MANY)
    assert smallest <= size <= largest


@given(st.floats(0.001, 0.1), st.floats(0.001, 0.1))
def test_a_new_duration_is_learnt_bit_by_bit_and_then_wholly(old_s: float, new_s: float) -> None:
    old, new = (sizes_after([each_s]).of("isr", MANY) for each_s in (old_s, new_s))

    once = sizes_after([old_s, new_s]).of("isr", MANY)
    often = sizes_after([old_s] + [new_s] * 100).of("isr", MANY)

    assert min(old, new) - 1 <= once <= max(old, new) + 1
    assert abs(often - new) <= 1


def test_one_slow_quantum_changes_a_batch_a_little() -> None:
    sizes = sizes_after([0.01] * 10 + [0.058])

    assert sizes.of("isr", MANY) == 10


@given(DURATIONS_S, st.integers(1, 64), st.lists(st.integers(0, 10_000), min_size=2))
def test_a_batch_grows_with_what_is_ready(
    elapsed_s: float, n_workers: int, n_ready: list[int]
) -> None:
    sizes = sizes_after([elapsed_s], n_workers=n_workers)

    found = [sizes.of("isr", each) for each in sorted(n_ready)]

    assert found == sorted(found)


def test_no_batch_is_longer_than_the_longest() -> None:
    sizes = sizes_after([0.001], most=64)

    assert sizes.of("isr", MANY) == 64


@pytest.mark.parametrize(("n_ready", "size"), [(0, 1), (7, 1), (8, 1), (16, 2), (800, 100)])
def test_half_of_what_is_ready_stays_for_others(n_ready: int, size: int) -> None:
    sizes = sizes_after([0.0001], n_workers=4)

    assert sizes.of("isr", n_ready) == size
