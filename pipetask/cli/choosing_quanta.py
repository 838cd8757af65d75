"""Which quanta of a graph are meant by ids, labels and parts."""

from __future__ import annotations

from collections.abc import Sequence

from pipetask.execution.quantum_backed import part_of
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.graph_parts import chosen_parts


def quanta_chosen(
    graph: QuantumGraph, ids: Sequence[str], labels: Sequence[str], part: str | None
) -> frozenset[int] | None:
    """Return the numbers of the quanta meant; None for all.

    Parameters
    ----------
    ids
        Numbers or ids, or several with commas between them.
    part
        ``K/N``: the K-th of N parts of what the others choose.
    """
    chosen: frozenset[int] | None = None
    if labels:
        by_label = chosen_parts(graph, labels)
        chosen = frozenset(number for numbers in by_label.values() for number in numbers)
    if ids:
        named = graph.numbers_of([one for text in ids for one in text.split(",") if one])
        chosen = named if chosen is None else chosen & named
    if part is not None:
        every = range(len(graph)) if chosen is None else sorted(chosen)
        chosen = part_of(list(every), part)
    return chosen
