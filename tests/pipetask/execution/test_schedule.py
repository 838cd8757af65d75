"""The schedule under random events: everything in its turn, to an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np
import pytest
from hypothesis import given

from pipetask.execution.schedule import Cause, Schedule, State, Verdict
from pipetask.execution.task_rules import TaskRules
from tests.pipetask.execution.schedule_histories import History, Kind, Step, histories

#: Histories in which failures have their usual effect, and nobody stops the run.
FAILING = {"without": (Kind.CANCEL,), "is_fail_fast": False, "are_failures_accepted": False}
ACCEPTING = {**FAILING, "are_failures_accepted": True}


def quanta_of(schedule: Schedule, limit: int) -> tuple[int, ...] | None:
    """Take, and return only which quanta started."""
    start = schedule.take(limit)
    return None if start is None else start.quanta


def finish_all(schedule: Schedule, quanta: Iterable[int]) -> None:
    for quantum in quanta:
        schedule.finish(quantum)


# ------------------------------------------------------------------- to the end
@given(histories())
def test_every_chosen_quantum_comes_to_an_end_and_no_other_starts(history: History) -> None:
    schedule = history.schedule

    ends = [State.DONE, State.FAILED, State.BLOCKED, State.CANCELLED]
    assert set().union(*map(history.ended, ends)) == history.world.chosen
    assert history.ended(State.LEFT_OUT).isdisjoint(history.world.chosen)
    assert set(history.quanta(Kind.START)) <= history.world.chosen
    assert (schedule.n_ready, schedule.n_running) == (0, 0)


@given(histories(without=(Kind.FAIL, Kind.REQUEUE, Kind.SUSPECT, Kind.CANCEL)))
def test_every_quantum_starts_once_and_is_done_if_nothing_goes_wrong(history: History) -> None:
    assert history.quanta(Kind.START) == sorted(history.world.chosen)
    assert history.ended(State.DONE) == history.world.chosen


@given(histories())
def test_what_is_done_never_starts_again(history: History) -> None:
    assert history.quanta(Kind.FINISH) == sorted(history.ended(State.DONE))
    for step in history.of(Kind.START):
        assert {step.states[q] for q in step.quanta} == {State.READY}


@given(histories(**FAILING) | histories(**ACCEPTING))
def test_a_quantum_is_ready_as_soon_as_all_it_needs_is_over(history: History) -> None:
    over = [State.DONE, State.FAILED] if history.world.are_failures_accepted else [State.DONE]
    for step in history.steps:
        for quantum, needs in history.world.needs.items():
            if step.states[quantum] in (State.READY, State.WAITING, State.RUNNING):
                is_over = all(step.states[each] in over for each in needs)
                assert (step.states[quantum] is not State.WAITING) == is_over


# --------------------------------------------------------------------- failures
@given(histories(**FAILING))
def test_failures_block_their_descendants_and_nothing_else(history: History) -> None:
    failed = history.ended(State.FAILED)
    below = set().union(*(history.world.descendants(quantum) for quantum in failed))

    assert history.ended(State.BLOCKED) == below
    assert history.ended(State.DONE) == history.world.chosen - below - failed


@given(histories(**FAILING))
def test_each_blocked_quantum_is_told_once(history: History) -> None:
    told = chain.from_iterable(step.verdict.blocked for step in history.steps if step.verdict)

    assert sorted(told) == sorted(history.ended(State.BLOCKED))


@given(histories(**ACCEPTING))
def test_accepted_failures_block_nothing(history: History) -> None:
    assert history.ended(State.DONE) | history.ended(State.FAILED) == history.world.chosen
    assert not any(step.verdict.blocked for step in history.steps if step.verdict)


@given(histories(is_fail_fast=True, are_failures_accepted=False))
def test_nothing_starts_after_the_first_final_failure_if_failing_fast(history: History) -> None:
    is_over = False
    for step in history.steps:
        assert not (is_over and step.kind is Kind.START)
        assert not (is_over and step.verdict is not None and step.verdict.is_retried)
        is_over |= step.verdict is not None and not step.verdict.is_retried

    assert history.schedule.is_cancelled == (is_over or history.has(Kind.CANCEL))
    assert not is_over or not history.ended(State.WAITING) | history.ended(State.READY)


# ------------------------------------------------------------------------ order
def ordinary_starts(history: History) -> list[Step]:
    return [step for step in history.of(Kind.START) if step.start and not step.start.is_suspect]


@given(histories())
def test_of_what_there_is_room_for_the_first_in_rank_starts(history: History) -> None:
    for step in ordinary_starts(history):
        assert step.quanta[0] == next(q for q in history.firsts(step) if history.has_room(step, q))


@given(histories())
def test_a_batch_is_of_one_task_in_its_order_and_as_long_as_asked_for(history: History) -> None:
    for step in ordinary_starts(history):
        task = history.world.tasks[step.quanta[0]]
        ready = [q for q in history.unsuspected(step) if history.world.tasks[q] == task]
        needs_more = [
            history.memory_mb(step, q) != history.world.rules[task].memory_mb for q in ready
        ]
        n_usual = needs_more.index(True) if any(needs_more) else len(ready)
        assert step.start is not None
        assert step.start.task == task
        assert list(step.quanta) == ready[: max(1, min(step.limit, n_usual))]


def test_of_what_is_ready_the_latest_task_comes_first() -> None:
    schedule = Schedule([0, 0, 0, 1, 1, 1], [0, 1, 2], [3, 4, 5])
    assert quanta_of(schedule, 2) == (0, 1)
    schedule.finish(0)

    assert schedule.next_task() == 1
    assert quanta_of(schedule, 5) == (3,)
    assert quanta_of(schedule, 5) == (2,)


# ---------------------------------------------------------- pause, cancel, return
@given(histories())
def test_nothing_starts_while_paused(history: History) -> None:
    assert not any(history.is_paused(step) for step in history.of(Kind.START))


def test_a_paused_schedule_is_finished_when_nothing_runs_until_it_is_resumed() -> None:
    schedule = Schedule([0, 0], [], [])
    schedule.take(1)

    schedule.pause()
    is_finished_early = schedule.is_finished
    schedule.finish(0)

    assert not is_finished_early
    assert schedule.is_finished
    assert schedule.take(1) is None
    schedule.resume()
    assert not schedule.is_finished
    assert quanta_of(schedule, 1) == (1,)


@given(histories())
def test_once_cancelled_only_what_runs_comes_to_another_end(history: History) -> None:
    first = next((step for step in history.of(Kind.CANCEL)), None)
    if first is None:
        return
    later = history.steps[[step is first for step in history.steps].index(True) :]
    came_back = {q: step.kind for step in later for q in step.quanta}

    ends = {Kind.FINISH: State.DONE, Kind.FAIL: State.FAILED}
    for quantum, state in enumerate(first.states):
        if state is State.RUNNING:
            end = ends.get(came_back[quantum], State.CANCELLED)
        else:
            is_stopped = state in (State.WAITING, State.READY)
            end = State.CANCELLED if is_stopped else state
        assert history.schedule.state(quantum) is end


def test_once_cancelled_nothing_is_tried_again() -> None:
    schedule = Schedule([0] * 6, [], [], rules=[TaskRules(retries=9)])
    schedule.take(5)

    schedule.cancel()
    schedule.finish(0)
    verdicts = [schedule.fail(1), schedule.fail(2, Cause.DEATH)]
    schedule.requeue(3)
    schedule.suspect([4])

    assert verdicts == [Verdict(is_retried=False)] * 2
    ends = [State.DONE, State.FAILED, State.FAILED] + [State.CANCELLED] * 3
    assert [schedule.state(quantum) for quantum in range(6)] == ends
    assert schedule.is_finished
    assert schedule.take(1) is None


def test_what_comes_back_undone_is_ready_again_and_has_not_failed() -> None:
    schedule = Schedule([0, 0, 0], [], [])
    schedule.take(3)

    schedule.requeue(1)
    schedule.suspect([2])

    assert [schedule.state(q) for q in (1, 2)] == [State.READY, State.READY]
    assert [schedule.n_failures(q) for q in (1, 2)] == [0, 0]
    assert (schedule.n_ready, schedule.n_running) == (2, 1)


@pytest.mark.parametrize(
    "event", [Schedule.finish, Schedule.fail, Schedule.requeue, lambda s, q: s.suspect([q])]
)
@pytest.mark.parametrize("quantum", range(4))
def test_an_event_for_a_quantum_that_does_not_run_is_an_error_and_changes_nothing(
    event: Callable[[Schedule, int], object], quantum: int
) -> None:
    schedule = Schedule([0, 0, 0, 1], [0, 1], [3, 3], chosen=[0, 1, 3])
    finish_all(schedule, quanta_of(schedule, 1) or ())
    states = [schedule.state(q) for q in range(4)]
    assert states == [State.DONE, State.READY, State.LEFT_OUT, State.WAITING]

    with pytest.raises(ValueError, match=f"quantum {quantum} is {states[quantum].name}, not RUN"):
        event(schedule, quantum)

    assert [schedule.state(q) for q in range(4)] == states
    assert schedule.n_failures(quantum) == 0
    assert (schedule.n_ready, schedule.n_running) == (1, 0)


# ------------------------------------------------------------------------- sizes
def test_a_schedule_of_nothing_is_finished() -> None:
    schedule = Schedule([], [], [])

    assert schedule.is_finished
    assert schedule.take(1) is None


def test_wide_gathers_among_many_quanta_start_when_all_they_gather_is_done() -> None:
    n_first, width = 100_000, 1_000
    n_gathers = n_first // width
    first, gathers = np.arange(n_first), 200_000 - n_gathers + np.arange(n_gathers)
    tasks = np.repeat([0, 1, 2], [n_first, n_first - n_gathers, n_gathers])
    before = np.concatenate([first[: n_first - n_gathers], first])
    after = np.concatenate([n_first + first[: n_first - n_gathers], gathers.repeat(width)])
    schedule = Schedule(tasks, before, after)
    n_done = Counter[int]()

    while start := schedule.take(64):
        if start.task == 2:
            assert n_done[0] >= width * (start.quanta[-1] - gathers[0] + 1)
        finish_all(schedule, start.quanta)
        n_done[start.task] += len(start.quanta)

    assert schedule.is_finished
    assert n_done == {0: n_first, 1: n_first - n_gathers, 2: n_gathers}
    assert len(schedule.numbers(State.DONE)) == 200_000
