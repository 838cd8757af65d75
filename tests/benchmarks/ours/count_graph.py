"""Prints how many quanta and edges one of our graphs has."""

import sys

from pipetask.quantum_graph import QuantumGraph

if __name__ == "__main__":
    with QuantumGraph.open(sys.argv[1]) as graph:
        counts = graph.counts()
        print(counts["quantum"], counts["edge"])
