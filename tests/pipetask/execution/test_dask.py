"""The same graph on the workers of a Dask cluster: others' processes, ours, and described ones."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipetask.errors import RunError
from pipetask.execution import RunOptions, RunSummary
from pipetask.execution.engines.engine import make_engine
from tests.dask_servers import DaskServers, dask_servers

Outcomes = Callable[[RunSummary], dict[str, dict[str, int]]]
IMPORTABLE = Path(__file__).parents[1] / "importable"
ALL = [10, 11, 20, 21, 30, 31]

#: What a worker is told to note: each database that it opens, each address that it calls.
LISTEN = """
import builtins, sys

def note(event, values):
    if event == "sqlite3.connect" or event == "socket.connect":
        builtins.heard.append((event, str(values[-1])))

builtins.heard = []
sys.addaudithook(note)
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskServers]:
    with dask_servers(tmp_path_factory.mktemp("dask")) as running:
        running.wait_for_workers(2)
        yield running


@pytest.fixture
def client(servers: DaskServers) -> Iterator[Any]:
    from distributed import Client

    with Client(servers.address, set_as_default=False) as connected:
        yield connected


def described(folder: Path, text: str) -> Path:
    path = folder / "cluster.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_dask_writes_the_same_bytes_as_one_process(
    require_same_results: Callable[..., None], servers: DaskServers
) -> None:
    require_same_results(
        serial={},
        theirs={"engine": "dask", "scheduler": servers.address},
        ours={"engine": "dask", "n_workers": 2},
    )


def test_workers_open_no_database(runs: Any, servers: DaskServers, client: Any) -> None:
    client.run(exec, LISTEN, {})

    runs(runs.pipeline(isr="IsrTask", notes="NotesTask"), scheduler=servers.address, engine="dask")

    heard = client.run(eval, "__import__('builtins').heard")
    assert len(heard) == 2
    ports = {address.rpartition(":")[2] for address in [servers.address, *heard]}
    for calls in heard.values():
        assert [event for event, _ in calls if event == "sqlite3.connect"] == []
        assert {where.split(", ")[-1].rstrip(")") for _, where in calls} <= ports
    for name in ("sqlalchemy", "duckdb", "butler_core.registry.registry"):
        assert set(client.run(eval, f"{name!r} in __import__('sys').modules").values()) == {False}


def test_modules_that_only_the_parent_knows_are_found(
    runs: Any, servers: DaskServers, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "own_tasks.py").write_text("from graph_tasks import IsrTask as OwnTask\n")
    monkeypatch.syspath_prepend(str(own))
    before = client.run(eval, f"{str(own)!r} in __import__('sys').path")

    summary = runs(
        runs.pipeline().add_task("isr", "own_tasks.OwnTask"), engine="dask",
        scheduler=servers.address,
    )  # fmt: skip

    assert set(before.values()) == {False}
    assert summary.is_good
    assert set(runs.numbers("frame")) == set(ALL)


def test_warnings_of_tasks_reach_the_parents_log(
    runs: Any, servers: DaskServers, caplog: pytest.LogCaptureFixture
) -> None:
    runs(runs.pipeline(warn="WarnTask"), engine="dask", scheduler=servers.address)

    said = [record.getMessage() for record in caplog.records if record.name == "py.warnings"]
    assert len(said) == len(ALL)
    for number in ALL:
        assert any(f"number {number} is odd" in text for text in said)


def test_nothing_of_a_run_stays_with_the_scheduler_and_its_workers(
    runs: Any, outcomes: Outcomes, servers: DaskServers, client: Any
) -> None:
    for run in ("u/1", "u/2"):
        summary = runs(runs.pipeline(isr="IsrTask"), run, engine="dask", scheduler=servers.address)
        assert outcomes(summary) == {"isr": {"succeeded": 6}}

    plugins = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.worker_plugins))
    assert [name for name in plugins if "pipetask" in name] == []
    of_workers = client.run(lambda dask_worker: list(dask_worker.plugins))
    assert [name for names in of_workers.values() for name in names if "pipetask" in name] == []
    setups = "__import__('pipetask.execution.worker').execution.worker._setups"
    assert list(client.run(eval, setups).values()) == [{}, {}]
    assert client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)) == []


