"""``--show ITEM[=VALUE]``: which item needs what, and who prints it.

Checks what is asked and finds the function; see `show_pipeline`, `show_config`
and `show_quanta` for what is printed. Loads no pipeline and opens no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from butler_core.errors import near_misses
from pipetask.errors import PipetaskError

if TYPE_CHECKING:
    from butler_core.repository.repository import Repository
    from pipetask.pipeline.pipeline import Pipeline
    from pipetask.pipeline_graph.pipeline_graph import PipelineGraph
    from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph
    from pipetask.quantum_graph.build import BuildReport
    from pipetask.quantum_graph.graph import QuantumGraph


@dataclass(frozen=True)
class ShowContext:
    """What there is to show; None for what there is not."""

    pipeline: Pipeline | None = None
    pipeline_graph: PipelineGraph | None = None
    #: The pipeline graph in the light of the repository.
    resolved: ResolvedPipelineGraph | None = None
    quantum_graph: QuantumGraph | None = None
    #: How the quantum graph came about.
    build_report: BuildReport | None = None
    repository: Repository | None = None


@dataclass(frozen=True)
class _Item:
    """One thing that can be shown."""

    #: Module of this package and function that print it.
    home: str
    function: str
    #: Attributes of a context without which it cannot be shown.
    needs: tuple[str, ...]
    #: How its value is written; None if it takes none.
    value: str | None = None
    is_value_needed: bool = False


_ITEMS = {
    "config": _Item(
        "show_config", "show_config", ("pipeline_graph",), "[LABEL::]PATTERN[:NOIGNORECASE]"
    ),
    "dump-config": _Item("show_config", "dump_config", ("pipeline_graph",), "LABEL"),
    "graph": _Item("show_quanta", "show_graph", ("quantum_graph",)),
    "history": _Item(
        "show_config", "show_history", ("pipeline_graph",), "[LABEL::]FIELD", is_value_needed=True
    ),
    "inputs": _Item("show_pipeline", "show_inputs", ("pipeline_graph",)),
    "pipeline": _Item("show_pipeline", "show_pipeline", ("pipeline",)),
    "pipeline-graph": _Item("show_pipeline", "show_pipeline_graph", ("pipeline_graph",)),
    "stages": _Item("show_quanta", "show_stages", ("build_report",)),
    "subsets": _Item("show_pipeline", "show_subsets", ("pipeline",)),
    "task-graph": _Item("show_pipeline", "show_task_graph", ("pipeline_graph",)),
    "tasks": _Item("show_pipeline", "show_tasks", ("pipeline",)),
    "uri": _Item("show_uris", "show_uris", ("quantum_graph", "repository")),
    "workflow": _Item("show_quanta", "show_workflow", ("quantum_graph",)),
}

#: Names of all items.
ITEMS = tuple(_ITEMS)

_REMEDIES = {
    "pipeline": "a pipeline: give one with -p",
    "pipeline_graph": "the tasks of a pipeline: give one with -p",
    "quantum_graph": "a quantum graph: use `pipetask qgraph`",
    "build_report": "a quantum graph that is built now, not read: use `pipetask qgraph` with -p",
    "repository": "a repository: give one with -b",
}


def show(item: str, what: ShowContext) -> Iterator[str]:
    """Return the lines, without their ends, that an item of ``--show`` prints.

    Parameters
    ----------
    item
        Name of the item, perhaps with ``=`` and a value; see `ITEMS`.
    what
        What there is to show.

    Raises
    ------
    PipetaskError
        If there is no such item, its value cannot be used, or it needs what is
        not there. Raised before the first line is asked for.
    """
    name, equals, value = item.partition("=")
    if name not in _ITEMS:
        hint = near_misses(name, ITEMS) or f" There are {', '.join(ITEMS)}."
        raise PipetaskError(f"there is nothing called {name!r} to show.{hint}")
    found = _ITEMS[name]
    if equals and found.value is None:
        raise PipetaskError(f"--show {item!r}: {name!r} takes no value")
    if found.is_value_needed and not value:
        raise PipetaskError(f"--show {name!r} needs a value: {name}={found.value}")
    for need in found.needs:
        if getattr(what, need) is None:
            raise PipetaskError(f"{name!r} needs {_REMEDIES[need]}")
    return _function(found)(what, value)


def _function(item: _Item) -> Callable[[ShowContext, str], Iterator[str]]:
    """Import the function that prints an item."""
    module = import_module(f"pipetask.draw.{item.home}")
    function: Callable[[ShowContext, str], Iterator[str]] = getattr(module, item.function)
    return function
