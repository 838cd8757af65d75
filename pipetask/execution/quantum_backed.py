"""Runs quanta with no registry at all: the graph says all that is to be known.

What is made is noted in journals, one for each process, beside the run's graph;
`transfer_graph` registers it afterwards.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.repository.own_datastore import open_datastore
from pipetask.errors import GraphFileError, RunError
from pipetask.execution.engines.engine import make_engine
from pipetask.execution.init_values import init_values
from pipetask.execution.input_files import GraphFiles
from pipetask.execution.loop import Loop
from pipetask.execution.output_files import OutputFiles
from pipetask.execution.quantum_record import dumped
from pipetask.execution.quantum_work import InputDataset, OutputDataset, RunSetup, TaskSetup
from pipetask.execution.run import complete_setup, journal_head, keep_graph
from pipetask.execution.run_options import RunOptions
from pipetask.execution.sink import JournalSink
from pipetask.execution.summary import RunSummary
from pipetask.execution.task_setups import code_facts, code_traces, task_setup
from pipetask.execution.watching import NobodyWatching, Watcher
from pipetask.execution.work_source import WorkSource
from pipetask.pipeline import Pipeline
from pipetask.pipeline_graph import ResolvedPipelineGraph, build_pipeline_graph, resolve
from pipetask.provenance.code_trace import CodeTrace
from pipetask.provenance.history import done_numbers
from pipetask.provenance.journal import INIT, RUN, Entry, Journal
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph

#: Init outputs get their ids from that of their graph, so that all processes give the same.
_NAMESPACE = uuid.UUID("7f0e3d59-0f8a-5a3e-9d0e-6d1a0f4f1c55")
_MAX_NAMED = 5


@dataclass(frozen=True)
class _Place:
    """A repository without its registry."""

    root: Path
    config: Mapping[str, Any]
    datastore: FileDatastore
    folder: RunFolder

    @classmethod
    def of(cls, place: str | Path, graph: QuantumGraph, journal_folder: Path | None) -> _Place:
        root, config, datastore = open_datastore(place)
        folder = RunFolder.of(journal_folder or datastore.root, graph.output_run)
        folder.path.mkdir(parents=True, exist_ok=True)
        return cls(root, config, datastore, folder)

    def journal(self, graph: QuantumGraph) -> Journal:
        """Begin a journal of this process."""
        worker = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
        return Journal(self.folder.journal(graph.id, worker.replace(".", "-")))


def resolved_by_graph(graph: QuantumGraph) -> ResolvedPipelineGraph:
    """Return a graph's pipeline with the dataset types that the graph knows."""
    known = {dataset_type.name: dataset_type for dataset_type in graph.dataset_types}
    pipeline = Pipeline.from_text(graph.header["pipeline"], name=f"the pipeline in {graph.path}")
    return resolve(build_pipeline_graph(pipeline), graph.universe, known.get)


def init_ref(graph: QuantumGraph, pipeline: ResolvedPipelineGraph, name: str) -> DatasetRef:
    """Return the reference of a dataset that a run has once."""
    data_id = DataCoordinate.from_required(graph.universe.conform(()), ())
    id_ = uuid.uuid5(_NAMESPACE, f"{graph.id}/{name}")
    return DatasetRef(pipeline.dataset_types[name], data_id, graph.output_run, id_)


def init_quantum_backed(
    place: str | Path, graph: QuantumGraph, journal_folder: Path | None = None
) -> int:
    """Write configurations, versions and init outputs of a graph; return how many datasets.

    Parameters
    ----------
    place
        Directory, configuration file or label of the repository.
    """
    own = _Place.of(place, graph, journal_folder)
    pipeline = resolved_by_graph(graph)
    keep_graph(own.folder, graph)
    journal = own.journal(graph)
    try:
        count = 0
        setups, _ = _setups(own, graph, pipeline)
        values = init_values(graph, pipeline, lambda t: setups[t.label], own.datastore)
        for name, value in values:
            ref = init_ref(graph, pipeline, name)
            output = OutputDataset(ref, own.datastore.path_for(ref, {}))
            record = OutputFiles(own.datastore).write(value, output)
            fields = [record.path, record.formatter, record.storage_class, record.size]
            document = {"type": name, "id": str(ref.id), "file": [*fields, record.checksum]}
            journal.add([Entry(INIT, dumped(document))])
            count += 1
        journal.sync()
    finally:
        journal.close()
    return count


