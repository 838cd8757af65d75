"""The schedule on random graphs: everything once, after what it needs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipetask.execution.schedule import Schedule, State


@dataclass
class Dag:
    tasks: list[int]
    pairs: list[tuple[int, int]]

    def schedule(self, chosen: set[int] | None = None) -> Schedule:
        before, after = [a for a, _ in self.pairs], [b for _, b in self.pairs]
        return Schedule(self.tasks, before, after, chosen=chosen)

    def needs(self, quantum: int) -> set[int]:
        return {a for a, b in self.pairs if b == quantum}

    def descendants(self, quantum: int) -> set[int]:
        found: set[int] = set()
        queue = [quantum]
        while queue:
            new = {b for a, b in self.pairs if a == queue[-1]} - found
            queue.pop()
            found |= new
            queue += new
        return found


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    """Return a graph whose quanta are numbered task by task, as those of a quantum graph are."""
    sizes = draw(st.lists(st.integers(0, 6), min_size=1, max_size=5))
    tasks = [task for task, size in enumerate(sizes) for _ in range(size)]
    possible = [(a, b) for a in range(len(tasks)) for b in range(len(tasks)) if tasks[a] < tasks[b]]
    pairs = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    return Dag(tasks, pairs)


@settings(deadline=None)
@given(dags(), st.data())
def test_every_quantum_runs_once_after_all_it_needs(dag: Dag, data: st.DataObject) -> None:
    schedule = dag.schedule()
    done: list[int] = []
    running: list[int] = []
    while not schedule.is_finished:
        if schedule.n_ready and (not running or data.draw(st.booleans())):
            taken = schedule.take(data.draw(st.integers(1, 4)))
            assert taken
            assert len({dag.tasks[q] for q in taken}) == 1
            for quantum in taken:
                assert dag.needs(quantum) <= set(done)
            running += taken
        else:
            quantum = running.pop(data.draw(st.integers(0, len(running) - 1)))
            schedule.finish(quantum)
            done.append(quantum)
        assert schedule.n_running == len(running)

    assert sorted(done) == list(range(len(schedule)))
    assert schedule.numbers(State.DONE) == list(range(len(schedule)))


@settings(deadline=None)
@given(dags(), st.data())
def test_failures_block_their_descendants_and_nothing_else(dag: Dag, data: st.DataObject) -> None:
    schedule = dag.schedule()
    failed: set[int] = set()
    blocked: list[int] = []
    while not schedule.is_finished:
        for quantum in schedule.take(3):
            if data.draw(st.booleans(), label=f"quantum {quantum} fails"):
                failed.add(quantum)
                blocked += schedule.fail(quantum)
            else:
                schedule.finish(quantum)

    below = set().union(*(dag.descendants(quantum) for quantum in failed))
    assert sorted(blocked) == sorted(below)
    assert set(schedule.numbers(State.BLOCKED)) == below
    assert set(schedule.numbers(State.FAILED)) == failed
    assert set(schedule.numbers(State.DONE)) == set(range(len(schedule))) - below - failed


@settings(deadline=None)
@given(dags(), st.integers(0, 10))
def test_cancelling_starts_nothing_more(dag: Dag, n_steps: int) -> None:
    schedule = dag.schedule()
    for _ in range(n_steps):
        for quantum in schedule.take(2):
            schedule.finish(quantum)
    running = schedule.take(3)

    cancelled = schedule.cancel()

    assert schedule.n_ready == 0
    assert schedule.take(5) == []
    for i, quantum in enumerate(running):
        (schedule.finish, schedule.fail, schedule.requeue)[i % 3](quantum)
    assert schedule.is_finished
    assert schedule.take(5) == []
    assert set(cancelled) <= set(schedule.numbers(State.CANCELLED))
    ends = (State.DONE, State.FAILED, State.CANCELLED)
    assert sum(len(schedule.numbers(state)) for state in ends) == len(schedule)


@settings(deadline=None)
@given(dags(), st.data())
def test_requeued_quanta_run_again(dag: Dag, data: st.DataObject) -> None:
    schedule = dag.schedule()
    lost: set[int] = set()
    while not schedule.is_finished:
        for quantum in schedule.take(2):
            if quantum not in lost and data.draw(st.booleans()):
                lost.add(quantum)
                schedule.requeue(quantum)
                assert schedule.state(quantum) is State.READY
            else:
                schedule.finish(quantum)

    assert len(schedule.numbers(State.DONE)) == len(schedule)


@settings(deadline=None)
@given(dags(), st.data())
def test_chosen_quanta_wait_for_no_others(dag: Dag, data: st.DataObject) -> None:
    numbers = range(len(dag.tasks))
    chosen = {q for q in numbers if data.draw(st.booleans())}
    schedule = dag.schedule(chosen)
    done: set[int] = set()
    while not schedule.is_finished:
        for quantum in schedule.take(3):
            assert dag.needs(quantum) & chosen <= done
            schedule.finish(quantum)
            done.add(quantum)

    assert done == chosen


def test_of_what_is_ready_the_latest_task_comes_first() -> None:
    schedule = Schedule([0, 0, 0, 1, 1, 1], [0, 1, 2], [3, 4, 5])
    assert schedule.take(2) == [0, 1]
    schedule.finish(0)

    assert schedule.next_task() == 1
    assert schedule.take(5) == [3]
    assert schedule.take(5) == [2]


def test_an_event_for_a_quantum_that_does_not_run_is_an_error() -> None:
    schedule = Schedule([0, 0], [0], [1])

    with pytest.raises(ValueError, match="quantum 1 is WAITING, not RUNNING"):
        schedule.finish(1)


def test_a_schedule_of_nothing_is_finished() -> None:
    assert Schedule([], [], []).is_finished
