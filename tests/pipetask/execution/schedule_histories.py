"""Schedules of random graphs under random events, and what was there at each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, TypeVar

from hypothesis import strategies as st

from pipetask.execution.schedule import Cause, Schedule, Start, State, Verdict
from pipetask.execution.task_rules import Capacity, TaskRules

_T = TypeVar("_T")

#: So often something other than a start, a success or a failure happens in one history.
MOST_DISTURBANCES = 6


class Kind(Enum):
    """What happened in a step."""

    START = "start"
    #: Something was asked for, and nothing could start.
    NOTHING = "nothing"
    FINISH = "finish"
    FAIL = "fail"
    REQUEUE = "requeue"
    SUSPECT = "suspect"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


#: Kinds that a history may do without.
TROUBLES = (Kind.FAIL, Kind.REQUEUE, Kind.SUSPECT, Kind.PAUSE, Kind.CANCEL)


@dataclass(frozen=True)
class World:
    """Quanta numbered task by task, as those of a quantum graph are, and rules for them."""

    tasks: list[int]
    pairs: list[tuple[int, int]]
    chosen: frozenset[int]
    rules: list[TaskRules]
    capacity: Capacity | None = None
    ranks: list[float] | None = None
    is_fail_fast: bool = False
    are_failures_accepted: bool = False
    are_suspects_apart: bool = True

    def schedule(self) -> Schedule:
        return Schedule(
            self.tasks,
            [a for a, _ in self.pairs],
            [b for _, b in self.pairs],
            chosen=self.chosen,
            rules=self.rules,
            capacity=self.capacity,
            ranks=self.ranks,
            is_fail_fast=self.is_fail_fast,
            are_failures_accepted=self.are_failures_accepted,
            are_suspects_apart=self.are_suspects_apart,
        )

    @cached_property
    def needs(self) -> dict[int, set[int]]:
        """What each chosen quantum waits for."""
        return {q: {a for a, b in self.pairs if b == q} & self.chosen for q in self.chosen}

    def descendants(self, quantum: int) -> set[int]:
        direct = {q for q, needs in self.needs.items() if quantum in needs}
        return direct.union(*(self.descendants(q) for q in direct))

    def rank(self, quantum: int) -> tuple[float, int]:
        """Return a key that puts quanta in the order in which they should start."""
        rank = -self.tasks[quantum] if self.ranks is None else self.ranks[quantum]
        return rank, quantum


@dataclass(frozen=True)
class Step:
    """One event or instruction, and what was there just before."""

    kind: Kind
    states: list[State]
    #: Starts that were not wholly back.
    running: list[Start]
    #: The quanta that started or came back.
    quanta: tuple[int, ...] = ()
    start: Start | None = None
    limit: int = 0
    cause: Cause | None = None
    verdict: Verdict | None = None

    def standing(self, state: State) -> list[int]:
        return [q for q, each in enumerate(self.states) if each is state]


@dataclass(frozen=True)
class History:
    """All that happened to a schedule until it was finished."""

    world: World
    schedule: Schedule
    steps: list[Step]

    def of(self, *kinds: Kind) -> list[Step]:
        return [step for step in self.steps if step.kind in kinds]

    def has(self, kind: Kind) -> bool:
        return bool(self.of(kind))

    def before(self, step: Step) -> Iterator[Step]:
        """Go through the steps before one, the last first."""
        place = next(i for i, each in enumerate(self.steps) if each is step)
        return reversed(self.steps[:place])

    def quanta(self, kind: Kind) -> list[int]:
        """Return the quanta that something happened to, as often as it did, in order."""
        return sorted(q for step in self.of(kind) for q in step.quanta)

    def ended(self, state: State) -> set[int]:
        return set(self.schedule.numbers(state))

    def firsts(self, step: Step) -> list[int]:
        """Return the first ready quantum of each task before a step, by rank; no suspects."""
        firsts: dict[int, int] = {}
        for quantum in self.unsuspected(step):
            firsts.setdefault(self.world.tasks[quantum], quantum)
        return list(firsts.values())

    def is_paused(self, step: Step) -> bool:
        kinds = (each.kind for each in self.before(step))
        return next((k for k in kinds if k in (Kind.PAUSE, Kind.RESUME)), None) is Kind.PAUSE

    def is_suspect(self, step: Step, quantum: int) -> bool:
        """Return whether the last that was heard of a quantum is that a worker died."""
        last = next((each for each in self.before(step) if quantum in each.quanta), None)
        return last is not None and (last.kind is Kind.SUSPECT or last.cause is Cause.DEATH)

    def suspects(self, step: Step) -> list[int]:
        return [q for q in step.standing(State.READY) if self.is_suspect(step, q)]

    def unsuspected(self, step: Step) -> list[int]:
        """Return what is ready and killed nothing, by rank."""
        ready = set(step.standing(State.READY)) - set(self.suspects(step))
        return sorted(ready, key=self.world.rank)

    def n_grown(self, step: Step, quantum: int) -> int:
        """Return how often a quantum had too little memory before a step."""
        causes = (Cause.MEMORY, Cause.DEATH)
        return sum(e.quanta == (quantum,) and e.cause in causes for e in self.before(step))

    def memory_mb(self, step: Step, quantum: int) -> float | None:
        """Return the memory that the rules give a quantum that starts in a step [MB]."""
        rules = self.world.rules[self.world.tasks[quantum]]
        grown = rules.memory_factor ** self.n_grown(step, quantum)
        return None if rules.memory_mb is None else rules.memory_mb * grown

    def has_room(self, step: Step, quantum: int) -> bool:
        """Return whether a quantum may start beside what runs before a step."""
        task, running = self.world.tasks[quantum], step.running
        rules, capacity = self.world.rules[task], self.world.capacity
        n_there = sum(start.task == task for start in running)
        if rules.max_concurrent is not None and n_there >= rules.max_concurrent:
            return False
        if self.world.are_suspects_apart and any(start.is_suspect for start in running):
            return False
        if capacity is None or not running:
            return True
        if sum(start.cores for start in running) + rules.cores > capacity.cores:
            return False
        used_mb = math.fsum(start.memory_mb or 0.0 for start in running)
        return is_within(used_mb + (self.memory_mb(step, quantum) or 0.0), capacity.memory_mb)


def is_within(used_mb: float, bound_mb: float | None) -> bool:
    return bound_mb is None or used_mb <= bound_mb * (1 + 1e-9)


class Simulation:
    """Makes random events happen to a schedule until it is finished.

    Each choice takes a byte, which is many times faster than to draw it; without
    further bytes it is always the first that is possible.
    """

    def __init__(self, world: World, troubles: set[Kind], choices: bytes) -> None:
        self.schedule = world.schedule()
        self._world, self._troubles, self._choices = world, troubles, iter(choices)
        self._steps: list[Step] = []
        #: Quanta that are out, each with its start.
        self._out: dict[int, Start] = {}
        self._is_paused = False
        self._n_disturbances = 0

    def run(self) -> History:
        attempts = sum(max(self._world.rules[task].retries, 1) + 1 for task in self._world.tasks)
        most_steps = 4 * (attempts + MOST_DISTURBANCES * (len(self._world.tasks) + 1))
        while not self.schedule.is_finished or self._is_paused:
            assert len(self._steps) < most_steps, "it goes on and on"
            able = self._able()
            assert able, "nothing runs and nothing starts"
            self._choose(able)()
        return History(self._world, self.schedule, self._steps)

    def _choose(self, options: Sequence[_T]) -> _T:
        return options[next(self._choices, 0) % len(options)]

    def _able(self) -> list[Callable[[], None]]:
        """Return what can happen next; a thing that stands there twice is twice as likely."""
        able: list[Callable[[], None]] = []
        if not self._steps or self._steps[-1].kind is not Kind.NOTHING:
            able += [self._take, self._take]
        if self._out:
            able.append(self._finish)
        if self._out and Kind.FAIL in self._troubles:
            able.append(self._fail)
        if self._is_paused:
            able.append(self._resume)
        if self._n_disturbances < MOST_DISTURBANCES and self._choose(range(4)) == 1:
            able += self._disturbances()
        return able

    def _disturbances(self) -> Iterator[Callable[[], None]]:
        possible = {Kind.CANCEL: self._cancel}
        if not self._is_paused:
            possible[Kind.PAUSE] = self._pause
        if self._out:
            possible |= {Kind.REQUEUE: self._requeue, Kind.SUSPECT: self._suspect}
        return (event for kind, event in possible.items() if kind in self._troubles)

    def _note(self, kind: Kind, quanta: tuple[int, ...] = (), **facts: Any) -> None:
        states = [self.schedule.state(q) for q in range(len(self.schedule))]
        running = list({id(start): start for start in self._out.values()}.values())
        assert self.schedule.n_running == len(self._out)
        self._steps.append(Step(kind, states, running, quanta, **facts))

    def _take(self) -> None:
        self._note(Kind.NOTHING)
        task, limit = self.schedule.next_task(), self._choose([1, 2, 3, 4])

        start = self.schedule.take(limit)

        assert task == (None if start is None else start.task)
        if start is not None:
            before = self._steps.pop()
            self._steps.append(
                replace(before, kind=Kind.START, quanta=start.quanta, start=start, limit=limit)
            )
            self._out |= dict.fromkeys(start.quanta, start)

    def _come_back(self, kind: Kind, **facts: Any) -> int:
        quantum = self._choose(sorted(self._out))
        self._note(kind, (quantum,), **facts)
        del self._out[quantum]
        return quantum

    def _finish(self) -> None:
        self.schedule.finish(self._come_back(Kind.FINISH))

    def _fail(self) -> None:
        cause = self._choose(list(Cause))
        verdict = self.schedule.fail(self._come_back(Kind.FAIL, cause=cause), cause)
        self._steps[-1] = replace(self._steps[-1], verdict=verdict)

    def _requeue(self) -> None:
        self._n_disturbances += 1
        self.schedule.requeue(self._come_back(Kind.REQUEUE))

    def _suspect(self) -> None:
        self._n_disturbances += 1
        quanta = {self._choose(sorted(self._out)) for _ in range(self._choose([1, 2, 3]))}
        self._note(Kind.SUSPECT, tuple(quanta))
        for quantum in quanta:
            del self._out[quantum]
        self.schedule.suspect(quanta)

    def _pause(self) -> None:
        self._n_disturbances += 1
        self._note(Kind.PAUSE)
        self._is_paused = True
        self.schedule.pause()

    def _resume(self) -> None:
        self._note(Kind.RESUME)
        self._is_paused = False
        self.schedule.resume()

    def _cancel(self) -> None:
        self._n_disturbances += 1
        self._note(Kind.CANCEL)
        self.schedule.cancel()


_RULES = st.builds(
    TaskRules,
    cores=st.integers(1, 3),
    memory_mb=st.none() | st.sampled_from([0.1, 100.0, 300.0]),
    max_concurrent=st.none() | st.integers(1, 3),
    retries=st.sampled_from([0, 1, 3]),
    memory_factor=st.sampled_from([1.5, 2.0, 3.0]),
)
_CAPACITIES = st.builds(
    Capacity, cores=st.integers(1, 5), memory_mb=st.none() | st.sampled_from([0.3, 200.0, 900.0])
)


@st.composite
def worlds(draw: st.DrawFn, **fixed: Any) -> World:
    sizes = draw(st.lists(st.sampled_from([1, 0, 2, 3, 5, 8]), min_size=2, max_size=4))
    tasks = [task for task, size in enumerate(sizes) for _ in range(size)]
    n = len(tasks)
    possible = [(a, b) for b in range(n) for a in range(b) if tasks[a] < tasks[b]]
    world = World(
        tasks,
        draw(some_of(possible, one_in=draw(st.sampled_from([2, 4, 8])))),
        frozenset(range(n)) - set(draw(some_of(range(n), one_in=draw(st.sampled_from([8, 4]))))),
        [draw(_RULES) for _ in sizes],
        draw(st.none() | _CAPACITIES),
        draw(st.none() | st.lists(st.integers(-2, 2), min_size=n, max_size=n)),
        is_fail_fast=draw(st.booleans()),
        are_suspects_apart=draw(st.booleans()),
    )
    return replace(world, **{"are_failures_accepted": draw(st.booleans()), **fixed})


def some_of(options: Sequence[_T], *, one_in: int) -> st.SearchStrategy[list[_T]]:
    """Return a part of something, in its order."""
    n = len(options)
    return st.binary(min_size=n, max_size=n).map(
        lambda choices: [o for o, c in zip(options, choices, strict=True) if c % one_in == 1]
    )


@st.composite
def histories(draw: st.DrawFn, *, without: tuple[Kind, ...] = (), **fixed: Any) -> History:
    """Return a history of a world; fields of the world can be fixed, and kinds of step ruled out."""
    troubles = set(draw(some_of(TROUBLES, one_in=2))).difference(without)
    choices = draw(st.binary(min_size=300, max_size=600))
    return Simulation(draw(worlds(**fixed)), troubles, choices).run()
