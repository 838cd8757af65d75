"""Lines of terminal drawings: what is drawn can be read back."""

from __future__ import annotations

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from pipetask.draw.lanes import Row, lane_rows

#: Glyphs that a line comes into from above and leaves sideways.
_TURNING = set("┤├┼╯╰┴")
_GOES_DOWN = set("│┤├┼╮╭┬")


def drawn(graph: nx.DiGraph) -> list[Row]:
    return list(lane_rows(sorted(graph), graph, lambda _: "o"))


def read_back(rows: list[Row]) -> set[tuple[object, object]]:
    """Follow the lines of a drawing from the top and return what is joined with what."""
    found: set[tuple[object, object]] = set()
    lanes: dict[int, object] = {}
    joined: list[object] = []
    for row in rows:
        cells = dict(enumerate(row.text[::2]))
        if row.node is None:
            turning = [i for i, cell in cells.items() if cell in _TURNING]
            straight = [i for i, cell in cells.items() if cell == "│"]
            if not set(row.text) - set("│ "):
                joined = [lanes[i] for i in straight]
            else:
                joined = [lanes[i] for i in turning if i in lanes]
            lanes = {i: lanes[i] for i in lanes if cells.get(i) in _GOES_DOWN}
            continue
        column = row.text.index("o") // 2
        if joined:
            previous = rows[rows.index(row) - 1].text
            if not set(previous) - set("│ "):
                joined = [lanes[column]]
            found |= {(source, row.node) for source in joined}
        lanes = {i: lanes[i] for i in lanes if cells.get(i) == "│"}
        lanes[column] = row.node
        joined = []
    return found


@st.composite
def acyclic_graphs(draw: st.DrawFn) -> nx.DiGraph:
    size = draw(st.integers(1, 9))
    pairs = [(i, j) for j in range(size) for i in range(j)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    graph = nx.DiGraph()
    graph.add_nodes_from(("task", str(i)) for i in range(size))
    graph.add_edges_from((("task", str(i)), ("task", str(j))) for i, j in chosen)
    return graph


@given(acyclic_graphs())
def test_drawing_can_be_read_back(graph: nx.DiGraph) -> None:
    rows = drawn(graph)

    assert read_back(rows) == set(graph.edges)
    assert [row.node for row in rows if row.node] == sorted(graph)


def test_crossed_line_stays_unbroken() -> None:
    graph = nx.DiGraph([(("a", ""), ("d", "")), (("b", ""), ("e", "")), (("a", ""), ("c", ""))])
    graph.add_edges_from([(("c", ""), ("e", "")), (("d", ""), ("e", ""))])

    text = [row.text for row in drawn(graph)]

    assert text == ["o", "│ o", "├─│─╮", "│ │ o", "│ │ │", "o │ │", "├─┴─╯", "o"]
