"""Prints how many quanta and edges one of the peer's graphs has."""

import sys

from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

if __name__ == "__main__":
    graph = PredictedQuantumGraph.read_execution_quanta(sys.argv[1])
    print(len(graph), graph.bipartite_xgraph.number_of_edges())
