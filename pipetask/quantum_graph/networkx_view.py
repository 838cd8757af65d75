"""A quantum graph as networkx has it, for programs that look at it as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

    from pipetask.quantum_graph.graph import QuantumGraph


def to_networkx(graph: QuantumGraph) -> nx.DiGraph:
    """Return quanta and datasets as one bipartite graph.

    Everything is read into memory: about 3 kB for each quantum and edge.

    Returns
    -------
    networkx.DiGraph
        Nodes are ``("quantum", number)``, with ``task``, ``data_id`` and
        ``id``, and ``("dataset", id)``, with ``ref``. Edges have
        ``connections``, a tuple, and go from inputs to quanta to outputs.
    """
    import networkx as nx

    view = nx.DiGraph()
    for quantum in graph.iter_quanta():
        node = ("quantum", quantum.number)
        view.add_node(node, task=quantum.task_label, data_id=quantum.data_id, id=quantum.id)
        for name, refs in quantum.inputs.items():
            for ref in refs:
                view.add_node(("dataset", ref.id), ref=ref)
                known = view.get_edge_data(("dataset", ref.id), node, {"connections": ()})
                view.add_edge(("dataset", ref.id), node, connections=(*known["connections"], name))
        for name, refs in quantum.outputs.items():
            for ref in refs:
                view.add_node(("dataset", ref.id), ref=ref)
                view.add_edge(node, ("dataset", ref.id), connections=(name,))
    return view
