"""From command-line options to a quantum graph."""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from butler_core.errors import UnknownCameraError
from butler_core.repository.repository import Repository
from pipetask.cli.data_id_table import read_data_id_table
from pipetask.errors import NothingToDoError, PipetaskError, RunError
from pipetask.pipeline import Pipeline
from pipetask.pipeline_graph import (
    PipelineGraph,
    ResolvedPipelineGraph,
    build_pipeline_graph,
    resolve,
)
from pipetask.quantum_graph.build import BuildReport, build_quantum_graph
from pipetask.quantum_graph.graph import QuantumGraph
from pipetask.quantum_graph.request import BuildRequest

if TYPE_CHECKING:
    from pipetask.execution.output_collections import CollectionPlan
    from pipetask.execution.run import HeldRun


#: What would make a pattern, a list, or another path of a collection's name.
_NOT_IN_NAMES = re.compile(r"""[*?\[\],"'\\\x00-\x1f]""")

#: Options that only a graph that is built now can heed.
_OF_A_NEW_GRAPH = {
    "pipeline": "--pipeline",
    "select_tasks": "--select-tasks",
    "save_pipeline": "--save-pipeline",
    "pipeline_dot": "--pipeline-dot",
    "pipeline_mermaid": "--pipeline-mermaid",
    "inputs": "--input",
    "where": "--data-query",
    "data_id_table": "--data-id-table",
    "skip_existing_in": "--skip-existing-in",
    "skip_existing": "--skip-existing",
    "reuse": "--reuse",
    "redo": "--redo",
    "until": "--until",
    "save_qgraph": "--save-qgraph",
    "replace_run": "--replace-run",
    "prune_replaced": "--prune-replaced",
    "rebase": "--rebase",
}


@dataclass
class GraphSession:
    """A repository, a pipeline that fits it, and a quantum graph of both."""

    repository: Repository
    pipeline: ResolvedPipelineGraph
    graph: QuantumGraph
    #: How the graph came about; None if it was loaded.
    report: BuildReport | None
    #: Where outputs go; None for a graph that was loaded.
    plan: CollectionPlan | None
    #: The run, held against others; None if nothing will be written to it.
    run: HeldRun | None = None

    def shown(self) -> dict[str, Any]:
        """Return everything that --show can print of."""
        return {
            "pipeline": self.pipeline.graph.pipeline,
            "pipeline_graph": self.pipeline.graph,
            "resolved": self.pipeline,
            "quantum_graph": self.graph,
            "build_report": self.report,
            "repository": self.repository,
        }


def resolve_against(repository: Repository, graph: PipelineGraph) -> ResolvedPipelineGraph:
    """Return a pipeline graph with the dataset types that a repository knows."""
    types = repository.registry.dataset_types
    types.refresh()

    def find(name: str) -> Any:
        found = types.find(name)
        return None if found is None else found.dataset_type

    return resolve(graph, repository.registry.universe, find)


def default_data_id(repository: Repository, pipeline: Pipeline) -> dict[str, Any]:
    """Return the data ID that a pipeline's instrument stands for."""
    if not pipeline.instrument:
        return {}
    records = repository.registry.records.fetch("instrument")
    for name, class_name in zip(records["name"], records["class_name"], strict=True):
        if pipeline.instrument in (name, class_name):
            return {"instrument": name}
    from butler_core.cameras import find_camera

    try:
        return {"instrument": find_camera(pipeline.instrument, repository.camera_directories).name}
    except UnknownCameraError as error:
        raise PipetaskError(
            f"the pipeline's instrument {pipeline.instrument!r} is neither in the repository nor "
            "known; `butler register-instrument` adds it"
        ) from error


@contextmanager
def nothing_to_do_is_fine() -> Iterator[None]:
    """Say so, and end well, where all quanta were done before."""
    try:
        yield
    except NothingToDoError as reason:
        text = str(reason)
        click.echo(text[:1].upper() + text[1:] + ".")


