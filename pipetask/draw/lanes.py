"""A graph as rows of characters: nodes in order, joined by lines in lanes.

Knows neither pipelines nor labels. A lane starts at a node and goes down to
the last node that it leads to. In the row above a node, lines that join do so
into that node; a line that another one crosses stays a bare ``│``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipetask.pipeline_graph.flow_graph import Node

if TYPE_CHECKING:
    import networkx as nx

#: By whether a line goes up, down, left and right.
_GLYPHS = {
    (1, 1, 0, 0): "│", (1, 1, 1, 0): "┤", (1, 1, 0, 1): "├", (1, 1, 1, 1): "┼",
    (1, 0, 1, 0): "╯", (1, 0, 0, 1): "╰", (1, 0, 1, 1): "┴",
    (0, 1, 1, 0): "╮", (0, 1, 0, 1): "╭", (0, 1, 1, 1): "┬", (0, 1, 0, 0): " ",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of a drawing."""

    #: The lines, and the node's symbol.
    text: str
    #: The node in the row; None for a row that only joins lines.
    node: Node | None = None


@dataclass
class _Lanes:
    """Where lines run at some height of the drawing."""

    graph: nx.DiGraph
    symbol: Callable[[Node], str]
    #: Where each lane comes from; None where no line runs.
    sources: list[Node | None] = field(default_factory=list)
    #: To how many nodes further down a node leads.
    left: dict[Node, int] = field(default_factory=dict)

    def add(self, node: Node) -> Iterator[Row]:
        """Give the rows of the next node."""
        joined = [
            i for i, source in enumerate(self.sources)
            if source is not None and self.graph.has_edge(source, node)
        ]  # fmt: skip
        ending = [i for i in joined if self.left[self._source(i)] == 1]
        column = ending[0] if ending else self._free_column(joined)
        if column == len(self.sources):
            self.sources.append(None)
        if joined:
            yield Row(self._joint_row(joined, ending, column))
        for i in joined:
            self.left[self._source(i)] -= 1
        for i in ending:
            self.sources[i] = None
        yield Row(self._node_row(node, column), node)
        self.left[node] = self.graph.out_degree(node)
        self.sources[column] = node if self.left[node] else None
        while self.sources and self.sources[-1] is None:
            self.sources.pop()

    def _source(self, lane: int) -> Node:
        source = self.sources[lane]
        assert source is not None
        return source

    def _free_column(self, joined: list[int]) -> int:
        """Return the lane without a line that is next to the first of some lanes."""
        free = [i for i, source in enumerate(self.sources) if source is None]
        near = joined[0] if joined else 0
        return min([*free, len(self.sources)], key=lambda i: (abs(i - near), i))

    def _joint_row(self, joined: list[int], ending: list[int], column: int) -> str:
        """Draw how lines come together above a node."""
        first, last = min(*joined, column), max(*joined, column)
        pieces = []
        for i, source in enumerate(self.sources):
            is_joint = i in joined or i == column
            if is_joint:
                goes_down = i == column or i not in ending
                key = (int(source is not None), int(goes_down), int(i > first), int(i < last))
                pieces.append(_GLYPHS[key])
            elif source is not None:
                pieces.append("│")
            else:
                pieces.append("─" if first < i < last else " ")
            pieces.append("─" if first <= i < last else " ")
        return "".join(pieces).rstrip()

    def _node_row(self, node: Node, column: int) -> str:
        """Draw a node and the lines that pass it."""
        pieces = ["│" if source is not None else " " for source in self.sources]
        pieces[column] = self.symbol(node)
        return " ".join(pieces).rstrip()


def lane_rows(
    order: Sequence[Node], graph: nx.DiGraph, symbol: Callable[[Node], str]
) -> Iterator[Row]:
    """Go through the rows of a drawing from the top.

    Parameters
    ----------
    order
        All nodes, each behind those with an edge to it.
    graph
        The edges.
    symbol
        Gives the one character that stands for a node.
    """
    lanes = _Lanes(graph, symbol)
    for node in order:
        yield from lanes.add(node)
