"""Of the quanta that were with workers that fell, each is done, guilty, suspected or innocent."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipetask.execution.fallen_workers import Fall, Guilty, read_fall
from pipetask.execution.quantum_work import Fault, Outcome, QuantumResult
from pipetask.provenance.journal import line_of

ROOT = Path(__file__).parents[3]
HUNG = "Timeout (0:00:10)!\nThread 0x1 (most recent call first):\n"
CRASHED = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1\n"


def result(number: int) -> QuantumResult:
    record = {
        "number": number, "task": "isr", "data_id": {"detector": number},
        "outcome": "succeeded", "outputs": [], "elapsed_s": 1.5,
    }  # fmt: skip
    return QuantumResult(
        number, "isr", {"detector": number}, Outcome.SUCCEEDED,
        elapsed_s=1.5, record=json.dumps(record).encode(),
    )  # fmt: skip


@dataclass
class Worker:
    """What one worker left."""

    number: int = -1
    done: list[int] = field(default_factory=list)
    said: str = ""


def leave(folder: Path, *workers: Worker) -> Path:
    for pid, worker in enumerate(workers, 100):
        lines = (line_of(entry) for n in worker.done for entry in result(n).entries)
        (folder / f"{pid}.done").write_bytes(b"".join(lines))
        (folder / f"{pid}.said").write_text(worker.said)
        (folder / f"{pid}.now").write_bytes(b"%-20d" % worker.number)
    return folder


def guilty(number: int, fault: Fault, crash: str = "", said: str = "") -> tuple[Guilty, ...]:
    return (Guilty(number, fault, crash, said),)


def test_what_was_done_and_not_told_is_not_lost(tmp_path: Path) -> None:
    leave(tmp_path, Worker(3, [1, 2]))

    fall = read_fall(tmp_path, [1, 2, 3, 4])

    assert fall == Fall((result(1), result(2)), guilty(3, Fault.DEATH), (), (4,))
    assert list(tmp_path.iterdir()) == []


def test_what_was_told_before_is_not_told_again(tmp_path: Path) -> None:
    leave(tmp_path, Worker(-1, [1, 2]), Worker(2))

    fall = read_fall(tmp_path, [3, 4])

    assert fall == Fall((), (), (), (3, 4))


def test_a_quantum_that_was_done_is_not_guilty(tmp_path: Path) -> None:
    leave(tmp_path, Worker(2, [1, 2], HUNG))

    fall = read_fall(tmp_path, [1, 2, 3])

    assert fall == Fall((result(1), result(2)), (), (), (3,))


def test_who_crashed_is_guilty_and_who_was_near_is_not(tmp_path: Path) -> None:
    leave(tmp_path, Worker(1), Worker(5, said="words\n" + CRASHED), Worker(7))

    fall = read_fall(tmp_path, [1, 2, 5, 6, 7])

    assert fall.guilty == guilty(5, Fault.DEATH, "Segmentation fault", "words\n" + CRASHED)
    assert (fall.suspects, fall.innocent) == ((), (1, 2, 6, 7))


def test_who_hung_has_timed_out(tmp_path: Path) -> None:
    leave(tmp_path, Worker(1), Worker(5, said=HUNG))

    fall = read_fall(tmp_path, [1, 5])

    assert fall == Fall((), guilty(5, Fault.TIMEOUT, said=HUNG), (), (1,))


def test_several_can_be_guilty(tmp_path: Path) -> None:
    leave(tmp_path, Worker(1, said=CRASHED), Worker(5, said=HUNG), Worker(6))

    fall = read_fall(tmp_path, [1, 5, 6])

    assert {each.number: each.fault for each in fall.guilty} == {1: Fault.DEATH, 5: Fault.TIMEOUT}
    assert fall.innocent == (6,)


def test_of_several_that_say_nothing_all_at_work_are_suspects(tmp_path: Path) -> None:
    leave(tmp_path, Worker(1), Worker(5), Worker(-1, [7]))

    fall = read_fall(tmp_path, [1, 2, 5, 6, 7])

    assert fall == Fall((result(7),), (), (1, 5), (2, 6))


def test_the_only_one_at_work_is_guilty(tmp_path: Path) -> None:
    leave(tmp_path, Worker(-1), Worker(5, said="printed"))

    fall = read_fall(tmp_path, [4, 5, 6])

    assert fall == Fall((), guilty(5, Fault.DEATH, said="printed"), (), (4, 6))


def test_workers_that_were_at_nothing_make_nobody_guilty(tmp_path: Path) -> None:
    leave(tmp_path, Worker(-1), Worker(-1))

    assert read_fall(tmp_path, [1, 2]) == Fall((), (), (), (1, 2))
    assert read_fall(tmp_path, [1, 2]) == Fall((), (), (), (1, 2))


def test_whoever_was_suspected_before_is_guilty_even_without_a_trace(tmp_path: Path) -> None:
    assert read_fall(tmp_path, [4], [4]).guilty == guilty(4, Fault.DEATH)
    assert read_fall(None, [3, 4, 5], [4]) == Fall((), guilty(4, Fault.DEATH), (), (3, 5))


def test_whoever_was_suspected_before_is_not_guilty_if_another_crashed(tmp_path: Path) -> None:
    leave(tmp_path, Worker(4), Worker(5, said=CRASHED))

    assert [each.number for each in read_fall(tmp_path, [4, 5], [4]).guilty] == [5]


def test_without_a_folder_all_are_suspects() -> None:
    assert read_fall(None, [3, 4]) == Fall((), (), (3, 4), ())


def test_a_quantum_whose_record_is_torn_is_not_done(tmp_path: Path) -> None:
    leave(tmp_path, Worker(2, [1, 2]))
    path = tmp_path / "100.done"
    path.write_bytes(path.read_bytes()[:-3])

    fall = read_fall(tmp_path, [1, 2])

    assert fall == Fall((result(1),), guilty(2, Fault.DEATH), (), ())


@st.composite
def falls(draw: st.DrawFn) -> tuple[list[int], list[Worker]]:
    """Return quanta that are undone, and workers that had some of them and others."""
    left = draw(st.permutations(range(14)))
    workers = []
    for _ in range(draw(st.integers(0, 4))):
        n_done, is_at_work = draw(st.integers(0, 2)), draw(st.booleans())
        done = [left.pop() for _ in range(n_done)]
        said = draw(st.sampled_from(["", "", "words", HUNG, CRASHED]))
        workers.append(Worker(left.pop() if is_at_work else -1, done, said))
    return draw(st.lists(st.integers(0, 13), unique=True)), workers


@given(falls(), st.lists(st.integers(0, 13)))
def test_each_undone_quantum_meets_one_fate(
    given_: tuple[list[int], list[Worker]], suspected: list[int]
) -> None:
    undone, workers = given_
    with tempfile.TemporaryDirectory() as name:
        fall = read_fall(leave(Path(name), *workers), undone, suspected)

    fates = [
        *(each.number for each in fall.done), *(each.number for each in fall.guilty),
        *fall.suspects, *fall.innocent,
    ]  # fmt: skip
    at_work = {w.number: w for w in workers if w.number in undone}
    assert sorted(fates) == sorted(undone)
    assert {each.number for each in fall.done} == {n for w in workers for n in w.done} & set(undone)
    assert set(fall.suspects) <= set(at_work)
    assert not (fall.guilty and fall.suspects)
    assert len(fall.suspects) != 1
    for number, worker in at_work.items():
        assert (worker.said in (HUNG, CRASHED)) <= (number in {g.number for g in fall.guilty})


def test_a_worker_that_is_really_killed_is_found_with_its_deeds(tmp_path: Path) -> None:
    code = """
import os, sys
from pipetask.execution.worker_traces import WorkerTraces
from pipetask.provenance.journal import Entry
traces = WorkerTraces(sys.argv[1])
traces.begin_batch()
traces.begin(1, None)
traces.end()
traces.keep([Entry("quantum", sys.argv[2].encode()), Entry("notes", sys.argv[3].encode())])
traces.begin(2, None)
print("at it")
os.kill(os.getpid(), 9)
"""
    texts = [entry.text for entry in result(1).entries]
    subprocess.run([sys.executable, "-c", code, tmp_path, *texts], cwd=ROOT, check=False)

    fall = read_fall(tmp_path, [1, 2, 3])

    assert fall == Fall((result(1),), guilty(2, Fault.DEATH, said="at it\n"), (), (3,))
