"""Reads, from what dead workers left, which quanta they had done and which one killed them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pipetask.execution.quantum_record import results_in
from pipetask.execution.quantum_work import Fault, QuantumResult
from pipetask.execution.worker_traces import Trace, read_traces


@dataclass(frozen=True, slots=True)
class Guilty:
    """A quantum that ended its worker."""

    number: int
    fault: Fault
    #: What the worker said of it, or nothing.
    crash: str
    #: All that the quantum printed.
    said: str


@dataclass(frozen=True, slots=True)
class Fall:
    """What became of the quanta that were with workers when these fell."""

    #: Done, and not yet told.
    done: tuple[QuantumResult, ...] = ()
    guilty: tuple[Guilty, ...] = ()
    #: Any of them may be guilty.
    suspects: tuple[int, ...] = ()
    innocent: tuple[int, ...] = ()


def read_fall(
    folder: Path | None, undone: Collection[int], suspected: Collection[int] = ()
) -> Fall:
    """Return what the traces of dead workers say of quanta.

    Parameters
    ----------
    folder
        Where the traces are; None if there are none.
    undone
        Numbers of the quanta that nobody has heard of again.
    suspected
        Those of them under which a worker fell before: without a better trace these are guilty.
    """
    traces = read_traces(folder) if folder is not None else []
    done = {
        result.number: result
        for trace in traces
        for _, result in results_in(trace.done)
        if result.number in undone
    }
    left = [number for number in undone if number not in done]
    at_work = {t.number: t for t in traces if t.number in left}
    guilty = [_guilty(t) for t in at_work.values() if t.has_hung or t.crash]
    if not guilty:
        guilty = [_guilty(at_work.get(n) or Trace(n, (), "")) for n in left if n in suspected]
    if not guilty and len(at_work) == 1:
        guilty = [_guilty(next(iter(at_work.values())))]
    named = {each.number for each in guilty}
    suspects: tuple[int, ...] = ()
    if not guilty:
        suspects = tuple(left) if folder is None else tuple(n for n in left if n in at_work)
    innocent = tuple(n for n in left if n not in named and n not in suspects)
    return Fall(tuple(done.values()), tuple(guilty), suspects, innocent)


def _guilty(trace: Trace) -> Guilty:
    assert trace.number is not None
    fault = Fault.TIMEOUT if trace.has_hung else Fault.DEATH
    return Guilty(trace.number, fault, trace.crash, trace.said)