def test_no_thread_and_no_process_outlives_a_run(runs: Any, servers: DaskServers) -> None:
    import psutil

    runs(runs.pipeline(isr="IsrTask"), "u/1", engine="dask", scheduler=servers.address)
    threads = set(threading.enumerate())
    processes = set(psutil.Process().children(recursive=True))

    runs(runs.pipeline(isr="IsrTask"), "u/2", engine="dask", scheduler=servers.address)
    runs(runs.pipeline(isr="IsrTask"), "u/3", engine="dask", n_workers=2)

    loops = [t.name for t in set(threading.enumerate()) - threads if "loop" in t.name.lower()]
    assert loops == []
    left = set(psutil.Process().children(recursive=True)) - processes
    assert [p for p in left if "spawn_main" in " ".join(p.cmdline())] == []


def test_memory_is_measured_where_one_quantum_runs_at_a_time(
    runs: Any, servers: DaskServers
) -> None:
    summary = runs(runs.pipeline(isr="IsrTask"), engine="dask", scheduler=servers.address)

    assert summary.peak_memory_mib["isr"] > 20
    assert runs.numbers("isr_metadata")[10]["quantum"]["peak_memory_mib"] > 20


def test_workers_of_several_threads_measure_no_memory(runs: Any, tmp_path: Path) -> None:
    with dask_servers(tmp_path / "dask", n_workers=1, options=("--nthreads", "3")) as own:
        summary = runs(runs.pipeline(warn="WarnTask"), engine="dask", scheduler=own.address)

    assert summary.is_good
    assert summary.peak_memory_mib == {}
    assert runs.numbers("warn_metadata")[10]["quantum"]["peak_memory_mib"] is None
    for number, log in runs.numbers("warn_log").items():  # threads keep their logs apart
        assert [r["message"] for r in log][:5] == [f"step {i} of {number}" for i in range(5)]


def test_workers_that_lack_our_packages_are_told_so(runs: Any, tmp_path: Path) -> None:
    package = tmp_path / "other" / "pipetask"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('an older one')\n")
    environment = {"PYTHONPATH": str(package.parent)}

    with dask_servers(tmp_path / "dask", n_workers=1, environment=environment) as own:
        own.wait_for_workers(1)
        with pytest.raises(RunError, match=r"cannot take up the run \(.*an older one.*\); they"):
            runs(runs.pipeline(isr="IsrTask"), engine="dask", scheduler=own.address)


