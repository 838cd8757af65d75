"""Starts the Dask cluster that a YAML file describes.

The file says::

    class: dask_jobqueue.SLURMCluster
    jobs: 4                  # or adapt: {minimum_jobs: 0, maximum_jobs: 20}
    cores: 1
    memory: 4GB
    walltime: "02:00:00"

Whatever else the file says goes to the class.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import yaml

from pipetask.errors import RunError

_EXAMPLE = "such as `class: dask_jobqueue.SLURMCluster` with `jobs: 4`, `cores: 1`, `memory: 4GB`"


def start_cluster(path: Path) -> Any:
    """Start a cluster and ask it for workers.

    Raises
    ------
    RunError
        If the file cannot be read, or the cluster not be started.
    """
    settings = _settings(path)
    name = str(settings.pop("class"))
    n_jobs, limits = settings.pop("jobs", None), settings.pop("adapt", None)
    if (n_jobs is None) == (limits is None):
        raise RunError(
            f"{str(path)!r} must say either `jobs` or `adapt`: how many workers to ask for"
        )
    module, _, class_name = name.rpartition(".")
    try:
        cluster_class = getattr(importlib.import_module(module), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RunError(
            f"{str(path)!r} names the class {name!r}, which cannot be imported"
        ) from error
    try:
        cluster = cluster_class(**settings)
    except (TypeError, ValueError, OSError) as error:
        raise RunError(f"{str(path)!r} does not describe a {name}: {error}") from error
    if limits is not None:
        cluster.adapt(**limits)
    else:
        cluster.scale(n_jobs)
    return cluster


def _settings(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"cannot read the cluster from {str(path)!r}: {error}") from error
    if not isinstance(found, dict) or "class" not in found:
        raise RunError(f"{str(path)!r} describes no cluster; it needs `class` and more, {_EXAMPLE}")
    return found
