"""Prerequisites that a task finds in its own way: one call for each quantum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.dimensions.group import DimensionGroup
from butler_core.registry.registry import Registry
from pipetask.connections.kinds import LookupFunction
from pipetask.quantum_graph.workspace import Workspace


def load_looked_up(
    workspace: Workspace,
    registry: Registry,
    function: LookupFunction,
    dataset_type: DatasetType,
    group: DimensionGroup,
    quanta: Mapping[str, Any],
    collections: Sequence[str],
    table: str,
) -> None:
    """Make a table of edges (``i``, ``id``, ``run``, ``rank``) of what a function finds.

    Parameters
    ----------
    quanta
        Columns ``i`` and all dimensions of the group.
    """
    edges: dict[str, list[Any]] = {"i": [], "id": [], "run": [], "rank": []}
    names = group.names
    for row in range(len(quanta["i"])):
        values = {name: _plain(quanta[name][row]) for name in names}
        data_id = DataCoordinate(group, tuple(values[n] for n in group.required), full=values)
        for ref in function(dataset_type, registry, data_id, list(collections)):
            edges["i"].append(int(quanta["i"][row]))
            edges["id"].append(ref.id.bytes)
            edges["run"].append(ref.run)
            edges["rank"].append(0)
    workspace.load(table, edges, {"i": "int", "id": "id", "run": "text", "rank": "int"})


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
