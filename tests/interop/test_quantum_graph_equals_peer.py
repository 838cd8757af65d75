"""Quantum graphs of the same pipelines in the same worlds, ours and the peer's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler
from pipetask.errors import EmptyGraphError

HERE = Path(__file__).parent
IMPORTABLE = str(HERE.parent / "pipetask" / "importable")

#: What the peer says when no quantum is left.
_EMPTY = ("EmptyQuantumGraph", "QuantumGraphBuilderError: Initial data ID query returned no rows")
#: What it cannot do that we can: relate more than two regions, say.
_REFUSED = ("NotImplementedError", "InvalidQueryError", "QuantumGraphBuilderError: Too many")


def of_peer(name: str, data: Path) -> list[dict[str, Any]]:
    python = os.environ.get("BUTLER_PEER_PYTHON")
    assert python, "BUTLER_PEER_PYTHON is not set"
    done = subprocess.run(
        [python, str(HERE / "peer_graphs.py"), name, str(data)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def of_ours(name: str, data: Path, folder: Path) -> list[dict[str, Any]]:
    if IMPORTABLE not in sys.path:
        sys.path.insert(0, IMPORTABLE)
    from graph_building import build_graph
    from graph_cases import case
    from graph_world import insert_datasets, insert_records

    from butler_core.transfer import ImportRequest, import_repository

    found = case(name, data)
    answers: list[dict[str, Any]] = []
    with Butler.create(folder / "ours") as butler:
        for export in found.exports:
            request = ImportRequest(directory=None, filename=export, registry_only=True)
            import_repository(butler.repository, request)
        insert_records(butler, found.world)
        insert_datasets(butler, found.world)
        for number, build in enumerate(found.builds):
            try:
                graph, _ = build_graph(
                    butler, build.tasks, build.inputs, folder / f"{number}.qg",
                    output_run=f"u/out{number}", where=build.where,
                )  # fmt: skip
            except EmptyGraphError:
                answers.append({"quanta": [], "edges": []})
                continue
            with graph:
                answers.append(plain(graph, f"u/out{number}"))
    return answers


def plain(graph: Any, output_run: str) -> dict[str, Any]:
    from graph_cases import edge_of, text_of

    quanta, edges = [], set()
    for quantum in graph.iter_quanta():
        label, data_id = quantum.task_label, required(quantum.data_id)
        quanta.append(text_of(label, data_id))
        for side, groups in (("in", quantum.inputs), ("out", quantum.outputs)):
            for name, refs in groups.items():
                if name.startswith("_"):
                    continue
                for ref in refs:
                    run = "made" if ref.run == output_run else ref.run
                    edges.add(
                        edge_of(
                            label, data_id, side, ref.dataset_type.name, required(ref.data_id), run
                        )
                    )
    return {"quanta": sorted(quanta), "edges": sorted(edges)}


def required(data_id: Any) -> dict[str, Any]:
    return {name: data_id[name] for name in data_id.dimensions.required}


@pytest.mark.parametrize(
    "name",
    [
        "survey/1", "survey/2", "dense/200", "export/",
        *(f"calibrations/{seed}" for seed in range(3)),
        *(f"prerequisites/{seed}" for seed in range(3)),
        *(f"random/{seed}" for seed in range(12)),
    ],
)  # fmt: skip
def test_quanta_and_edges_are_the_peer_s(name: str, test_data: Path, tmp_path: Path) -> None:
    theirs = of_peer(name, test_data)

    ours = of_ours(name, test_data, tmp_path)

    compared = 0
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        error = other.get("error", "")
        if error.startswith(_REFUSED):
            continue
        if error.startswith(_EMPTY):
            other = {"quanta": [], "edges": []}
        assert "error" not in other, (number, error)
        for what in ("quanta", "edges"):
            only_ours = sorted(set(one[what]) - set(other[what]))[:3]
            only_theirs = sorted(set(other[what]) - set(one[what]))[:3]
            assert (only_ours, only_theirs) == ([], []), (number, what)
        compared += 1
        print(
            f"{name}, graph {number}: {len(one['quanta'])} quanta, {len(one['edges'])} edges alike"
        )
    assert compared
