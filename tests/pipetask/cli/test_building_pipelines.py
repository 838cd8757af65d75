"""``pipetask build``: options from left to right, what is shown, what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from pipetask.pipeline import Pipeline

Run = Callable[..., Result]

TASK = "toy_tasks.MeasureTask"


def shown(result: Result) -> str:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def test_later_options_win(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.py"
    file.write_text("config.factor = 3.0\n")
    value, in_file = ("-c", "m:factor=2"), ("-C", f"m:{file}")

    file_last = run("build", "-t", f"{TASK}:m", *value, *in_file, "--show", "config=m::factor")
    value_last = run("build", "-t", f"{TASK}:m", *in_file, *value, "--show", "config=m::factor")

    assert "config.factor=3.0" in shown(file_last)
    assert "config.factor=2.0" in shown(value_last)


def test_a_task_is_configured_after_it_is_added_only(run: Run) -> None:
    result = run("build", "-c", "m:factor=2", "-t", f"{TASK}:m")

    assert result.exit_code == 1
    assert "no task 'm'" in result.stderr


def test_a_task_added_again_after_it_was_deleted_has_its_defaults(run: Run) -> None:
    add = ("-t", f"{TASK}:m")

    result = run(
        "build", *add, "-c", "m:factor=2", "--delete", "m", *add, "--show", "config=m::factor"
    )

    assert "config.factor=1.0" in shown(result)


def test_a_deleted_task_is_gone(run: Run, pipeline: Path) -> None:
    result = run("build", "-p", pipeline, "--delete", "merge", "--show", "tasks")

    assert "merge" not in shown(result)
    assert "measure" in result.stdout


def test_instrument_of_the_command_line_replaces_the_files(run: Run, pipeline: Path) -> None:
    result = run("build", "-p", pipeline, "--instrument", "other.Camera", "--show", "pipeline")

    assert "instrument: other.Camera" in shown(result)


def test_label_is_the_class_name_where_none_is_given(run: Run) -> None:
    assert "MeasureTask" in shown(run("build", "-t", TASK, "--show", "tasks"))


def test_labels_behind_the_file_name_choose(run: Run, pipeline: Path) -> None:
    result = run("build", "-p", f"{pipeline}#first", "--show", "tasks")

    assert "merge" not in shown(result)


@pytest.mark.parametrize(
    ("expression", "kept"),
    [("measure", ["measure"]), (">= merge", ["merge"]), ("<= merge", ["measure", "merge"])],
)
def test_tasks_are_selected(
    run: Run, pipeline: Path, tmp_path: Path, expression: str, kept: list[str]
) -> None:
    saved = tmp_path / "saved.yaml"

    shown(run("build", "-p", pipeline, "--select-tasks", expression, "-s", saved))

    assert list(Pipeline.from_file(saved).task_labels) == kept


def test_saved_pipeline_is_the_pipeline(run: Run, pipeline: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"

    shown(run("build", "-p", pipeline, "-c", "measure:factor=7", "-s", first))
    shown(run("build", "-p", first, "-s", second))
    result = run("build", "-p", second, "--show", "config=measure::factor")

    assert first.read_text() == second.read_text()
    assert "config.factor=7.0" in shown(result)


@pytest.mark.parametrize(
    ("item", "parts"),
    [
        ("pipeline", ["description: A little pipeline", "class: toy_tasks.MergeTask"]),
        ("tasks", ["measure", "merge"]),
        ("subsets", ["first", "measure"]),
        ("pipeline-graph", ["raw", "measured", "merged"]),
        ("task-graph", ["measure", "merge"]),
        ("inputs", ["raw"]),
        ("config", ["config.scale=2.0", "config.factor=1.0"]),
        ("config=merge::*", ["config.scale=2.0"]),
        ("history=merge::scale", ["scale", "2"]),
        ("dump-config", ["scale", "factor"]),
        ("dump-config=merge", ["scale"]),
    ],
)
def test_item_is_shown(run: Run, pipeline: Path, item: str, parts: list[str]) -> None:
    text = shown(run("build", "-p", pipeline, "--show", item))

    assert [part for part in parts if part not in text] == []


def test_items_are_shown_in_the_order_asked_for(run: Run, pipeline: Path) -> None:
    text = shown(run("build", "-p", pipeline, "--show", "inputs", "--show", "subsets"))

    assert text.index("raw") < text.index("first")


def test_drawings_are_written(run: Run, pipeline: Path, tmp_path: Path) -> None:
    dot, mermaid = tmp_path / "p.dot", tmp_path / "p.mmd"

    result = run("build", "-p", pipeline, "--pipeline-dot", dot, "--pipeline-mermaid", mermaid)

    assert shown(result) == ""
    assert dot.read_text().startswith("digraph")
    assert mermaid.read_text().startswith("flowchart")


def test_pipeline_is_checked_against_a_repository(run: Run, pipeline: Path, repo: Path) -> None:
    shown(run("build", "-p", pipeline, "-b", repo))

    result = run("build", "-t", "toy_tasks.OtherShapeTask", "-b", repo)

    assert result.exit_code == 1
    assert "'raw'" in result.stderr


def test_options_file_comes_before_what_is_typed(run: Run, pipeline: Path, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(
        f"build:\n  pipeline: {pipeline}\n  task: toy_tasks.CopyTask:copy\n"
        "  config: [measure:factor=3, merge:scale=3]\n"
    )

    from_file = run("build", "-@", file, "--show", "config=measure::factor")
    typed = run(
        "build", "-@", file, "-c", "measure:factor=4", "--show", "tasks", "--show", "config"
    )

    assert "config.factor=3.0" in shown(from_file)
    assert "copy" in shown(typed)
    assert "config.factor=4.0" in typed.stdout
    assert "config.scale=2.0" in typed.stdout
