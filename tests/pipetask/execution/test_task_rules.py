"""Rules of tasks as the schedule keeps them: attempts, deaths, memory, cores."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from pipetask.execution.schedule import Cause, Schedule, Start, Verdict
from pipetask.execution.task_rules import Capacity, TaskRules
from tests.pipetask.execution.schedule_histories import History, Kind, histories, is_within


def started(schedule: Schedule, limit: int = 1) -> Start:
    """Take what must be there."""
    start = schedule.take(limit)
    assert start is not None
    return start


# --------------------------------------------------------------------- attempts
@given(histories(without=(Kind.CANCEL,), is_fail_fast=False))
def test_a_quantum_is_tried_again_as_often_as_the_rules_say(history: History) -> None:
    n_failed: Counter[int] = Counter()
    for step in history.of(Kind.FAIL):
        (quantum,) = step.quanta
        n_failed[quantum] += 1
        retries = history.world.rules[history.world.tasks[quantum]].retries
        is_free = step.cause is Cause.DEATH and n_failed[quantum] == 1
        assert step.verdict is not None
        assert step.verdict.is_retried == (is_free or n_failed[quantum] <= retries)

    assert {quantum: history.schedule.n_failures(quantum) for quantum in n_failed} == n_failed


@given(histories())
def test_every_start_comes_back_and_only_failures_count_as_attempts(history: History) -> None:
    back = [q for kind in (Kind.FINISH, Kind.FAIL) for q in history.quanta(kind)]
    undone = [q for kind in (Kind.REQUEUE, Kind.SUSPECT) for q in history.quanta(kind)]

    assert history.quanta(Kind.START) == sorted(back + undone)
    for quantum in history.world.chosen:
        n_failed = history.quanta(Kind.FAIL).count(quantum)
        assert history.schedule.n_failures(quantum) == n_failed


def test_a_quantum_whose_worker_died_is_tried_once_more_whatever_the_rules() -> None:
    schedule = Schedule([0, 1], [0], [1], rules=[TaskRules(retries=0)] * 2)
    started(schedule)

    first = schedule.fail(0, Cause.DEATH)
    again = started(schedule)
    second = schedule.fail(0, Cause.DEATH)

    assert first == Verdict(is_retried=True)
    assert again.is_suspect
    assert second == Verdict(is_retried=False, blocked=(1,))


@pytest.mark.parametrize("causes", [(Cause.DEATH, Cause.ERROR), (Cause.ERROR, Cause.DEATH)])
def test_what_is_tried_again_after_a_death_is_one_of_the_retries(
    causes: tuple[Cause, Cause],
) -> None:
    schedule = Schedule([0], [], [], rules=[TaskRules(retries=1)])
    verdicts = []

    for cause in causes:
        started(schedule)
        verdicts.append(schedule.fail(0, cause))

    assert verdicts == [Verdict(is_retried=True), Verdict(is_retried=False)]


# ----------------------------------------------------------------------- deaths
@given(histories())
def test_what_may_have_killed_its_worker_runs_next_and_alone(history: History) -> None:
    for step in history.of(Kind.START):
        assert step.start is not None
        suspects = history.suspects(step)
        may_start = not any(start.is_suspect for start in step.running)
        assert step.start.is_suspect == (bool(suspects) and may_start)
        if step.start.is_suspect:
            assert not (step.running and history.world.are_suspects_apart)
            assert len(step.quanta) == 1
            assert step.quanta[0] in suspects


@given(histories())
def test_nothing_starts_beside_a_suspect_that_runs_apart(history: History) -> None:
    for step in history.of(Kind.START):
        if history.world.are_suspects_apart:
            assert not any(start.is_suspect for start in step.running)
        assert sum(start.is_suspect for start in step.running) <= 1


def test_suspects_that_do_not_run_apart_keep_nothing_waiting() -> None:
    schedule = Schedule([0] * 5, [], [], are_suspects_apart=False)
    started(schedule, 2)
    started(schedule)
    schedule.suspect([0, 1])

    starts = [started(schedule), started(schedule), started(schedule)]
    schedule.fail(0, Cause.DEATH)
    again = started(schedule)

    assert [(s.quanta, s.is_suspect) for s in starts] == [
        ((0,), True), ((3,), False), ((4,), False),
    ]  # fmt: skip
    assert (again.quanta, again.is_suspect) == ((1,), True)


def test_suspects_run_one_by_one_in_the_order_in_which_they_came() -> None:
    schedule = Schedule([0, 0, 0, 0], [], [])
    started(schedule, 3)
    schedule.suspect([2, 0])
    schedule.fail(1, Cause.DEATH)

    order = []
    while start := schedule.take(4):
        assert schedule.take(4) is None
        order.append(start.quanta)
        for quantum in start.quanta:
            schedule.finish(quantum)

    assert order == [(2,), (0,), (1,), (3,)]


def test_a_suspect_waits_until_nothing_runs() -> None:
    schedule = Schedule([0, 0, 0], [], [])
    started(schedule)
    started(schedule)

    schedule.suspect([0])

    assert schedule.take(1) is None
    schedule.finish(1)
    assert started(schedule).quanta == (0,)


# ----------------------------------------------------------------------- memory
@given(histories())
def test_memory_grows_when_there_was_too_little_and_only_then(history: History) -> None:
    for step in history.of(Kind.START):
        assert step.start is not None
        for quantum in step.quanta:
            assert step.start.memory_mb == history.memory_mb(step, quantum)


def test_memory_grows_by_the_same_factor_each_time() -> None:
    rules = TaskRules(memory_mb=1000.0, retries=5, memory_factor=1.5)
    schedule = Schedule([0], [], [], rules=[rules])
    given_mb = []

    for cause in (Cause.MEMORY, Cause.ERROR, Cause.DEATH, Cause.TIMEOUT, Cause.MEMORY):
        given_mb.append(started(schedule).memory_mb)
        schedule.fail(0, cause)

    assert given_mb == [1000.0, 1500.0, 1500.0, 2250.0, 2250.0]
    assert schedule.memory_mb(0) == 3375.0


def test_what_needs_more_memory_waits_until_there_is_so_much() -> None:
    rules = TaskRules(memory_mb=100.0, retries=1, memory_factor=3.0)
    schedule = Schedule([0] * 4, [], [], rules=[rules], capacity=Capacity(9, 300.0))
    started(schedule)
    started(schedule)

    schedule.fail(0, Cause.MEMORY)

    assert schedule.take(1) is None
    schedule.finish(1)
    assert started(schedule, 3) == Start(0, (0,), 1, 300.0)


def test_what_needs_more_memory_ends_the_batch_before_it() -> None:
    rules = TaskRules(memory_mb=100.0, retries=1)
    schedule = Schedule([0] * 4, [], [], rules=[rules])
    started(schedule, 2)
    schedule.fail(1, Cause.MEMORY)
    schedule.requeue(0)

    batches = [started(schedule, 4) for _ in range(3)]

    assert [start.quanta for start in batches] == [(0,), (1,), (2, 3)]
    assert [start.memory_mb for start in batches] == [100.0, 200.0, 100.0]


def test_unbounded_memory_stays_unbounded() -> None:
    schedule = Schedule([0, 0], [], [], rules=[TaskRules(retries=1)])
    started(schedule)

    schedule.fail(0, Cause.MEMORY)

    assert started(schedule, 2) == Start(0, (0, 1), 1, None)


# --------------------------------------------------------------------- capacity
@given(histories())
def test_what_runs_together_fits_the_capacity(history: History) -> None:
    capacity = history.world.capacity
    for step in history.of(Kind.START):
        assert step.start is not None
        together = [*step.running, step.start]
        if capacity is not None and len(together) > 1:
            assert sum(start.cores for start in together) <= capacity.cores
            used_mb = sum(start.memory_mb or 0.0 for start in together)
            assert is_within(used_mb, capacity.memory_mb)


@given(histories())
def test_no_more_workers_are_at_a_task_than_may_be(history: History) -> None:
    for step in history.of(Kind.START):
        assert step.start is not None
        most = history.world.rules[step.start.task].max_concurrent
        there = [start for start in step.running if start.task == step.start.task]
        assert most is None or len(there) < most


@given(histories())
def test_nothing_starts_only_where_there_is_no_room(history: History) -> None:
    for step in history.of(Kind.NOTHING):
        if history.is_paused(step):
            continue
        suspects = history.suspects(step)
        if suspects and history.world.are_suspects_apart:
            assert step.running
        elif suspects and not any(start.is_suspect for start in step.running):
            assert not all(history.has_room(step, q) for q in suspects)
        else:
            assert not any(history.has_room(step, q) for q in history.firsts(step))


@pytest.mark.parametrize("too_large", [TaskRules(memory_mb=500.0), TaskRules(cores=4)])
def test_what_is_larger_than_the_capacity_runs_beside_nothing(too_large: TaskRules) -> None:
    schedule = Schedule([0, 1], [], [], rules=[TaskRules(), too_large], capacity=Capacity(2, 100.0))

    first = started(schedule)

    assert first.task == 1
    assert schedule.take(1) is None
    schedule.finish(1)
    assert started(schedule).task == 0


@pytest.mark.parametrize("memory_mb", [1000.0, 1073.741824, 0.1])
def test_as_many_start_as_there_is_memory_for(memory_mb: float) -> None:
    rules = [TaskRules(memory_mb=memory_mb, retries=1, memory_factor=1.3)]
    schedule = Schedule([0] * 200, [], [], rules=rules, capacity=Capacity(99, 16 * memory_mb))
    for quantum in range(16):
        assert started(schedule).quanta == (quantum,)
    for quantum in range(16):
        schedule.fail(quantum, Cause.MEMORY)
    for _ in range(16):
        schedule.finish(started(schedule).quanta[0])

    starts = [schedule.take(1) for _ in range(17)]

    assert [start is None for start in starts] == [False] * 16 + [True]
