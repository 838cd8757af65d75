"""Builds a dense gather: every quantum of one task reads what every quantum of another writes.

Prints time, memory and counts. No test: ``python tests/benchmarks/bench_dense_gather.py [SIZE]``;
with the default of 3000 the graph has 9 million edges, for which 20 s and 1.5 GB on two cores are
the limits.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pipetask" / "importable"))

from graph_building import build_graph
from graph_specs import UNITS, Connection, Task
from graph_world import Datasets, World, insert_datasets, insert_records, make_world

from butler_core import Butler

GROUP = ("instrument", "group")


def dense_world(size: int) -> World:
    """Return a world of so many groups and detectors, and a dataset for each group."""
    world = make_world(1, n_detectors=1, n_exposures=1)
    detector, group = world.records["detector"][0], world.records["group"][0]
    for name in [n for n in world.records if n.startswith("visit") and n != "visit_system"]:
        del world.records[name]
    del world.records["exposure"]
    world.records["detector"] = [{**detector, "id": i, "full_name": f"S{i}"} for i in range(size)]
    world.records["group"] = [{**group, "name": f"g{i}"} for i in range(size)]
    starts = [{"instrument": "Cam", "group": f"g{i}"} for i in range(size)]
    world.datasets.append(Datasets("start", GROUP, "in/all", starts))
    return world


def dense_pipeline() -> list[Task]:
    """Return a task for each group and a task for each detector that reads of all groups."""
    start, middle = (Connection(name, GROUP, multiple=False) for name in ("start", "middle"))
    end = Connection("end", UNITS["D"], multiple=False)
    gathered = Connection("middle", GROUP)
    return [
        Task("scatter", GROUP, {"x": start}, outputs={"y": middle}),
        Task("gather", UNITS["D"], {"y": gathered}, outputs={"z": end}),
    ]


def main() -> None:
    """Build the graph and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", nargs="?", type=int, default=3000)
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory() as name, Butler.create(Path(name) / "repo") as butler:
        world = dense_world(size)
        insert_records(butler, world)
        insert_datasets(butler, world)
        before_mb = _peak_mb()
        begin = time.perf_counter()
        path = Path(name) / "dense.qg"
        graph, report = build_graph(butler, dense_pipeline(), ["in/all"], path)
        elapsed_s = time.perf_counter() - begin
        with graph:
            print(f"{graph.counts()}")
            print(f"build {elapsed_s:.2f} s, peak memory {before_mb:.0f} -> {_peak_mb():.0f} MB, "
                  f"file {path.stat().st_size / 1e6:.1f} MB")  # fmt: skip
            _print_reading(graph)
        for stage in report.stages:
            print(
                f"  {stage.stage:9}{stage.subject[:50]:52}{stage.n_out:>10} {stage.elapsed_s:7.3f} s"
            )


def _print_reading(graph: object) -> None:
    begin = time.perf_counter()
    before, _ = graph.dependencies()  # type: ignore[attr-defined]
    print(f"{len(before)} dependencies in {time.perf_counter() - begin:.2f} s, {_peak_mb():.0f} MB")
    begin = time.perf_counter()
    quantum = graph.quantum(len(graph) - 1)  # type: ignore[attr-defined,arg-type]
    elapsed_s = time.perf_counter() - begin
    print(f"a quantum of {len(quantum.inputs['y'])} inputs in {elapsed_s:.3f} s")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
