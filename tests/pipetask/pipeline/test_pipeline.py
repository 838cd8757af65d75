"""Pipelines made and changed by a program, selections and contracts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipetask.config_overrides import FileOverride, PythonOverride, ValueOverride
from pipetask.errors import ContractError, PipelineError, UnknownLabelError
from pipetask.pipeline import (
    Contract,
    Pipeline,
    Selection,
    SubsetMode,
    check_contracts,
    split_selection,
)


@pytest.fixture
def pipeline() -> Pipeline:
    return (
        Pipeline("three tasks")
        .add_task("a", "m.A", {"x": 1})
        .add_task("b", "m.B")
        .add_task("c", Pipeline)
        .add_labeled_subset("ab", ["a", "b"], "Both.")
        .add_labeled_subset("all", ["a", "b", "c"])
        .add_step("ab", ["exposure"])
        .add_contract("a.x == b.x", "x differs")
        .with_instrument("cam.Camera")
        .add_override("parameters", "kind", "deep")
    )


def test_changes_return_new_pipelines(pipeline: Pipeline) -> None:
    changed = (
        pipeline.add_override("b", "x", "parameters.kind", source="-c b:x=parameters.kind")
        .add_file_override("b", "b.py")
        .add_python_override("b", "config.y = 1")
    )

    assert pipeline.tasks["b"].config == ()
    assert changed.config_overrides("b") == (
        ValueOverride("x", "deep", "-c b:x=parameters.kind"),
        FileOverride("b.py", "a program"),
        PythonOverride("config.y = 1", "<a program>", 1),
    )
    assert pipeline.tasks["c"].class_name == "pipetask.pipeline.pipeline.Pipeline"


def test_unknown_labels_are_refused_with_near_ones(pipeline: Pipeline) -> None:
    with pytest.raises(UnknownLabelError, match=r"no task 'calib'. It has a, b, c"):
        pipeline.add_override("calib", "x", 1)
    with pytest.raises(UnknownLabelError, match=r"no subset 'al'. Did you mean 'all'"):
        pipeline.remove_labeled_subset("al")
    with pytest.raises(UnknownLabelError, match=r"no task or subset 'al'. Did you mean 'all'"):
        pipeline.subset_from_labels(["a", "al"])
    with pytest.raises(PipelineError, match=r"'ab' is taken"):
        pipeline.add_task("ab", "m.X")
    with pytest.raises(PipelineError, match=r"names 'z', which is no task"):
        pipeline.add_labeled_subset("new", ["z"])
    with pytest.raises(PipelineError, match=r"step 'ab' is declared more than once"):
        pipeline.add_step("ab")


def test_removed_task_leaves_subsets_and_contracts(pipeline: Pipeline) -> None:
    less = pipeline.remove_task("a")

    assert less.task_labels == ("b", "c")
    assert less.subsets["all"].tasks == ("b", "c")
    assert less.contracts == ()
    assert pipeline.remove_labeled_subset("ab").steps == ()
    assert pipeline.find_subsets_with_label("c") == ("all",)


def test_subset_of_labels_drops_or_edits_other_subsets(pipeline: Pipeline) -> None:
    assert list(pipeline.subset_from_labels(["ab"]).subsets) == ["ab"]
    edited = pipeline.subset_from_labels(["c"], SubsetMode.EDIT)
    assert {label: s.tasks for label, s in edited.subsets.items()} == {"ab": (), "all": ("c",)}


def test_merge_puts_the_other_below(pipeline: Pipeline) -> None:
    other = Pipeline("other").add_task("a", "m.A", {"y": 2}).add_task("z", "m.Z")

    merged = pipeline.merge(other)

    assert merged.task_labels == ("a", "z", "b", "c")
    assert merged.tasks["a"].config[0].values == {"y": 2, "x": 1}
    assert merged.description == "three tasks"
    with pytest.raises(PipelineError, match=r"task 'z' is imported twice"):
        pipeline.merge(other, other)


def test_yaml_reads_back_equal(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline = pipeline.add_python_override("b", "if True:\n    config.x = 1\n")
    pipeline = pipeline.add_override("b", "z", {"k": (1, None)})

    pipeline.write(tmp_path / "p.yaml")
    again = Pipeline.from_file(tmp_path / "p.yaml")

    assert again.to_yaml() == pipeline.to_yaml() == str(pipeline)
    assert again.steps == pipeline.steps
    assert "python: |" in pipeline.to_yaml()


def test_file_is_reduced_to_the_labels_behind_its_hash(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    pipeline.write(path)

    assert Pipeline.from_file(f"{path}#ab").task_labels == ("a", "b")
    assert Pipeline.from_file(f"{path}#c, a").task_labels == ("a", "c")
    with pytest.raises(UnknownLabelError, match=r"no task or subset 'x'"):
        Pipeline.from_file(f"{path}#a,x")
    with pytest.raises(UnknownLabelError, match=r"no task 'x'"):
        Pipeline.from_file(f"{path}#a..x")
    with pytest.raises(PipelineError, match=r"depends on the graph of the tasks"):
        Pipeline.from_file(f"{path}#a..b")


def test_range_is_asked_of_who_knows_the_graph(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    pipeline.write(path)
    asked = []

    def between(whole: Pipeline, first: str | None, last: str | None) -> list[str]:
        asked.append((whole.task_labels, first, last))
        return ["b", "c"]

    assert Pipeline.from_file(f"{path}#b..", labels_between=between).task_labels == ("b", "c")
    assert asked == [(("a", "b", "c"), "b", None)]


@pytest.mark.parametrize(
    ("location", "selection"),
    [
        ("p.yaml", None),
        ("p.yaml#", None),
        ("p.yaml#a", Selection(("a",))),
        ("p.yaml#a,b", Selection(("a", "b"))),
        ("p.yaml#a%2Cb", Selection(("a", "b"))),
        ("p.yaml#a..b", Selection(first="a", last="b")),
        ("p.yaml#..b", Selection(last="b")),
        ("p.yaml#a..", Selection(first="a")),
    ],
)
def test_selection_is_read(location: str, selection: Selection | None) -> None:
    assert split_selection(location) == ("p.yaml", selection)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("p.yaml:a", "after '#', not after ':'"),
        ("p.yaml#a#b", "more than one '#'"),
        ("p.yaml#a..b,c", "a list of labels or one range"),
        ("p.yaml#a..b..c", "a range has two ends"),
    ],
)
def test_selection_without_meaning_is_refused(location: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        split_selection(location)


def test_contracts_are_evaluated_over_configurations_by_label() -> None:
    configs = {"a": SimpleNamespace(x=1), "b": SimpleNamespace(x=2)}

    check_contracts([Contract("a.x < b.x"), Contract("all(c.x for c in [a, b])")], configs)
    with pytest.raises(ContractError) as caught:
        check_contracts(
            [
                Contract("a.x\n  == b.x", "x must be one"),
                Contract("a.y == 1"),
                Contract("c.x"),
                Contract("a.x <"),
                Contract("a.x != b.x"),
            ],
            configs,
        )

    text = str(caught.value)
    assert "x must be one: 'a.x == b.x' does not hold" in text
    assert "'a.y == 1' cannot be evaluated (AttributeError" in text
    assert "'c.x' cannot be evaluated (NameError" in text
    assert "'a.x <' cannot be evaluated (SyntaxError" in text
    assert "a.x != b.x" not in text


@pytest.mark.parametrize(
    ("contract", "is_named"),
    [("isr.x", True), ("(isr.x)", True), ("my_isr.x", False), ("isr2.x", False), ("isr", False)],
)
def test_contract_knows_the_labels_in_it(contract: str, is_named: bool) -> None:
    assert Contract(contract).names("isr") is is_named
