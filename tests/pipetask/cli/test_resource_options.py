"""``--resources``: what it sets, and what it makes of nonsense."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from pipetask.cli.resource_options import RulesByLabel, rules_by_label
from pipetask.cli.run_options import run_options
from pipetask.execution.task_rules import TaskRules

Run = Callable[..., Result]

DEFAULT = TaskRules(retries=1, memory_mb=500.0)


def size_mb(text: str, _option: str) -> float | None:
    return float(text)


def rules(*texts: str) -> RulesByLabel:
    return rules_by_label(texts, DEFAULT, size_mb)


def given(**options: Any) -> dict[str, Any]:
    """Return the options of a run, as they are if none is given."""
    plain = {
        "processes": 1, "engine": None, "scheduler": None, "cluster": None, "pdb": False,
        "profile": None, "timeout": None, "memory_per_quantum": None, "total_memory": None,
        "enable_implicit_threading": True, "cores_per_quantum": 1, "retries": 0, "resources": (),
        "order": "depth-first", "fail_fast": False, "accept_failures": False, "journal": None,
        "patience": 60.0,
    }  # fmt: skip
    return {**plain, **options}


# ---------------------------------------------------------------- what it sets
def test_every_rule_can_be_set() -> None:
    text = "isr:cores=2,memory=3000,max-concurrent=4,retries=5,memory-factor=1.5,timeout=60"

    found = rules(text)

    assert found == {"isr": TaskRules(2, 3000.0, 4, 5, 1.5, 60.0)}


def test_what_is_not_set_is_as_for_all() -> None:
    found = rules("isr:cores=2")

    assert found["isr"] == TaskRules(cores=2, retries=1, memory_mb=500.0)
    assert found.get("other", DEFAULT) == DEFAULT


def test_the_star_is_for_tasks_that_are_not_named() -> None:
    found = rules("*:retries=7", "isr:cores=2")

    assert found.get("other", DEFAULT).retries == 7
    assert (found.get("isr", DEFAULT).cores, found.get("isr", DEFAULT).retries) == (2, 7)


def test_settings_of_one_task_add_up_and_the_last_wins() -> None:
    found = rules("isr:cores=2,retries=3", "isr:cores=4")

    assert (found["isr"].cores, found["isr"].retries) == (4, 3)


@pytest.mark.parametrize(
    ("size", "mb"),
    [("3000", 3000.0), ("3GB", 3000.0), ("1GiB", 1073.741824), ("2.5 gb", 2500.0), ("5kb", 5e-3)],
)
def test_memory_is_a_size(size: str, mb: float) -> None:
    options = run_options(given(processes=2, resources=(f"isr:memory={size}",)))

    assert options.rules_of("isr").memory_mb == pytest.approx(mb)


def test_rules_of_the_run_are_the_defaults() -> None:
    options = run_options(given(retries=2, resources=("isr:cores=3",)))

    assert options.rules_of("isr") == TaskRules(cores=3, retries=2)
    assert options.rules_of("other") == TaskRules(retries=2)


# ------------------------------------------------------------------- nonsense
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("isr", "takes LABEL:NAME=VALUE, not 'isr'"),
        (":cores=2", "takes LABEL:NAME=VALUE"),
        ("", "takes LABEL:NAME=VALUE"),
        ("isr:", "sets ''"),
        ("isr:cores=2,", "sets ''"),
        ("isr:core=2", "sets 'core'; there are cores, memory, .*Did you mean 'cores'"),
        ("isr:cores", "cores cannot be ''"),
        ("isr:cores=0", "cores cannot be '0'"),
        ("isr:cores=-1", "cores cannot be '-1'"),
        ("isr:cores=1.5", "cores cannot be '1.5'"),
        ("isr:cores=²", "cores cannot be"),
        ("isr:max-concurrent=0", "max-concurrent cannot be '0'"),
        ("isr:retries=-1", "retries cannot be '-1'"),
        ("isr:memory-factor=0.5", "memory-factor cannot be '0.5'"),
        ("isr:memory-factor=nan", "memory-factor cannot be 'nan'"),
        ("isr:memory-factor=inf", "memory-factor cannot be 'inf'"),
        ("isr:timeout=0", "timeout cannot be '0'"),
        ("isr:timeout=-3", "timeout cannot be '-3'"),
        ("isr:timeout=inf", "timeout cannot be 'inf'"),
        ("isr:timeout=soon", "timeout cannot be 'soon'"),
    ],
)
def test_nonsense_is_refused(text: str, part: str) -> None:
    with pytest.raises(click.UsageError, match=part):
        rules(text)


@pytest.mark.parametrize("size", ["much", "3 apples", "-3GB", "", "nan"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(click.UsageError, match="--resources memory takes a size such as 3GB"):
        run_options(given(resources=(f"isr:memory={size}",)))


# -------------------------------------------------------------------- engines
@pytest.mark.parametrize("text", ["isr:timeout=5", "*:timeout=5", "isr:memory=1GB"])
def test_bounds_take_quanta_to_processes(text: str) -> None:
    assert run_options(given(resources=(text,))).engine == "processes"
    assert run_options(given(resources=("isr:cores=2",))).engine is None


@pytest.mark.parametrize("engine", ["serial", "threads", "dask"])
def test_a_time_that_cannot_be_kept_is_refused(engine: str) -> None:
    with pytest.raises(click.UsageError, match="--resources timeout cannot go with --engine"):
        run_options(given(engine=engine, resources=("isr:timeout=5",)))


def test_memory_that_cannot_be_bounded_is_told(caplog: pytest.LogCaptureFixture) -> None:
    options = run_options(given(engine="threads", resources=("isr:memory=1GB",)))

    assert options.engine == "threads"
    assert "--resources memory bounds nothing with --engine threads" in caplog.text


def test_a_debugger_cannot_go_with_bounds() -> None:
    with pytest.raises(click.UsageError, match="--resources timeout needs quanta to run in other"):
        run_options(given(pdb=True, resources=("isr:timeout=5",)))


# ----------------------------------------------------------------- in the whole
def test_a_quantum_that_takes_too_long_for_its_task_fails(
    run: Run, repo: Path, pipeline: Path
) -> None:
    common = ["-i", "Cam/raw/all", "--output-run", "out/1", "--register-dataset-types"]
    where = ["-d", "detector=0 AND exposure=2", "-c", "measure:hangs_for=[2]"]
    resources = ["--resources", "measure:timeout=0.5", "--resources", "mesure:cores=3"]

    result = run("run", "-b", repo, "-p", pipeline, *common, *where, *resources)

    assert result.exit_code == 1
    assert "it took longer than 0.5 s" in result.stderr
    assert "--resources names 'mesure', which is no task of this graph." in result.stderr
    assert "Did you mean 'measure'" in result.stderr


def test_nonsense_makes_nothing(run: Run, repo: Path, pipeline: Path) -> None:
    common = ["-i", "Cam/raw/all", "--output-run", "out/1", "--register-dataset-types"]

    result = run("run", "-b", repo, "-p", pipeline, *common, "--resources", "measure:core=1")

    assert result.exit_code == 2
    assert "Did you mean 'cores'?" in result.stderr
    assert not (repo / "out").exists()