def _setups(
    own: _Place, graph: QuantumGraph, pipeline: ResolvedPipelineGraph
) -> tuple[dict[str, TaskSetup], Mapping[str, CodeTrace]]:
    """Return what workers need to know of each task, and what its code is made of."""

    def find(name: str) -> InputDataset:
        if name not in pipeline.graph.init_producers:
            raise RunError(
                f"the init input {name!r} is made by no task of the graph; without a registry it "
                "cannot be found. Use `pipetask run`"
            )
        ref = init_ref(graph, pipeline, name)
        path = own.datastore.path_for(ref, {})
        return InputDataset(ref, own.datastore.expected_record(ref.dataset_type, path))

    traces = code_traces(graph)
    setups = {t.label: task_setup(t, pipeline, traces[t.label], find) for t in graph.tasks}
    return setups, traces


def _unwatched(_numbers: Collection[int]) -> AbstractContextManager[Watcher]:
    return nullcontext(NobodyWatching())


def run_quantum_backed(
    place: str | Path,
    graph: QuantumGraph,
    options: RunOptions,
    watching: Callable[[Collection[int]], AbstractContextManager[Watcher]] = _unwatched,
) -> RunSummary | None:
    """Run quanta of a graph; return what became of them, or None if all were done before.

    Parameters
    ----------
    watching
        Lends who watches while the quanta of these numbers run.

    Raises
    ------
    GraphFileError
        If the graph does not say where its inputs are.
    RunError
        If a quantum needs another that is neither done nor to be run.
    """
    own = _Place.of(place, graph, options.journal_folder)
    files = GraphFiles(own.datastore, graph)
    wanted = options.chosen if options.chosen is not None else frozenset(range(len(graph)))
    done = done_numbers(own.folder, graph.id)
    left = wanted - done
    if not left:
        return None
    require_makers(graph, left, done)
    pipeline = resolved_by_graph(graph)
    setups, traces = _setups(own, graph, pipeline)
    _require_init(own, graph, setups, left)
    setup = RunSetup(
        key=uuid.uuid4().hex,
        root=str(own.root),
        config=dict(own.config),
        tasks=setups,
        log_level=logging.getLogger("pipetask").getEffectiveLevel(),
        code=code_facts(traces),
    )
    engine = make_engine(options)
    journal = own.journal(graph)
    try:
        with (
            watching(left) as watcher,
            tempfile.TemporaryDirectory(prefix="pipetask-workers-") as left_behind,
        ):
            options = replace(options, chosen=left, watcher=watcher)
            ready = complete_setup(setup, options, left_behind if engine.leaves_traces else None)
            journal.note(RUN, journal_head(graph, ready))
            source = WorkSource(own.datastore, graph, files)
            sink = JournalSink(own.datastore.root, journal)
            loop = Loop(graph, source, ready, options, engine, sink, journal)
            loop.run()
    except BaseException:
        engine.close(kill=True)
        raise
    finally:
        engine.close()
        journal.close()
    return loop.summary


def _require_init(
    own: _Place, graph: QuantumGraph, setups: Mapping[str, TaskSetup], chosen: Collection[int]
) -> None:
    """Raise RunError if what the constructor of a task to be run needs is not there."""
    running = {int(number) for number in graph.task_numbers()[list(chosen)]}
    for task in graph.tasks:
        needed = setups[task.label].init_inputs.values() if task.number in running else ()
        for dataset in needed:
            if not own.datastore.exists(dataset.record):
                raise RunError(
                    f"the init input {dataset.ref.dataset_type.name!r} of {task.label!r} is not "
                    "there; write it with `pipetask pre-exec-init-qbb` first"
                )


def require_makers(graph: QuantumGraph, chosen: Collection[int], done: Collection[int]) -> None:
    """Raise RunError if a chosen quantum needs another that is neither chosen nor done."""
    if len(chosen) + len(done) >= len(graph):
        return
    before, after = graph.dependencies()
    missing = sorted(
        {
            int(maker)
            for maker, user in zip(before.tolist(), after.tolist(), strict=True)
            if user in chosen and maker not in chosen and maker not in done
        }
    )
    if missing:
        names = ", ".join(map(str, missing[:_MAX_NAMED]))
        more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
        raise RunError(
            f"what is asked for needs the quanta {names}{more}, which are not done; run them "
            "before, or name them with --qgraph-node-id too"
        )


def part_of(numbers: list[int], text: str) -> frozenset[int]:
    """Return the K-th of N parts of quanta, for text ``K/N``, K from 0.

    Raises
    ------
    GraphFileError
        If the text is not of that form.
    """
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and int(first) < int(second)):
        raise GraphFileError(f"--part takes K/N with K from 0 to N-1, such as 0/10, not {text!r}")
    k, n = int(first), int(second)
    return frozenset(numbers[k * len(numbers) // n : (k + 1) * len(numbers) // n])
