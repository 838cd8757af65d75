"""Decides what runs next. Starts nothing; knows no process, clock or disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pipetask.execution.ranking import depth_first
from pipetask.execution.ready_queue import ReadyQueue
from pipetask.execution.task_rules import Capacity, TaskRules


class State(Enum):
    """Where a quantum stands."""

    WAITING = 0
    READY = 1
    RUNNING = 2
    #: It succeeded, or found no work.
    DONE = 3
    FAILED = 4
    #: Something it needs failed.
    BLOCKED = 5
    CANCELLED = 6
    #: It was not chosen to run.
    LEFT_OUT = 7


_WAITING, _READY, _RUNNING, _DONE, _FAILED, _BLOCKED, _CANCELLED, _LEFT_OUT = (
    s.value for s in State
)


class Cause(Enum):
    """Why an attempt at a quantum failed."""

    ERROR = "error"
    #: It had too little memory.
    MEMORY = "memory"
    TIMEOUT = "timeout"
    #: Its worker died of it.
    DEATH = "death"


#: A quantum whose worker died is tried once more, even where nothing else is: it may have been
#: another's fault, such as the system's when memory is short.
_FREE_DEATHS = 1

#: By so much a sum of memory may be wrong, as binary fractions are rounded.
_ROUNDING_MB = 1e-3


@dataclass(frozen=True, slots=True)
class Start:
    """Quanta of one task that one worker is to run, one after another."""

    task: int
    quanta: tuple[int, ...]
    cores: int
    #: Memory that each of them may use [MB]; None if it is not bounded.
    memory_mb: float | None
    #: Whether a worker died when its quantum ran before. No other suspect runs beside it, nor
    #: anything else if suspects run apart.
    is_suspect: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a failure means."""

    #: Whether the quantum will be tried again.
    is_retried: bool
    #: Quanta that can never run because of it.
    blocked: tuple[int, ...] = ()


