"""Drawings of a pipeline as text, DOT and Mermaid."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipetask.draw import (
    pipeline_as_dot,
    pipeline_as_mermaid,
    pipeline_as_text,
    pipeline_mermaid,
    tasks_as_text,
)
from pipetask.draw.escaping import dot_html, dot_name, mermaid_label
from pipetask.pipeline_graph import PipelineGraph

DRAWING = """\
○      bias: {detector} StructuredDataDict
│ ○    raw: {detector, exposure} StructuredDataDict
├─╯
■      isr: {detector, exposure}
├─╮
│ ○    isr_metadata: {detector, exposure} TaskMetadata
│ │
○ │    post_isr: {detector, exposure} StructuredDataDict
│ │
■ │    calibrate: {detector, exposure}
├─│─╮
│ │ ○  calexp: {detector, exposure} StructuredDataDict
│ │ │
○ │ │  src: {detector, exposure} StructuredDataDict
├─╯ │
■   │  summarise: {instrument}
│   │
○   │  summary: {instrument} StructuredDataDict
├───╯
■      finish: {detector, exposure}
│
○      final: {detector, exposure} StructuredDataDict
"""

TASK_DRAWING = """\
■    isr: {instrument, exposure, detector}
├─╮
│ ■  calibrate: {instrument, exposure, detector}
├─┤
■ │  summarise: {instrument}
├─╯
■    finish: {instrument, exposure, detector}
"""


def test_pipeline_as_text(shown: Any) -> None:
    assert pipeline_as_text(shown.pipeline_graph, shown.resolved) == DRAWING


def test_tasks_as_text_without_a_repository(pipeline_graph: PipelineGraph) -> None:
    assert sorted_braces(tasks_as_text(pipeline_graph)) == sorted_braces(TASK_DRAWING)


def sorted_braces(text: str) -> str:
    """Put the dimensions of a drawing in order of the alphabet."""
    return re.sub(r"{(.*)}", lambda m: f"{{{', '.join(sorted(m[1].split(', ')))}}}", text)


def test_dot_has_every_node_and_edge(shown: Any) -> None:
    lines = pipeline_as_dot(shown.pipeline_graph, shown.resolved).splitlines()

    assert (lines[0], lines[-1]) == ("digraph Pipeline {", "}")
    assert any(
        line.startswith('"task:isr" [') and "<B>isr</B><BR/>{detector, exposure}<BR/>little" in line
        for line in lines
    )
    assert '"dataset_type:bias" -> "task:isr" [style="dashed"];' in lines
    assert '"dataset_type:isr_metadata" -> "task:summarise";' in lines
    assert len([line for line in lines if " -> " in line]) == 13


def test_dot_draws_constructors_if_asked(pipeline_graph: PipelineGraph) -> None:
    text = pipeline_as_dot(pipeline_graph, with_init=True)

    assert '"task:isr" -> "dataset_type:isr_schema" [style="dotted"];' in text
    assert "isr_schema" not in pipeline_as_dot(pipeline_graph)


def test_mermaid_has_every_node_and_edge(shown: Any) -> None:
    lines = pipeline_as_mermaid(shown.pipeline_graph, shown.resolved).splitlines()

    assert lines[0] == "flowchart TD"
    assert 'n0(["bias<br>{detector}<br>StructuredDataDict"]):::dataset' in lines
    assert 'n2["isr<br>{detector, exposure}<br>little_tasks.IsrTask"]:::task' in lines
    assert "n0 -.-> n2" in lines
    assert len([line for line in lines if "->" in line]) == 13
    assert not any(line.startswith("%%") for line in lines)


def test_mermaid_says_when_viewers_stop(
    pipeline_graph: PipelineGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipetask.draw.pipeline_mermaid.VIEWER_EDGES", 12)

    text = pipeline_as_mermaid(pipeline_graph)

    assert "%% 13 edges: viewers stop at 12 unless their maxEdges is raised." in text
    assert pipeline_mermaid.VIEWER_EDGES == 12


def test_drawings_are_the_same_each_time(pipeline_graph: PipelineGraph) -> None:
    for draw in (pipeline_as_dot, pipeline_as_mermaid, pipeline_as_text, tasks_as_text):
        assert draw(pipeline_graph) == draw(pipeline_graph)


def test_escaping() -> None:
    assert dot_name('a"b\\c\nd') == r'"a\"b\\c d"'
    assert dot_html('a<b & "c" > ~d\'') == "a&lt;b &amp; &quot;c&quot; &gt; ~d'"
    assert mermaid_label(('a"b', "<&>~#`$%;")) == (
        '"a#34;b<br>#60;#38;#62;#126;#35;#96;#36;#37;#59;"'
    )
    assert mermaid_label(("instrument = Cam_1, {détecteur} 3.5/7",)) == (
        '"instrument = Cam_1, {détecteur} 3.5/7"'
    )
