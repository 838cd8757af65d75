"""The one-node Slurm cluster of the tests runs, fails, cancels and ends real jobs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster.slurm_node import SlurmNode, SlurmNodeError, slurm_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    with slurm_node(tmp_path_factory.mktemp("slurm")) as running:
        yield running


def test_a_job_completes_and_its_output_is_kept(node: SlurmNode, tmp_path: Path) -> None:
    output = tmp_path / "output"

    job_id = node.submit("hostname", f"--output={output}")

    assert node.wait(job_id) == "COMPLETED"
    assert output.read_text().strip() == socket.gethostname()


def test_each_element_of_an_array_runs(node: SlurmNode, tmp_path: Path) -> None:
    script = f'echo "$SLURM_ARRAY_TASK_ID" > "{tmp_path}/$SLURM_ARRAY_TASK_ID"'

    job_id = node.submit(script, "--array=0-3", "--output=/dev/null")

    assert node.wait(job_id) == "COMPLETED"
    assert node.states(job_id) == {f"{job_id}_{i}": "COMPLETED" for i in range(4)}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        str(i): f"{i}\n" for i in range(4)
    }


def test_a_job_that_exits_with_3_has_failed(node: SlurmNode) -> None:
    job_id = node.submit("exit 3")

    assert node.wait(job_id) == "FAILED"
    assert "ExitCode=3:0" in node.run("scontrol", "show", "job", job_id)


def test_one_failed_element_fails_the_array(node: SlurmNode) -> None:
    job_id = node.submit('test "$SLURM_ARRAY_TASK_ID" != 1', "--array=0-2", "--output=/dev/null")

    assert node.wait(job_id) == "FAILED"
    assert node.states(job_id)[f"{job_id}_1"] == "FAILED"
    assert node.wait(f"{job_id}_2") == "COMPLETED"


def test_a_running_job_is_cancelled(node: SlurmNode, tmp_path: Path) -> None:
    started = tmp_path / "started"
    job_id = node.submit(f"echo yes > {started}; sleep 600")
    assert _line_from(started) == "yes"

    node.run("scancel", job_id)

    assert node.wait(job_id) == "CANCELLED"
    assert node.run("squeue", "--noheader", "--job", job_id) == ""


def test_a_pending_array_is_cancelled(node: SlurmNode) -> None:
    job_id = node.submit("true", "--array=0-3", "--hold")

    node.run("scancel", job_id)

    assert node.wait(job_id) == "CANCELLED"
    assert node.states(job_id) == {f"{job_id}_[0-3]": "CANCELLED"}


def test_a_job_waits_for_the_one_it_depends_on(node: SlurmNode) -> None:
    failing = node.submit("exit 1", "--hold")
    after = node.submit("true", f"--dependency=afterany:{failing}")
    never = node.submit("true", f"--dependency=afterok:{failing}", "--kill-on-invalid-dep=yes")

    assert node.states(after) == {after: "PENDING"}
    node.run("scontrol", "release", failing)

    assert node.wait(after) == "COMPLETED"
    assert node.wait(never) == "CANCELLED"


def test_jobs_get_no_more_cpus_than_the_node_has(node: SlurmNode) -> None:
    with pytest.raises(SlurmNodeError, match="More processors requested than permitted"):
        node.submit("true", f"--cpus-per-task={node.n_cpus + 1}")


def test_a_job_that_does_not_end_in_time_is_an_error(node: SlurmNode) -> None:
    job_id = node.submit("true", "--hold")

    with pytest.raises(SlurmNodeError, match=f"job '{job_id}' has not ended after 0.2 s.*PENDING"):
        node.wait(job_id, timeout_s=0.2)
    node.run("scancel", job_id)


def test_nothing_runs_when_a_node_has_stopped(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    leave = f"(setsid sh -c 'echo $$ > {pid_file}; exec sleep 600' &)"
    with slurm_node(tmp_path / "slurm", n_cpus=1) as own:
        own.submit(f"{leave}; sleep 600")
        own.submit("true")
        pid = int(_line_from(pid_file))
        assert _is_running(pid)

    assert not _is_running(pid)
    assert [process for process in psutil.process_iter() if _is_of(process, tmp_path)] == []


def test_missing_programs_are_named_with_their_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with (
        pytest.raises(SlurmNodeError, match=r"no .*'sbatch'.*`apt-get install slurm-wlm munge`"),
        slurm_node(tmp_path / "slurm"),
    ):
        pass


def _line_from(path: Path) -> str:
    """Return the line that a job writes to a file, when it has."""
    end_s = time.monotonic() + 30
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < end_s, f"no line in {path} after 30 s"
        time.sleep(0.05)
    return path.read_text().strip()


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_of(process: psutil.Process, folder: Path) -> bool:
    try:
        return str(folder) in " ".join([process.cwd(), *process.cmdline()])
    except psutil.Error:
        return False