def test_a_run_waits_for_workers_and_says_so(
    runs: Any, outcomes: Outcomes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with dask_servers(tmp_path / "dask", n_workers=0) as own:
        later = threading.Timer(3.0, own.add_worker)
        later.start()

        summary = runs(runs.pipeline(isr="IsrTask"), engine="dask", scheduler=own.address)
        later.join()

    assert outcomes(summary) == {"isr": {"succeeded": 6}}
    said = f"the cluster at {own.address} has no workers; waiting for some"
    assert [r.getMessage() for r in caplog.records].count(said) == 1


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_one_error(address: str) -> None:
    begin = time.monotonic()

    with pytest.raises(RunError, match=f"no Dask scheduler answers at '{address}': .+"):
        make_engine(RunOptions(engine="dask", scheduler=address))

    assert time.monotonic() - begin < 15


def test_a_described_cluster_runs_a_graph(runs: Any, outcomes: Outcomes, tmp_path: Path) -> None:
    cluster = described(
        tmp_path,
        "class: distributed.LocalCluster\njobs: 2\nprocesses: true\nthreads_per_worker: 1\n"
        "memory_limit: 0\n",
    )

    summary = runs(
        runs.pipeline(isr="IsrTask", gather="GatherTask"), engine="dask", cluster=cluster
    )

    assert outcomes(summary) == {"isr": {"succeeded": 6}, "gather": {"succeeded": 3}}
    assert summary.peak_memory_mib["isr"] > 20


def test_a_described_cluster_may_grow_from_nothing(
    runs: Any, outcomes: Outcomes, tmp_path: Path
) -> None:
    cluster = described(
        tmp_path,
        "class: distributed.LocalCluster\nadapt: {minimum: 0, maximum: 2}\n"
        "threads_per_worker: 1\nmemory_limit: 0\n",
    )

    summary = runs(runs.pipeline(isr="IsrTask"), engine="dask", cluster=cluster)

    assert outcomes(summary) == {"isr": {"succeeded": 6}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class: distributed.NoCluster\njobs: 2", "names the class 'distributed.NoCluster', which"),
        ("class: LocalCluster\njobs: 2", "names the class 'LocalCluster', which cannot be impo"),
        ("class: no_such_module.Cluster\njobs: 2", "No module named 'no_such_module'"),
        ("class: distributed.LocalCluster", "must say either `jobs` or `adapt`: how many"),
        (
            "class: distributed.LocalCluster\njobs: 2\nadapt: {maximum: 3}",
            "must say either `jobs` or `adapt`: how many",
        ),
        ("class: distributed.LocalCluster\njobs: two", "must be a positive number, not 'two'"),
        ("class: distributed.LocalCluster\njobs: 0", "must be a positive number, not 0"),
        ("class: distributed.LocalCluster\nadapt: 3", "takes limits such as .*, not 3"),
        ("jobs: 2", "describes no cluster; it needs `class` and more, such as"),
        ("- class", "describes no cluster; it needs `class` and more, such as"),
        ("class: [distributed", "cannot read the cluster from '.*cluster.yaml'"),
        (
            "class: distributed.LocalCluster\njobs: 1\ncolour: red",
            "describes no distributed.LocalCluster that starts: .*'colour'",
        ),
        (
            "class: dask_jobqueue.SLURMCluster\njobs: 1\ncores: 1\nmemory: 1GB\ncolour: red",
            "describes no dask_jobqueue.SLURMCluster that starts: .*'colour'",
        ),
        (
            "class: dask_jobqueue.SLURMCluster\njobs: 1",
            "describes no dask_jobqueue.SLURMCluster that starts: You must specify how much",
        ),
    ],
)
def test_a_wrong_description_is_one_error(text: str, said: str, tmp_path: Path) -> None:
    assert re.search(said, refusal(described(tmp_path, text)))


def test_the_terminal_shows_that_error_alone(runs: Any, tmp_path: Path) -> None:
    text = "class: distributed.LocalCluster\njobs: 1\ncolour: red"
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text("description: one task\ntasks: {isr: graph_tasks.IsrTask}\n")

    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("pipetask")), "run", "-b", str(runs.folder / "repo"),
            "-p", str(pipeline), "-i", "raw/all", "--output-run", "u/1", "--register-dataset-types",
            "--cluster", str(described(tmp_path, text)),
        ],
        env={**os.environ, "PYTHONPATH": str(IMPORTABLE)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 1
    (line,) = (done.stdout + done.stderr).splitlines()
    assert line.startswith("Error: ")
    assert line.endswith("got an unexpected keyword argument 'colour'")


def test_a_batch_system_that_refuses_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\necho 'no such partition: noon' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    text = "class: dask_jobqueue.SLURMCluster\njobs: 2\ncores: 1\nmemory: 1GB\nqueue: noon\n"

    said = refusal(described(tmp_path, text))

    assert "describes no dask_jobqueue.SLURMCluster that starts: " in said
    assert "no such partition: noon" in said


def refusal(cluster: Path) -> str:
    """Return what is said against a description."""
    with warnings.catch_warnings():
        # What Dask began to construct is nobody's to close.
        warnings.filterwarnings("ignore", "unclosed cluster", ResourceWarning)
        try:
            make_engine(RunOptions(engine="dask", cluster=cluster))
        except RunError as error:
            said = str(error)
        gc.collect()
    return said
