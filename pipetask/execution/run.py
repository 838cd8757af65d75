"""Runs a quantum graph: holds the run, keeps its journal, registers what comes of it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from butler_core.datastore.file_transfer import temporary_name
from butler_core.datastore.syncing import sync_file
from butler_core.failpoints import reach
from butler_core.repository.repository import Repository
from pipetask.errors import RunError
from pipetask.execution.engines.engine import Engine, make_engine
from pipetask.execution.input_files import RegistryFiles
from pipetask.execution.lease import Lease, held
from pipetask.execution.leftovers import remove_half_written
from pipetask.execution.loop import Loop
from pipetask.execution.made_before import refuse_made
from pipetask.execution.quantum_work import RunSetup, TaskSetup
from pipetask.execution.recovery import recover
from pipetask.execution.registrar import Registrar
from pipetask.execution.run_options import RunOptions
from pipetask.execution.summary import RunSummary
from pipetask.execution.work_source import WorkSource
from pipetask.provenance.history import seal
from pipetask.provenance.journal import RUN, Journal
from pipetask.provenance.process_identity import identity
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph

__all__ = ["HeldRun", "RunOptions", "hold_run", "run_graph"]


class HeldRun:
    """A run that nobody else writes to while it is held, with all that was done registered."""

    def __init__(self, folder: RunFolder, lease: Lease) -> None:
        self.folder = folder
        self.lease = lease


@contextmanager
def hold_run(
    repository: Repository, run: str, journal_folder: Path | None = None, *, recovers: bool = True
) -> Iterator[HeldRun]:
    """Hold a run, and register what an interrupted process has done in it.

    Parameters
    ----------
    journal_folder
        Where journals are, if not with the run's files.
    recovers
        Whether to register what is in journals.

    Raises
    ------
    RunHeldError
        If another process is at work on it.
    """
    own = RunFolder.of(repository.datastore.root, run)
    folder = own if journal_folder is None else RunFolder.of(journal_folder, run)
    with held(folder.lease, run) as lease, _told_where(own, journal_folder, run):
        if lease.is_inherited or folder.unfinished():
            remove_half_written(repository.datastore.root / run)
        if recovers:
            recover(repository, folder, run, lease)
        yield HeldRun(folder, lease)


@contextmanager
def _told_where(own: RunFolder, journal_folder: Path | None, run: str) -> Iterator[None]:
    """Let the run's own folder say where its journals are; what is not registered is theirs.

    Raises
    ------
    RunError
        If a run that was interrupted had its journals in another folder.
    """
    if own.elsewhere.exists():
        place = own.elsewhere.read_text(encoding="utf-8")
        if journal_folder is None or place != str(journal_folder.absolute()):
            raise RunError(
                f"run {run!r} was interrupted while its journal was in {place!r}; continue it with "
                f"--journal {place}"
            )
    if journal_folder is None:
        yield
        return
    own.path.mkdir(parents=True, exist_ok=True)
    own.elsewhere.write_text(str(journal_folder.absolute()), encoding="utf-8")
    try:
        yield
    finally:
        if not RunFolder.of(journal_folder, run).unfinished():
            own.elsewhere.unlink(missing_ok=True)
            with suppress(OSError):  # there are other things in it
                own.path.rmdir()


def run_graph(
    repository: Repository,
    graph: QuantumGraph,
    setup: RunSetup,
    options: RunOptions,
    run: HeldRun | None = None,
    engine: Engine | None = None,
) -> RunSummary:
    """Run all quanta of a graph and register what they write.

    Parameters
    ----------
    setup
        What `prepare_run` returned.
    run
        The graph's run, if it is held already.
    engine
        Where quanta run, if that is started already; it is closed here.

    Returns
    -------
    RunSummary
        What became of each quantum. A failed quantum is no error here.

    Raises
    ------
    DatasetExistsError
        If the run has done some of the quanta.
    RunHeldError
        If another process is at work on the run.
    RunStoppedError
        If the database or a disk refused for too long.
    KeyboardInterrupt
        At the second interrupt; the first lets what runs end, and cancels the rest.
    """
    if run is None:
        with hold_run(repository, graph.output_run, options.journal_folder) as mine:
            return run_graph(repository, graph, setup, options, mine, engine)
    engine = engine or make_engine(options)
    try:
        refuse_made(repository, graph, options.chosen)
        keep_graph(run.folder, graph)
        with tempfile.TemporaryDirectory(prefix="pipetask-workers-") as traces:
            own = complete_setup(setup, options, traces if engine.leaves_traces else None)
            summary = _run(repository, graph, own, options, run, engine)
    finally:
        engine.close()
    seal(run.folder, graph.id)
    return summary


def _run(
    repository: Repository,
    graph: QuantumGraph,
    setup: RunSetup,
    options: RunOptions,
    run: HeldRun,
    engine: Engine,
) -> RunSummary:
    journal = Journal(run.folder.journal(graph.id))
    try:
        journal.note(RUN, journal_head(graph, setup))
        registrar = Registrar(repository, graph.output_run, journal, run.lease)
        files = RegistryFiles(repository, is_part=options.chosen is not None)
        source = WorkSource(repository.datastore, graph, files)
        loop = Loop(graph, source, setup, options, engine, registrar, journal)
        loop.run()
    except BaseException:
        engine.close(kill=True)
        raise
    finally:
        journal.close()
    if loop.has_lost_workers or engine.reruns_silently or run.lease.is_inherited:
        remove_half_written(repository.datastore.root / graph.output_run)
    return loop.summary


def complete_setup(setup: RunSetup, options: RunOptions, traces: str | None) -> RunSetup:
    """Return a setup with what the options say of each task."""

    def complete(task: TaskSetup) -> TaskSetup:
        rules = options.rules_of(task.label)
        return replace(task, timeout_s=rules.timeout_s, n_threads=options.n_threads)

    tasks = {label: complete(task) for label, task in setup.tasks.items()}
    is_bounded = any(options.rules_of(label).memory_mb is not None for label in tasks)
    return replace(setup, tasks=tasks, traces=traces, is_memory_bounded=is_bounded)


def journal_head(graph: QuantumGraph, setup: RunSetup) -> dict[str, Any]:
    """Return what the journal says of the run as a whole."""
    tasks = {
        label: {"class": task.class_name, "config": task.config_digest, "code": task.code_digest}
        for label, task in setup.tasks.items()
    }
    return {
        "graph": graph.id,
        "run": graph.output_run,
        "digest": graph.digest,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "process": identity(),
        "tasks": tasks,
        "code": setup.code,
    }


def keep_graph(folder: RunFolder, graph: QuantumGraph) -> None:
    """Copy a graph's file to its run, where a restart and later programs look for it."""
    target = folder.graph(graph.id)
    if not target.exists():
        folder.path.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(target)  # jobs may begin at the same time
        shutil.copyfile(graph.path, temporary)
        sync_file(temporary)
        temporary.replace(target)
    reach("ready.graph")
