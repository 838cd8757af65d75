"""Ranks beside what they are defined to be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipetask.execution.ranking import critical_path, depth_first

Pairs = list[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], Pairs]:
    """Return the task of each quantum, in no order, and pairs from earlier to later tasks."""
    tasks = draw(st.lists(st.integers(0, 4), max_size=15))
    numbers = range(len(tasks))
    possible = [(a, b) for a in numbers for b in numbers if tasks[a] < tasks[b]]
    pairs = draw(st.lists(st.sampled_from(possible), max_size=40)) if possible else []
    return tasks, pairs


def longest_s(quantum: int, tasks: list[int], pairs: Pairs, durations_s: list[float]) -> float:
    """Return what the longest of all paths that begin with a quantum takes [s]."""
    rests = [longest_s(b, tasks, pairs, durations_s) for a, b in set(pairs) if a == quantum]
    return durations_s[tasks[quantum]] + max(rests, default=0.0)


#: Whole numbers, so that sums are exact.
DURATIONS_S = st.lists(st.integers(0, 100).map(float), min_size=5, max_size=7)


@given(graphs(), DURATIONS_S)
def test_critical_path_ranks_by_the_longest_of_all_paths(
    graph: tuple[list[int], Pairs], durations_s: list[float]
) -> None:
    tasks, pairs = graph

    ranks = critical_path(tasks, [a for a, _ in pairs], [b for _, b in pairs], durations_s)

    expected = [-longest_s(quantum, tasks, pairs, durations_s) for quantum in range(len(tasks))]
    assert ranks.dtype == np.float64
    assert ranks.tolist() == expected


@given(graphs(), DURATIONS_S)
def test_critical_path_puts_what_is_waited_for_first(
    graph: tuple[list[int], Pairs], durations_s: list[float]
) -> None:
    tasks, pairs = graph

    ranks = critical_path(tasks, [a for a, _ in pairs], [b for _, b in pairs], durations_s)

    assert all(ranks[a] <= ranks[b] for a, b in pairs)


def test_critical_path_of_one_long_quantum_outweighs_many_short_ones() -> None:
    # 0 waits for nothing and is long; 1, 2 and 3 follow each other and are short
    ranks = critical_path([3, 0, 1, 2], [1, 2], [2, 3], [1.0, 1.0, 1.0, 10.0])

    assert ranks.tolist() == [-10.0, -3.0, -2.0, -1.0]


@given(st.lists(st.integers(0, 1000)))
def test_depth_first_puts_later_tasks_first(tasks: list[int]) -> None:
    ranks = depth_first(tasks)

    order = np.argsort(ranks, kind="stable")
    assert ranks.dtype == np.float64
    assert order.tolist() == sorted(range(len(tasks)), key=lambda quantum: -tasks[quantum])


def test_ranks_of_nothing_are_none() -> None:
    assert critical_path([], [], [], []).tolist() == []
    assert depth_first([]).tolist() == []
