"""Writes into a graph where the files of its inputs are."""

from __future__ import annotations

from butler_core.registry.registry import Registry
from pipetask.quantum_graph.workspace import Workspace

#: Datasets looked up at once.
_CHUNK = 50_000

_TYPES = {
    "id": "id",
    "path": "text",
    "formatter": "text",
    "storage_class": "text",
    "size": "int",
    "checksum": "text",
}


def write_files(workspace: Workspace, registry: Registry, file: str) -> None:
    """Fill the table of files of a graph that is being written.

    Parameters
    ----------
    file
        Name of the attached graph file, whose datasets are there.
    """
    rows = workspace.rows(f"SELECT id FROM {file}.dataset WHERE run IS NOT NULL ORDER BY dataset")  # noqa: S608 - a fixed name
    ids = [row[0].bytes for row in rows]
    pages = (
        registry.files.columns_of(registry.dataset_types.groups(), ids[start : start + _CHUNK])
        for start in range(0, len(ids), _CHUNK)
    )
    workspace.load_pages("input_files", pages, _TYPES)
    workspace.run(
        f"INSERT INTO {file}.file SELECT d.dataset, f.path, f.formatter, f.storage_class, f.size, "  # noqa: S608 - a fixed name
        f"f.checksum FROM input_files f JOIN {file}.dataset d USING (id) ORDER BY d.dataset"
    )
    workspace.drop("input_files")
