"""Drawings of a quantum graph as DOT and Mermaid."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipetask.draw import quanta_as_dot, quanta_as_mermaid
from pipetask.draw.quantum_drawing import DrawnEdge, draw_quanta, draw_tasks, edge_counts


def test_every_quantum_and_dataset_is_drawn(shown: Any) -> None:
    graph = shown.quantum_graph

    drawing = draw_quanta(graph)

    n_quanta = {c.title: sum(node.is_work for node in c.nodes) for c in drawing.clusters}
    assert n_quanta == {"isr": 4, "calibrate": 4, "summarise": 1, "finish": 4}
    assert {node.lines[0] for node in drawing.inputs} == {"raw", "bias"}
    written = [node.lines[0] for c in drawing.clusters for node in c.nodes if not node.is_work]
    assert {name: written.count(name) for name in written} == {
        "post_isr": 4, "isr_metadata": 4, "calexp": 4, "src": 4, "summary": 1, "final": 4,
    }  # fmt: skip
    assert len(drawing.edges) == sum(edge_counts(graph).values()) == 16 + 12 + 9 + 12


def test_edges_join_nodes_that_are_drawn(shown: Any) -> None:
    for drawing in (draw_quanta(shown.quantum_graph), draw_tasks(shown.quantum_graph, "why")):
        clustered = [node.name for cluster in drawing.clusters for node in cluster.nodes]
        names = [node.name for node in drawing.inputs] + clustered

        assert len(names) == len(set(names))
        assert {end for edge in drawing.edges for end in (edge.source, edge.target)} == set(names)


def test_tasks_are_drawn_with_counts(shown: Any) -> None:
    drawing = draw_tasks(shown.quantum_graph, "why")

    summarise = drawing.clusters[2]
    assert [node.lines for node in summarise.nodes] == [
        ("summarise", "1 quantum"), ("summary", "1 dataset"),
    ]  # fmt: skip
    assert DrawnEdge("t2", summarise.nodes[1].name, is_prerequisite=False, count=1) in drawing.edges
    inputs = [node.lines for node in drawing.inputs]
    assert inputs == [("raw", "4 datasets"), ("bias", "2 datasets")]
    assert [edge.is_prerequisite for edge in drawing.edges].count(True) == 1


def test_dot(shown: Any) -> None:
    text = quanta_as_dot(shown.quantum_graph)

    label = "<B>isr</B><BR/>instrument = Cam&lt;&amp;&quot;'~<BR/>detector = 0<BR/>exposure = 1>"
    assert label in text
    assert 'subgraph cluster_0 {\nlabel="isr";\n' in text
    assert text.startswith("digraph")
    assert '"q0" -> "d4";' in text
    assert 'style="dashed"' in text


def test_mermaid(shown: Any) -> None:
    text = quanta_as_mermaid(shown.quantum_graph)

    label = "isr<br>instrument = Cam#60;#38;#34;#39;#126;<br>detector = 0<br>exposure = 1"
    assert f'q0["{label}"]:::task\n' in text
    assert 'subgraph c0 ["isr"]\n' in text
    assert "q0 --> d4\n" in text
    assert "%%" not in text


@pytest.mark.parametrize("draw", [quanta_as_dot, quanta_as_mermaid])
def test_beyond_the_limit_of_edges_tasks_are_drawn(draw: object, shown: Any) -> None:
    graph = shown.quantum_graph
    n_edges = sum(edge_counts(graph).values())
    assert callable(draw)

    at_limit, beyond = draw(graph, max_edges=n_edges), draw(graph, max_edges=n_edges - 1)

    assert "q0" in at_limit
    assert "q0" not in beyond
    note = rf"^(//|%%) {n_edges} edges are more than {n_edges - 1}: "
    assert re.search(note, beyond, re.MULTILINE)


def test_beyond_the_limit_of_characters_tasks_are_drawn(shown: Any) -> None:
    text = quanta_as_mermaid(shown.quantum_graph)

    shorter = quanta_as_mermaid(shown.quantum_graph, max_characters=len(text) - 1)

    assert f"%% {len(text)} characters are more than {len(text) - 1}: " in shorter
    assert quanta_as_mermaid(shown.quantum_graph, max_characters=len(text)) == text


def test_drawings_are_the_same_each_time(shown: Any) -> None:
    for draw in (quanta_as_dot, quanta_as_mermaid):
        assert draw(shown.quantum_graph) == draw(shown.quantum_graph)
