"""Runs without a registry in which quanta fail, and are run again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core import Butler
from tests.pipetask.cli.chain_steps import n_datasets, well

Run = Callable[..., Result]


@pytest.fixture
def failing(build: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """Return a graph, and a file as long as which nothing can be measured."""
    cause = tmp_path / "cause"
    cause.touch()
    option = f"measure:fails_while={str(cause)!r}"
    return build("--qgraph-datastore-records", "-c", option, name="failing.qg"), cause


@pytest.fixture
def mended(run: Run, repo: Path, failing: tuple[Path, Path]) -> Path:
    """Return a graph of which quanta have failed, and would not fail again."""
    file, cause = failing
    well(run("pre-exec-init-qbb", repo, file))
    assert run("run-qbb", repo, file).exit_code == 1
    cause.unlink()
    return file


@pytest.mark.parametrize("order", ["as they were", "the other way"])
def test_failed_quanta_are_run_again(
    run: Run, repo: Path, failing: tuple[Path, Path], transfer: Run, order: str
) -> None:
    file, cause = failing
    well(run("pre-exec-init-qbb", repo, file))

    failed = run("run-qbb", repo, file)
    journals = set((repo / "out/1/graphs").glob("*.journal"))
    cause.unlink()
    mended = well(run("run-qbb", repo, file))
    (last,) = set((repo / "out/1/graphs").glob("*.journal")) - journals
    # Journals are called by hosts and processes, so their names say nothing of when they were.
    graph_id = last.name.split(".")[0]
    last.rename(last.with_name(f"{graph_id}.{'z' if order == 'as they were' else '0'}.journal"))
    well(transfer(file))

    assert failed.exit_code == 1
    assert "cannot be measured" in failed.stderr
    assert "the same command does what is missing" in failed.stderr
    assert "succeeded" in mended.stdout
    names = ("measured", "measure_metadata", "measure_log", "merged")
    assert [n_datasets(repo, name) for name in names] == [4, 4, 4, 2]
    with Butler(repo) as butler:
        logs = [str(butler.get(ref)) for ref in butler.query_datasets("measure_log", ["out/1"])]
    assert not any("cannot be measured" in text for text in logs)


def test_what_was_done_before_is_not_counted_as_waiting(
    run: Run, repo: Path, mended: Path, tmp_path: Path
) -> None:
    metrics = tmp_path / "counts.prom"

    well(run("run-qbb", repo, mended, "--metrics", metrics))

    counts = re.findall(r'state="(.*)"} (\d+)', metrics.read_text())
    assert {(state, n) for state, n in counts if n != "0"} == {
        ("succeeded", "2"), ("succeeded", "4"),
    }  # fmt: skip


def test_what_a_report_says_to_do_does_it(
    run: Run, repo: Path, mended: Path, transfer: Run
) -> None:
    said = run("report", repo, "out/1").stdout
    program, *command = shlex.split(said.split("To run what is not done:\n")[1])
    well(run(*command))
    well(transfer(mended))

    assert (program, command[0]) == ("pipetask", "run-qbb")
    well(run("report", repo, "out/1"))


def test_failed_quanta_are_run_again_after_their_logs_were_registered(
    run: Run, repo: Path, failing: tuple[Path, Path], transfer: Run
) -> None:
    file, cause = failing
    well(run("pre-exec-init-qbb", repo, file))
    assert run("run-qbb", repo, file).exit_code == 1
    well(transfer(file))
    assert n_datasets(repo, "measure_log") == 4
    cause.unlink()

    well(run("run-qbb", repo, file))
    well(transfer(file))

    names = ("measured", "measure_metadata", "measure_log", "merged")
    assert [n_datasets(repo, name) for name in names] == [4, 4, 4, 2]
    with Butler(repo) as butler:
        logs = [str(butler.get(ref)) for ref in butler.query_datasets("measure_log", ["out/1"])]
    assert not any("cannot be measured" in text for text in logs)
