"""The language of ``--select-tasks``, against what Rubin's own implementation selects."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipetask.errors import PipelineError, UnknownLabelError
from pipetask.pipeline.task_expressions import select_tasks

# Answers of lsst-pipe-base 30.2026.500; null where it refuses the expression. "little" is a small
# pipeline, "same names" has names of two kinds each, "random" is 14 tasks and random expressions.
RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("recorded_selections.json").read_text(encoding="utf-8")
)


def flow_of(tasks: dict[str, dict[str, list[str]]]) -> nx.DiGraph:
    """Make the graph of tasks that are given by what they read and write."""
    flow = nx.DiGraph()
    for label, spec in tasks.items():
        task = ("task", label)
        notes = [f"{label}_metadata", f"{label}_log"]
        for name in (*spec.get("writes", []), *notes):
            flow.add_edge(task, ("dataset_type", name))
        for name in (*spec.get("init_writes", []), f"{label}_config"):
            flow.add_edge(task, ("dataset_type", name), is_init=True)
        for name in spec.get("reads", []):
            flow.add_edge(("dataset_type", name), task)
        for name in spec.get("init_reads", []):
            flow.add_edge(("dataset_type", name), task, is_init=True)
    return flow


def select(expression: str, pipeline: str = "little") -> list[str]:
    spec = RECORDED[pipeline]
    flow = flow_of(spec["tasks"])
    return sorted(select_tasks(expression, spec["tasks"], spec["subsets"], flow))


@pytest.mark.parametrize("pipeline", RECORDED)
def test_selects_what_rubin_selects(pipeline: str) -> None:
    spec = RECORDED[pipeline]
    flow = flow_of(spec["tasks"])
    answers: dict[str, list[str] | None] = {}

    for expression in spec["answers"]:
        try:
            found = select_tasks(expression, spec["tasks"], spec["subsets"], flow)
            answers[expression] = sorted(found)
        except PipelineError:
            answers[expression] = None

    assert answers == spec["answers"]


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("finnish", UnknownLabelError, "there is no task, subset or dataset type 'finnish'."),
        ("s & finnish", UnknownLabelError, "      ^^^^^^^ there is no task"),
        ("finnish", UnknownLabelError, "Did you mean 'finish'"),
        ("D:isr", UnknownLabelError, "  ^^^^^ there is no dataset type 'isr'."),
        ("isr |", PipelineError, "  isr |\n       ^ expected a label or name, found the end"),
        ("(isr", PipelineError, "      ^ expected '&', '|' or ')', found the end"),
        ("isr finish", PipelineError, "      ^^^^^^ expected '&' or '|', found 'finish'"),
        ("<~isr", PipelineError, "   ^ expected the name of a task or dataset type, found '~'"),
        ("isr\t&\nraw.wcs", PipelineError, "  isr & raw.wcs\n           ^ '.' has no meaning"),
        ("isr:x", PipelineError, "     ^ ':' has no meaning here; only T:, S: and D:"),
        (">step1", PipelineError, "   ^^^^^ 'step1' is a subset; a search starts from"),
        ("<isr_schema", PipelineError, "only '>isr_schema' has a meaning"),
    ],
)  # fmt: skip
def test_error_points_at_the_place(
    expression: str, error: type[PipelineError], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        select(expression)


def test_all_wrong_names_are_reported_together() -> None:
    with pytest.raises(PipelineError) as caught:
        select("isrr | <step1 | T:calexp")

    assert type(caught.value) is PipelineError
    assert [line.count("^") for line in str(caught.value).splitlines()[2::2]] == [4, 5, 8]


def test_ambiguous_name_says_how_to_write_it() -> None:
    with pytest.raises(PipelineError, match=r"is a task and a dataset type; write T:y or D:y"):
        select(">y", "same names")


def test_labels_may_have_hyphens() -> None:
    tasks: dict[str, dict[str, list[str]]] = {"make-bias": {"writes": ["bias"]}}

    assert select_tasks("<=bias & make-bias", tasks, {}, flow_of(tasks)) == {"make-bias"}


def test_nesting_may_be_deep() -> None:
    assert select("(" * 3000 + "isr" + ")" * 3000) == ["isr"]
    assert select("~" * 3001 + "isr") == ["calibrate", "finish", "summarise"]
    assert select("~(" * 3000 + "isr" + ")" * 3000) == ["isr"]


NAMES = st.sampled_from(["isr", "step1", "<final", ">=raw", "post_isr", ">src", "D:summary"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda parts: st.one_of(
        st.builds("~({})".format, parts),
        st.builds("({} & {})".format, parts, parts),
        st.builds("({} | {})".format, parts, parts),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, EXPRESSIONS)
def test_operators_are_those_of_sets(first: str, second: str) -> None:
    both, either = select(f"{first} & {second}"), select(f"{first} | {second}")

    assert both == sorted(set(select(first)) & set(select(second)))
    assert either == sorted(set(select(first)) | set(select(second)))
    assert select(f"~({first} & {second})") == select(f"~{first} | ~{second}")
    assert select(f"~~{first}") == select(first)
