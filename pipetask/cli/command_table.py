"""The subcommands of ``pipetask``: where each is and what it is for."""

from __future__ import annotations

from butler_core.cli.program import CommandEntry

_PLACE = "pipetask.cli.commands"

COMMANDS = {
    "build": CommandEntry(f"{_PLACE}.build:build", "Build, show and save a pipeline."),
    "check-graph": CommandEntry(
        f"{_PLACE}.check_graph:check_graph", "Read a whole quantum graph file."
    ),
    "cleanup": CommandEntry(
        f"{_PLACE}.tidying:cleanup", "Remove what a CHAINED collection once had and has no more."
    ),
    "pre-exec-init-qbb": CommandEntry(
        f"{_PLACE}.quantum_backed:pre_exec_init_qbb",
        "Write what a run has once, without a registry: configurations, versions, init outputs.",
    ),
    "purge": CommandEntry(
        f"{_PLACE}.tidying:purge", "Remove a CHAINED collection and the collections in it."
    ),
    "qgraph": CommandEntry(f"{_PLACE}.qgraph:qgraph", "Build, show and save a quantum graph."),
    "report": CommandEntry(
        f"{_PLACE}.report:report",
        "Say what became of the quanta of a run, and of those that failed, why.",
    ),
    "run": CommandEntry(f"{_PLACE}.run:run", "Build a quantum graph and run it."),
    "run-qbb": CommandEntry(
        f"{_PLACE}.quantum_backed:run_qbb", "Run quanta of a graph without a registry."
    ),
    "split-graph": CommandEntry(
        f"{_PLACE}.graph_files:split_graph",
        "Write parts of a graph as graphs of their own: one for each task, if none is named.",
    ),
    "update-graph-run": CommandEntry(
        f"{_PLACE}.graph_files:update_graph_run",
        "Write a graph for another output run, with new dataset ids.",
    ),
}
