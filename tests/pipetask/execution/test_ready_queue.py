"""The queue of ready quanta beside a sorted list of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipetask.execution.ready_queue import ReadyQueue

#: Few different ranks, so that many quanta share one.
RANKS = st.sampled_from([0.0, -1.0, 1.5, float("inf"), float("-inf")])


class QueueBesideList(RuleBasedStateMachine):
    """Quanta are pushed and popped here and there, and must come out the same."""

    @initialize(data=st.data(), tasks=st.lists(st.integers(0, 3), max_size=20))
    def begin(self, data: st.DataObject, tasks: list[int]) -> None:
        self.tasks = tasks
        self.ranks = data.draw(st.lists(RANKS, min_size=len(tasks), max_size=len(tasks)))
        first = [q for q in range(len(tasks)) if data.draw(st.booleans())]
        shuffled = data.draw(st.permutations(first))
        self.queue = ReadyQueue(
            np.array(tasks, np.int64), np.array(self.ranks), np.array(shuffled, np.int64)
        )
        self.listed = first

    def firsts(self) -> dict[int, int]:
        """Return the first quantum of each task that has one, the first of all in front."""
        ordered = sorted(self.listed, key=lambda q: (self.ranks[q], q))
        firsts: dict[int, int] = {}
        for quantum in ordered:
            firsts.setdefault(self.tasks[quantum], quantum)
        return firsts

    @precondition(lambda self: len(self.listed) < len(self.tasks))
    @rule(data=st.data())
    def push(self, data: st.DataObject) -> None:
        absent = sorted(set(range(len(self.tasks))) - set(self.listed))
        quantum = data.draw(st.sampled_from(absent))
        self.queue.push(quantum)
        self.listed.append(quantum)

    @precondition(lambda self: self.listed)
    @rule(data=st.data())
    def pop(self, data: st.DataObject) -> None:
        task, quantum = data.draw(st.sampled_from(list(self.firsts().items())))
        assert self.queue.pop(task) == quantum
        self.listed.remove(quantum)

    @rule()
    def pop_all_of_the_first_task(self) -> None:
        for task in self.queue.tasks()[:1]:
            while self.queue.has(task):
                quantum = self.firsts()[task]
                assert self.queue.pop(task) == quantum
                self.listed.remove(quantum)

    @rule()
    def clear(self) -> None:
        self.queue.clear()
        self.listed.clear()

    @invariant()
    def has_what_the_list_has(self) -> None:
        firsts = self.firsts()
        assert len(self.queue) == len(self.listed)
        assert self.queue.tasks() == list(firsts)
        assert [task for task in range(4) if self.queue.has(task)] == sorted(firsts)
        assert {task: self.queue.peek(task) for task in firsts} == firsts


def test_a_queue_gives_what_a_sorted_list_gives() -> None:
    run_state_machine_as_test(QueueBesideList)


def test_quanta_come_by_rank_and_those_of_one_rank_by_number() -> None:
    tasks, ranks = np.zeros(5, np.int64), np.array([2.0, 1.0, 2.0, 1.0, 0.0])
    queue = ReadyQueue(tasks, ranks, np.array([3, 0, 4]))
    queue.push(2)
    queue.push(1)

    order = [queue.pop(0) for _ in range(5)]

    assert order == [4, 1, 3, 0, 2]


def test_a_queue_of_nothing_is_empty() -> None:
    empty = np.array([], np.int64)

    queue = ReadyQueue(empty, np.array([]), empty)

    assert len(queue) == 0
    assert queue.tasks() == []
    assert not queue.has(0)
