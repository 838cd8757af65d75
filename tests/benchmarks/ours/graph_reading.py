"""Reads our quantum graphs in a process that has read one before."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from actor import Setting
from clock import clock

from ours.graphs import GRAPH
from pipetask.quantum_graph import QuantumGraph


def first_looks(setting: Setting, *, repeats: int) -> dict[str, Any]:
    """Open a graph anew, several times: its header, and then a quantum.

    The quantum is another one each time, spread over the file.
    """
    path = setting.needs["graph"] / GRAPH
    _look(path, 0.5)
    with clock() as taken:
        looks = [_look(path, (i + 0.5) / repeats) for i in range(repeats)]
    return taken.facts(
        n=repeats,
        n_quanta=looks[0][2],
        header_ms=median(look[0] for look in looks),
        quantum_ms=median(look[1] for look in looks),
    )


def _look(path: Path, part: float) -> tuple[float, float, int]:
    begin = time.perf_counter()
    with QuantumGraph.open(path) as graph:
        _ = graph.header
        header_ms = 1000 * (time.perf_counter() - begin)
    n_quanta = _size(path)
    begin = time.perf_counter()
    with QuantumGraph.open(path) as graph:
        graph.quantum(int(part * n_quanta))
        quantum_ms = 1000 * (time.perf_counter() - begin)
    return header_ms, quantum_ms, n_quanta


def _size(path: Path) -> int:
    with QuantumGraph.open(path) as graph:
        return len(graph)
