"""Runs on a real Slurm node: Dask workers as jobs, and arrays of jobs without a registry."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.slurm_node import SlurmNode, slurm_node
from tests.faults.campaign import IMPORTABLE, PATIENCE_S, PIPELINE, RUN, Campaign
from tests.faults.conftest import make_world
from tests.registries import SqliteRegistries

sys.path.insert(0, str(IMPORTABLE))

N_PARTS = 4

CLUSTER = """\
class: dask_jobqueue.SLURMCluster
jobs: 2
cores: 1
processes: 1
memory: 1GB
walltime: "00:10:00"
interface: lo
nanny: false
log_directory: {folder}
local_directory: {folder}
worker_extra_args: ["--memory-limit", "0", "--no-dashboard"]
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    with slurm_node(tmp_path_factory.mktemp("slurm"), n_cpus=4) as running:
        yield running


@pytest.fixture
def campaign(node: SlurmNode, tmp_path: Path) -> Campaign:
    return _campaign(tmp_path / "own", node)


@pytest.fixture
def plain(node: SlurmNode, tmp_path: Path) -> Campaign:
    """Return the same, done with -j 1."""
    campaign = _campaign(tmp_path / "plain", node)
    code, said = campaign.run()
    assert code == 0, said
    return campaign


def _campaign(folder: Path, node: SlurmNode) -> Campaign:
    make_world(SqliteRegistries(), folder / "repo")
    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(PIPELINE % {"sleep_s": 0.3}, encoding="utf-8")
    return Campaign(folder / "repo", pipeline, ("-j", "1"), node.environment)


def _require_same(campaign: Campaign, plain: Campaign) -> None:
    assert campaign.state_faults(is_done=True) == []
    assert campaign.results() == plain.results()
    assert campaign.datasets() == plain.datasets()


def test_dask_workers_are_jobs_that_end_with_the_run(
    node: SlurmNode, campaign: Campaign, plain: Campaign, tmp_path: Path
) -> None:
    cluster = tmp_path / "slurm.yaml"
    cluster.write_text(CLUSTER.format(folder=tmp_path / "jobs"), encoding="utf-8")
    campaign.arguments = ("--engine", "dask", "--cluster", str(cluster))

    process = campaign.start()
    seen = _most_jobs(node, process)
    said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, said
    assert "distributed" not in said
    assert [line.split() for line in seen] == [["dask-worker", "R"], ["dask-worker", "R"]]
    assert node.run("squeue", "--noheader", "--states=PENDING,RUNNING") == ""
    _require_same(campaign, plain)


def _most_jobs(node: SlurmNode, process: subprocess.Popen[str]) -> list[str]:
    """Look at the queue while a program runs; return the running jobs when there were most."""
    most: list[str] = []
    while process.poll() is None:
        jobs = node.run("squeue", "--noheader", "--states=RUNNING", "--format=%j %t").splitlines()
        most = max(most, jobs, key=len)
        time.sleep(0.1)
    return most


def test_a_partition_that_is_not_there_is_told_at_once(
    node: SlurmNode, campaign: Campaign, tmp_path: Path
) -> None:
    cluster = tmp_path / "slurm.yaml"
    text = CLUSTER.format(folder=tmp_path / "jobs") + "queue: noon\n"
    cluster.write_text(text, encoding="utf-8")
    campaign.arguments = ("--engine", "dask", "--cluster", str(cluster))

    code, said = campaign.run()

    assert code == 1
    assert "invalid partition specified: noon" in said
    assert "Traceback" not in said
    assert node.run("squeue", "--noheader", "--states=PENDING,RUNNING") == ""


def test_an_array_of_jobs_runs_a_graph_without_its_registry(
    node: SlurmNode, campaign: Campaign, plain: Campaign, tmp_path: Path
) -> None:
    graph = tmp_path / "night.qg"
    repository = str(campaign.repository)
    _program(
        "pipetask", "qgraph", "-b", repository, "-p", str(campaign.pipeline), "-i", "raw/all",
        "--output-run", RUN, "--qgraph-datastore-records", "-q", str(graph),
    )  # fmt: skip
    _program("pipetask", "pre-exec-init-qbb", repository, str(graph))
    registry = campaign.repository / "gen3.sqlite3"
    content = registry.read_bytes()

    array = _submit(
        node, tmp_path, graph, repository, "--label isr --part $SLURM_ARRAY_TASK_ID/4",
        f"--array=0-{N_PARTS - 1}",
    )  # fmt: skip
    rest = _submit(
        node, tmp_path, graph, repository, "--label split --label gather --label notes",
        f"--dependency=afterok:{array}",
    )  # fmt: skip
    assert (node.wait(array, PATIENCE_S), node.wait(rest, PATIENCE_S)) == ("COMPLETED",) * 2
    assert registry.read_bytes() == content
    said = _program(
        "butler", "transfer-from-graph", str(graph), repository, "--register-dataset-types"
    )

    assert f"datasets registered in run '{RUN}'" in said
    assert len(list(tmp_path.glob(f"{array}_*.out"))) == N_PARTS
    _require_same(campaign, plain)


def _submit(
    node: SlurmNode, folder: Path, graph: Path, repository: str, what: str, option: str
) -> str:
    """Submit a job that runs a part of a graph."""
    script = f"#!/bin/sh\nexec {_path('pipetask')} run-qbb {repository} {graph} {what}\n"
    name = "%A_%a" if "array" in option else "%j"
    return node.submit(
        script, option, f"--output={folder}/{name}.out", f"--export=ALL,PYTHONPATH={IMPORTABLE}"
    )


def _path(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def _program(program: str, *arguments: str) -> str:
    """Run one of our programs, and return what it printed."""
    done = subprocess.run(
        [_path(program), *arguments], env={**os.environ, "PYTHONPATH": str(IMPORTABLE)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
