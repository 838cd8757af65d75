"""Starts Dask clusters: one of this machine, or the one that a YAML file describes.

The file says::

    class: dask_jobqueue.SLURMCluster
    jobs: 4                  # or adapt: {minimum_jobs: 1, maximum_jobs: 20}
    cores: 1
    memory: 4GB
    walltime: "02:00:00"

Whatever else the file says goes to the class.
"""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import yaml
from distributed import LocalCluster, Status

from pipetask.errors import RunError

_EXAMPLE = "such as `class: dask_jobqueue.SLURMCluster` with `jobs: 4`, `cores: 1`, `memory: 4GB`"

#: How many workers may die under a batch before the run is told. On this machine it is told at
#: once: the batch did it. Jobs are ended for reasons of their own, and Dask finds their work a new
#: place while the others go on.
_DEATHS = "distributed.scheduler.allowed-failures"
_HERE, _THERE = {_DEATHS: 0}, {_DEATHS: 1}

#: Where a scheduler shows how it does: on a free port of this machine, not on a fixed one.
_PAGES = {"dashboard_address": "127.0.0.1:0"}

#: What the classes of clusters raise when they cannot start.
_REFUSALS = (TypeError, ValueError, AttributeError, RuntimeError, OSError)


@dataclass(frozen=True)
class StartedCluster:
    """A cluster that ends with the run."""

    #: What Dask knows it by.
    cluster: Any
    #: Whether workers come whatever there is to do.
    brings_workers: bool


@dataclass(frozen=True)
class _Description:
    """What a file says."""

    path: Path
    class_name: str
    n_jobs: int | None
    limits: Mapping[str, Any] | None
    settings: Mapping[str, Any]


def local_cluster(n_workers: int) -> StartedCluster:
    """Start worker processes on this machine, of one thread each, that nobody else can reach."""
    with dask.config.set(_HERE):
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host="127.0.0.1",
            **_PAGES,
            scheduler_kwargs={"dashboard": False},
            worker_dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
    return StartedCluster(cluster, brings_workers=True)


def start_cluster(path: Path) -> StartedCluster:
    """Start the cluster that a file describes, and ask it for workers.

    Raises
    ------
    RunError
        If the file cannot be read, or the cluster not be started.
    """
    described = _description(path)
    cluster_class = _class(described)
    counts_jobs = "jobs" in inspect.signature(getattr(cluster_class, "scale", dict)).parameters
    settings = _with_defaults(described, cluster_class)
    if not counts_jobs:  # it would else start as many workers as it likes
        settings.setdefault("n_workers", described.n_jobs or 0)
    try:
        with dask.config.set(_THERE):
            cluster = cluster_class(**settings)
    except _REFUSALS as error:
        raise _refused(described, error) from error
    try:
        if described.limits is not None:
            cluster.adapt(**described.limits)
        elif counts_jobs:
            cluster.sync(_submit, cluster, described.n_jobs)
    except _REFUSALS as error:
        _abandon(cluster)
        raise _refused(described, error) from error
    return StartedCluster(cluster, brings_workers=described.n_jobs is not None)


async def _submit(cluster: Any, n_jobs: int) -> None:
    """Submit jobs; unlike `scale` alone, raise what the batch system says against them."""
    cluster.scale(jobs=n_jobs)
    await cluster._correct_state()  # noqa: SLF001 - nothing else waits for it


def _with_defaults(described: _Description, cluster_class: Any) -> dict[str, Any]:
    """Return settings that keep the terminal clean, and no port that others want."""
    settings = dict(described.settings)
    known = inspect.signature(cluster_class).parameters
    if "silence_logs" in known:
        settings.setdefault("silence_logs", logging.CRITICAL)
    if "scheduler_options" in known:
        settings["scheduler_options"] = {**_PAGES, **(settings.get("scheduler_options") or {})}
    elif "dashboard_address" in known:
        settings = {**_PAGES, **settings}
    return settings


def _abandon(cluster: Any) -> None:
    """Close a cluster of which some workers did not start; it would trip over them."""
    for worker in cluster.workers.values():
        if worker.status is Status.created:
            worker.status = Status.failed
    with suppress(*_REFUSALS):
        cluster.close()


def _refused(described: _Description, error: Exception) -> RunError:
    said: BaseException = error
    while isinstance(said, RuntimeError) and said.__cause__ is not None:
        said = said.__cause__  # Dask says that something failed, its cause says what
    return RunError(
        f"{str(described.path)!r} describes no {described.class_name} that starts: "
        f"{str(said).strip() or type(said).__name__}"
    )


def _class(described: _Description) -> Any:
    module, _, name = described.class_name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RunError(
            f"{str(described.path)!r} names the class {described.class_name!r}, which cannot be "
            f"imported: {error}"
        ) from error


def _description(path: Path) -> _Description:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RunError(f"cannot read the cluster from {str(path)!r}: {error}") from error
    if not isinstance(found, dict) or "class" not in found:
        raise RunError(f"{str(path)!r} describes no cluster; it needs `class` and more, {_EXAMPLE}")
    settings = {str(key): value for key, value in found.items()}
    class_name = str(settings.pop("class"))
    n_jobs, limits = settings.pop("jobs", None), settings.pop("adapt", None)
    if (n_jobs is None) == (limits is None):
        raise RunError(
            f"{str(path)!r} must say either `jobs` or `adapt`: how many jobs or workers to ask for"
        )
    if limits is None and (not isinstance(n_jobs, int) or n_jobs < 1):
        raise RunError(f"`jobs` in {str(path)!r} must be a positive number, not {n_jobs!r}")
    if n_jobs is None and not isinstance(limits, dict):
        raise RunError(
            f"`adapt` in {str(path)!r} takes limits such as {{minimum: 1, maximum: 20}}, "
            f"not {limits!r}"
        )
    return _Description(path, class_name, n_jobs, limits, settings)