@contextmanager
def graph_session(
    options: Mapping[str, Any], actions: list[tuple[str, str]], *, writeable: bool
) -> Iterator[GraphSession]:
    """Lend everything that ``qgraph`` and ``run`` need; the graph is built or loaded."""
    from pipetask.cli.pipeline_session import make_pipeline, write_pipeline_outputs

    repository = Repository.open(options["repo"], writeable=writeable)
    with ExitStack() as stack:
        stack.callback(repository.close)
        hold = _holder(stack, repository, options) if writeable else None
        if options["qgraph_file"]:
            session = _loaded(repository, options, actions)
            stack.callback(session.graph.close)
            session.run = hold(session.graph.output_run) if hold else None
            yield session
            return
        _refuse(
            [name for name in ("--qgraph-id", "--qgraph-node-id") if options[_name(name)]],
            "chooses from the graph that --qgraph names; give that too",
        )
        pipeline = make_pipeline(options, actions)
        graph = build_pipeline_graph(pipeline)
        write_pipeline_outputs(options, pipeline, graph)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipetask-")))
        path = options["save_qgraph"] or folder / "graph.qg"
        yield _built(repository, options, graph, path, hold)


Hold = Callable[[str], "HeldRun"]


def _holder(stack: ExitStack, repository: Repository, options: Mapping[str, Any]) -> Hold:
    """Return a function that holds a run until the stack ends."""
    from pipetask.execution.run import hold_run

    return lambda run: stack.enter_context(hold_run(repository, run, options["journal"]))


def _loaded(
    repository: Repository, options: Mapping[str, Any], actions: list[tuple[str, str]]
) -> GraphSession:
    _refuse(
        [f"--{name.replace('_', '-')}" for name, _ in actions]
        + [option for name, option in _OF_A_NEW_GRAPH.items() if options[name]],
        "cannot go with --qgraph, which brings its own pipeline, data and collections",
    )
    graph = QuantumGraph.open(options["qgraph_file"])
    require_good_names(options["output"], graph.output_run)
    graph.require_id(options["qgraph_id"])
    pipeline = Pipeline.from_text(graph.header["pipeline"], name=f"the pipeline in {graph.path}")
    resolved = resolve_against(repository, build_pipeline_graph(pipeline))
    return GraphSession(repository, resolved, graph, None, None)


