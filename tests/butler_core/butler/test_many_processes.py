"""Several processes in one repository at once, and processes that are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from butler_core import Butler, CollectionType

PROCESSES = 8
ROUNDS = 3

_WORKER = """
import sys
from butler_core import Butler, CollectionType, DatasetType
root, me, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Butler(root, writeable=True) as butler:
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(rounds):
        # All race for the same names, then each does what no other does.
        butler.register_dataset_type(DatasetType.of(
            f"type_{n}", ["visit", "detector"] if n % 2 else ["exposure"], "StructuredDataDict",
            universe=butler.dimensions))
        butler.collections.register(f"shared/{n}")
        for visit in range(100, 103):
            data_id = dict(instrument="CamA", visit=visit, detector=n % 4)
            ref = butler.put({"me": me, "n": n}, "metric", data_id, run=f"run/{me}/{n}")
        butler.collections.prepend_chain("chain", f"run/{me}/{n}")
        butler.put({"me": me}, "frame", instrument="CamA", exposure=100 + n, detector=me % 4,
                   run=f"shared/{me // 4}")
        if n % 2:
            butler.prune_datasets([ref], unstore=True, purge=True)
"""

_PUTTER = """
import itertools, sys
from butler_core import Butler
with Butler(sys.argv[1], writeable=True) as butler:
    print("ready", flush=True)
    for n in itertools.count():
        for visit in (100, 101, 102):
            butler.put({"n": n, "padding": "x" * 20000}, "metric", instrument="CamA",
                       visit=visit, detector=0, run=f"killed/{sys.argv[2]}/{n}")
"""


def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_write_at_once_lose_nothing(butler: Butler) -> None:
    root = butler.repository.root
    butler.collections.register("chain", CollectionType.CHAINED)
    workers = [_start(_WORKER, root, me, ROUNDS) for me in range(PROCESSES)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()

    errors = [worker.communicate(timeout=120)[1] for worker in workers]

    assert errors == [""] * PROCESSES
    runs = {f"run/{me}/{n}" for me in range(PROCESSES) for n in range(ROUNDS)}
    assert set(butler.collections.get_info("chain").children) == runs
    assert len(butler.collections.get_info("chain").children) == len(runs)
    for me in range(PROCESSES):
        for n in range(ROUNDS):
            refs = list(butler.query_datasets("metric", f"run/{me}/{n}"))
            assert len(refs) == 3 - n % 2
            assert all(butler.get(ref) == {"me": me, "n": n} for ref in refs)
    shared = list(butler.query_datasets("frame", "shared/0,shared/1", find_first=False))
    assert len(shared) == PROCESSES * ROUNDS
    assert all(butler.get(ref)["me"] % 4 == ref.data_id["detector"] for ref in shared)
    for n in range(ROUNDS):
        assert butler.get_dataset_type(f"type_{n}").dimensions == butler.dimensions.conform(
            ["visit", "detector"] if n % 2 else ["exposure"]
        )


@pytest.mark.parametrize("after_s", [0.02, 0.15])
def test_what_a_killed_process_registered_is_whole(butler: Butler, after_s: float) -> None:
    root = butler.repository.root
    for attempt in range(2):
        putter = _start(_PUTTER, root, attempt)
        assert putter.stdout.readline() == "ready\n", putter.stderr.read()
        _wait_for_some(butler, attempt)
        time.sleep(after_s)

        putter.send_signal(signal.SIGKILL)
        putter.communicate(timeout=30)

    refs = list(butler.query_datasets("metric", "killed/*", find_first=False))
    assert refs
    for ref in refs:
        content = butler.get(ref)
        assert content["n"] == int(ref.run.rpartition("/")[2])
        assert len(content["padding"]) == 20000
    butler.put({"n": 0}, "metric", instrument="CamA", visit=100, detector=0)
    butler.remove_runs(sorted({ref.run for ref in refs}))
    _put_where_the_killed_were(butler)


def _wait_for_some(butler: Butler, attempt: int) -> None:
    deadline = time.monotonic() + 60
    while not butler.collections.exists(f"killed/{attempt}/1"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _put_where_the_killed_were(butler: Butler) -> None:
    """Use the paths at which a killed process may have left a file without a row."""
    for attempt in range(2):
        for n in range(40):
            data_id = {"instrument": "CamA", "visit": 100 + n % 3, "detector": 0}
            butler.put({"n": n}, "metric", data_id, run=f"killed/{attempt}/{n}")
            assert butler.get("metric", data_id, collections=f"killed/{attempt}/{n}") == {"n": n}


def test_a_reader_sees_each_dataset_whole_or_not_at_all(butler: Butler) -> None:
    putter = _start(_PUTTER, butler.repository.root, 0)
    assert putter.stdout.readline() == "ready\n", putter.stderr.read()
    _wait_for_some(butler, 0)

    seen = 0
    with Butler(butler.repository.root) as reader:
        for _ in range(12):
            for ref in reader.query_datasets("metric", "killed/*", find_first=False, limit=20):
                assert len(reader.get(ref)["padding"]) == 20000
                seen += 1

    putter.kill()
    putter.communicate(timeout=30)
    assert seen