class Schedule:
    """Events in (`finish`, `fail`, `requeue`, `suspect`, `cancel`), instructions out (`take`).

    Quanta are numbers from 0; later tasks have higher ones.

    Parameters
    ----------
    tasks
        Number of the task of each quantum, shape (n,).
    before, after
        ``after[i]`` waits for ``before[i]``, shape (m,) each, no pair twice.
    chosen
        The quanta to run; all if None. They do not wait for others.
    rules
        Rules of each task, by its number; the defaults if None.
    capacity
        What there is to run on; without bounds if None.
    ranks
        Quanta of lower rank start first, shape (n,); depth first if None.
    is_fail_fast
        Whether nothing more is started once a quantum has failed for good.
    are_failures_accepted
        Whether what waits for a quantum runs without it when it has failed.
    are_suspects_apart
        Whether nothing runs beside a quantum that may have killed its worker; else just no other
        such quantum does.
    """

    def __init__(
        self,
        tasks: Sequence[int],
        before: Sequence[int],
        after: Sequence[int],
        *,
        chosen: Iterable[int] | None = None,
        rules: Sequence[TaskRules] | None = None,
        capacity: Capacity | None = None,
        ranks: Any = None,
        is_fail_fast: bool = False,
        are_failures_accepted: bool = False,
        are_suspects_apart: bool = True,
    ) -> None:
        import numpy as np

        self._n = len(tasks)
        numbers = np.asarray(tasks, dtype=np.int64)
        n_tasks = int(numbers.max()) + 1 if self._n else 0
        self._rules = list(rules) if rules is not None else [TaskRules()] * n_tasks
        self._capacity = capacity
        self._is_fail_fast = is_fail_fast
        self._are_failures_accepted = are_failures_accepted
        self._are_suspects_apart = are_suspects_apart
        is_chosen = np.ones(self._n, dtype=bool)
        if chosen is not None:
            is_chosen[:] = False
            is_chosen[list(chosen)] = True
        self._link(np.asarray(before, np.int64), np.asarray(after, np.int64), is_chosen)
        self._state = bytearray(self._n)
        view = np.frombuffer(self._state, dtype=np.int8)
        view[~is_chosen] = _LEFT_OUT
        first = np.flatnonzero((self._missing == 0) & is_chosen)
        view[first] = _READY
        self._states = view
        ranks = depth_first(numbers) if ranks is None else ranks
        self._ready = ReadyQueue(numbers, ranks, first)
        self._suspects: deque[int] = deque()
        #: The start that each running quantum belongs to, and how many of each are left.
        self._start_of: dict[int, Start] = {}
        self._left: dict[int, int] = {}
        self._tasks = numbers
        self._running = [0] * n_tasks
        self._cores = 0
        self._memory_mb = 0.0
        self._failures: dict[int, int] = {}
        self._memory_factors: dict[int, float] = {}
        self._is_paused = self._is_cancelled = False
        #: The start of the one suspect that runs.
        self._suspected: Start | None = None

    def _link(self, before: Any, after: Any, is_chosen: Any) -> None:
        import numpy as np

        both = is_chosen[before] & is_chosen[after]
        before, after = before[both], after[both]
        self._after = after[np.argsort(before, kind="stable")]
        counts = np.bincount(before, minlength=self._n)
        self._starts = np.concatenate(([0], np.cumsum(counts)))
        self._missing = np.bincount(after, minlength=self._n)

    def __len__(self) -> int:
        return self._n

    @property
    def n_ready(self) -> int:
        """How many quanta could start now, resources permitting."""
        return len(self._ready) + len(self._suspects)

    @property
    def n_running(self) -> int:
        """How many quanta were taken and have not come back."""
        return len(self._start_of)

    @property
    def is_finished(self) -> bool:
        """Whether nothing runs and nothing can start."""
        return not self._start_of and (self._is_paused or not self.n_ready)

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_cancelled

    def state(self, quantum: int) -> State:
        """Return where a quantum stands."""
        return State(self._state[quantum])

    def numbers(self, state: State) -> list[int]:
        """Return the quanta that stand somewhere, in order."""
        import numpy as np

        found: list[int] = np.flatnonzero(self._states == state.value).tolist()
        return found

    def n_failures(self, quantum: int) -> int:
        """Return how many attempts at a quantum have failed so far."""
        return self._failures.get(quantum, 0)

    def dependents(self, quantum: int) -> Iterator[int]:
        """Go through the quanta that wait for one directly."""
        for other in self._after[self._starts[quantum] : self._starts[quantum + 1]]:
            yield int(other)

    # -------------------------------------------------------- instructions out
    def next_task(self) -> int | None:
        """Return the task of the quanta that `take` would give; None if it would give none."""
        if self._is_paused or (self._suspected is not None and self._are_suspects_apart):
            return None
        if self._is_suspect_next:
            suspect = self._suspects[0]
            return int(self._tasks[suspect]) if self._may_join(suspect) else None
        for task in self._ready.tasks():
            if self._has_room(task, self.memory_mb(self._ready.peek(task))):
                return task
        return None

    def take(self, limit: int) -> Start | None:
        """Start up to so many quanta of one task on one worker; None if none can start now."""
        task = self.next_task()
        if task is None:
            return None
        if self._is_suspect_next:
            return self._begin(task, [self._suspects.popleft()], is_suspect=True)
        quanta = [self._ready.pop(task)]
        if quanta[0] in self._memory_factors:  # it needs more than the others
            return self._begin(task, quanta)
        while len(quanta) < limit and self._ready.has(task):
            if self._ready.peek(task) in self._memory_factors:
                break
            quanta.append(self._ready.pop(task))
        return self._begin(task, quanta)

    @property
    def _is_suspect_next(self) -> bool:
        return bool(self._suspects) and self._suspected is None

    def _may_join(self, suspect: int) -> bool:
        """Return whether a suspect may start beside what runs."""
        if self._are_suspects_apart:
            return not self._start_of
        return self._has_room(int(self._tasks[suspect]), self.memory_mb(suspect))

    def _has_room(self, task: int, memory_mb: float | None) -> bool:
        """Return whether another worker may take up a task. Alone, any quantum may run."""
        rules, capacity = self._rules[task], self._capacity
        if rules.max_concurrent is not None and self._running[task] >= rules.max_concurrent:
            return False
        if capacity is None or not self._start_of:
            return True
        if self._cores + rules.cores > capacity.cores:
            return False
        bound = capacity.memory_mb
        return bound is None or self._memory_mb + (memory_mb or 0.0) <= bound + _ROUNDING_MB

    def _begin(self, task: int, quanta: list[int], *, is_suspect: bool = False) -> Start:
        start = Start(
            task, tuple(quanta), self._rules[task].cores, self.memory_mb(quanta[0]), is_suspect
        )
        for quantum in quanta:
            self._state[quantum] = _RUNNING
            self._start_of[quantum] = start
        self._left[id(start)] = len(quanta)
        self._running[task] += 1
        self._cores += start.cores
        self._memory_mb += start.memory_mb or 0.0
        if is_suspect:
            self._suspected = start
        return start

    def memory_mb(self, quantum: int) -> float | None:
        """Return the memory that a quantum's next attempt may use [MB]; None if not bounded."""
        base = self._rules[int(self._tasks[quantum])].memory_mb
        return None if base is None else base * self._memory_factors.get(quantum, 1.0)

    # -------------------------------------------------------------- events in
    def finish(self, quantum: int) -> None:
        """Note that a quantum ended well; what waited for it alone becomes ready."""
        self._leave_running(quantum, _DONE)
        self._release_dependents(quantum)

    def fail(self, quantum: int, cause: Cause = Cause.ERROR) -> Verdict:
        """Note that an attempt at a quantum failed."""
        self._leave_running(quantum, _FAILED)
        rules = self._rules[int(self._tasks[quantum])]
        failures = self._failures[quantum] = self._failures.get(quantum, 0) + 1
        if cause in (Cause.MEMORY, Cause.DEATH) and rules.memory_mb is not None:
            factor = self._memory_factors.get(quantum, 1.0)
            self._memory_factors[quantum] = factor * rules.memory_factor
        free = _FREE_DEATHS if cause is Cause.DEATH else 0
        if failures <= max(rules.retries, free) and not self._is_cancelled:
            self._state[quantum] = _READY
            if cause is Cause.DEATH:
                self._suspects.append(quantum)
            else:
                self._ready.push(quantum)
            return Verdict(is_retried=True)
        if self._are_failures_accepted:
            self._release_dependents(quantum)
            return Verdict(is_retried=False)
        blocked = self._block_dependents(quantum)
        if self._is_fail_fast:
            self.cancel()
        return Verdict(is_retried=False, blocked=tuple(blocked))

    def requeue(self, quantum: int) -> None:
        """Note that a quantum came back undone by no fault of its own; it runs again."""
        self._return(quantum, self._ready.push)

    def suspect(self, quanta: Iterable[int]) -> None:
        """Note that a worker died while these were under way; each runs again, one at a time."""
        for quantum in quanta:
            self._return(quantum, self._suspects.append)

    def pause(self) -> None:
        """Start nothing until `resume`; what runs goes on."""
        self._is_paused = True

    def resume(self) -> None:
        """Start quanta again after `pause`."""
        self._is_paused = False

    def cancel(self) -> None:
        """Start nothing more, for good."""
        self._is_cancelled = True
        self._states[(self._states == _WAITING) | (self._states == _READY)] = _CANCELLED
        self._ready.clear()
        self._suspects.clear()

    def _return(self, quantum: int, push: Any) -> None:
        if self._is_cancelled:
            self._leave_running(quantum, _CANCELLED)
            return
        self._leave_running(quantum, _READY)
        push(quantum)

    def _leave_running(self, quantum: int, state: int) -> None:
        start = self._start_of.pop(quantum, None)
        if start is None:
            raise ValueError(f"quantum {quantum} is {self.state(quantum).name}, not RUNNING")
        self._state[quantum] = state
        self._left[id(start)] -= 1
        if not self._left[id(start)]:
            del self._left[id(start)]
            self._running[start.task] -= 1
            self._cores -= start.cores
            self._memory_mb -= start.memory_mb or 0.0
            if start is self._suspected:
                self._suspected = None

    def _release_dependents(self, quantum: int) -> None:
        freed = self._after[self._starts[quantum] : self._starts[quantum + 1]]
        if not len(freed):
            return
        self._missing[freed] -= 1
        for other in freed[self._missing[freed] == 0].tolist():
            if self._state[other] == _WAITING:
                self._state[other] = _READY
                self._ready.push(other)

    def _block_dependents(self, quantum: int) -> list[int]:
        blocked: list[int] = []
        queue = [quantum]
        while queue:
            for other in self.dependents(queue.pop()):
                if self._state[other] == _WAITING:
                    self._state[other] = _BLOCKED
                    blocked.append(other)
                    queue.append(other)
        return sorted(blocked)