def _name(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _refuse(given: list[str], why: str) -> None:
    if given:
        raise click.UsageError(f"{', '.join(dict.fromkeys(given))} {why}")


def _built(
    repository: Repository,
    options: Mapping[str, Any],
    graph: PipelineGraph,
    path: Path,
    hold: Hold | None,
) -> GraphSession:
    from pipetask.execution.output_collections import plan_collections

    plan = plan_collections(repository.registry.collections, collection_request(options))
    require_good_names(plan.chain, plan.run)
    run = hold(plan.run) if hold else None  # what an interrupted process did is registered now
    resolved = resolve_against(repository, graph)
    request = _build_request(repository, options, resolved, plan)
    facts = {
        "graph_id": str(uuid.uuid4()),
        "output": plan.chain or "",
        "chain_before": json.dumps(chain_children(repository, plan.chain)),
        "chain_tail": json.dumps(plan.chain_tail),
    }
    built, report = build_quantum_graph(request, path, facts)
    return GraphSession(repository, resolved, built, report, plan, run)


def require_good_names(*names: str | None) -> None:
    """Raise RunError if a collection cannot be called so: files of runs lie under their names."""
    for name in names:
        if name is None:
            continue
        is_path = not any(part in ("", ".", "..") for part in name.split("/"))
        if not is_path or _NOT_IN_NAMES.search(name):
            raise RunError(
                f"{name!r} cannot name a collection: it takes words joined by single slashes, "
                "without commas, quotes, backslashes, or * ? [ ]"
            )


def chain_children(repository: Repository, name: str | None) -> tuple[str, ...]:
    """Return what a chain has, or nothing if it does not exist."""
    found = repository.registry.collections.find([name]).get(name) if name else None
    return found.children if found else ()


def collection_request(options: Mapping[str, Any]) -> Any:
    """Return what the options say of collections."""
    from pipetask.execution.output_collections import CollectionRequest

    names = (
        "inputs",
        "output",
        "output_run",
        "extend_run",
        "replace_run",
        "prune_replaced",
        "rebase",
    )
    return CollectionRequest(**{name: options[name] for name in names})


def _build_request(
    repository: Repository,
    options: Mapping[str, Any],
    pipeline: ResolvedPipelineGraph,
    plan: CollectionPlan,
) -> BuildRequest:
    skip = tuple(options["skip_existing_in"])
    found = repository.registry.collections.find([plan.run])
    if (options["skip_existing"] or options["extend_run"]) and plan.run in found:
        skip = (*skip, plan.run)
    reuse = None
    if options["reuse"] or options["redo"]:
        from pipetask.cli.reusing import reuse_request

        reuse = reuse_request(repository, plan.inputs, pipeline, options)
        skip = (*skip, *dict.fromkeys(graph.run for graph in reuse.graphs))
    data_id = default_data_id(repository, pipeline.graph.pipeline)
    return BuildRequest(
        repository,
        pipeline,
        plan.inputs,
        plan.run,
        where=options["where"],
        data_id={name: value for name, value in data_id.items() if name in pipeline.dimensions},
        constraining=_constraint(options["dataset_query_constraint"], pipeline),
        data_id_tables=tuple(
            read_data_id_table(path, repository.registry.universe)
            for path in options["data_id_table"]
        ),
        skip_existing_in=skip,
        reuse=reuse,
        with_files=options["qgraph_datastore_records"],
        clobber_outputs=options["clobber_outputs"],
        memory_limit_mb=options["build_memory"],
    )


def _constraint(text: str, pipeline: ResolvedPipelineGraph) -> frozenset[str] | None:
    if text.lower() == "all":
        return None
    if text.lower() == "off":
        return frozenset()
    names = frozenset(part.strip() for part in text.split(","))
    unknown = names - set(pipeline.overall_inputs)
    if unknown:
        raise PipetaskError(
            f"--dataset-query-constraint names {', '.join(map(repr, sorted(unknown)))}; "
            f"the pipeline's inputs are {', '.join(pipeline.overall_inputs)}"
        )
    return names


def write_graph_outputs(options: Mapping[str, Any], session: GraphSession) -> None:
    """Write drawings and the summary of a graph where the options say."""
    if options["qgraph_dot"]:
        from pipetask.draw import quanta_as_dot

        options["qgraph_dot"].write_text(quanta_as_dot(session.graph), encoding="utf-8")
    if options["qgraph_mermaid"]:
        from pipetask.draw import quanta_as_mermaid

        options["qgraph_mermaid"].write_text(quanta_as_mermaid(session.graph), encoding="utf-8")


def graph_summary(session: GraphSession) -> dict[str, Any]:
    """Return the facts of a graph as plain values."""
    return {
        "graph": str(session.graph.path),
        "output_run": session.graph.output_run,
        "digest": session.graph.digest,
        "counts": session.graph.counts(),
        "quanta": {task.label: task.n_quanta for task in session.graph.tasks},
    }


def print_graph_table(session: GraphSession) -> None:
    """Print how many quanta each task has, and how many were left out."""
    from butler_core.cli.printing import print_sheet
    from butler_core.cli.table_text import Sheet

    report = session.report
    labels = [task.label for task in session.graph.tasks]
    columns: dict[str, list[Any]] = {
        "quanta": [task.n_quanta for task in session.graph.tasks],
        "task": labels,
    }
    if report is not None and any(report.n_done.values()):
        columns["done before"] = [report.n_done.get(label, 0) for label in labels]
    if report is not None and any(report.n_pruned.values()):
        columns["without inputs"] = [report.n_pruned.get(label, 0) for label in labels]
    print_sheet(Sheet(columns), "table")
    for loss in report.losses if report is not None else ():
        click.echo(f"In no quantum: {loss}.", err=True)
    print_reasons(report)


def print_reasons(report: BuildReport | None) -> None:
    """Say why quanta run that earlier runs might have spared."""
    if report is not None and report.reasons:
        click.echo("Why quanta run:")
        for reason in report.reasons:
            click.echo(f"  {reason}")
