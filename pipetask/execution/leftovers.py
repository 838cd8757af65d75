"""Removes the half-written files that a killed process left in a run."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from butler_core.datastore.file_transfer import maker_of
from butler_core.datastore.file_tree import FileTree
from butler_core.repository.processes import is_alive

_LOG = logging.getLogger(__name__)


def remove_half_written(folder: Path) -> int:
    """Remove temporary files below a run's folder whose makers are gone; return how many.

    Those of other hosts stay, since nothing here tells whether their makers live;
    `butler check --repair` removes them when they are old.
    """
    tree = FileTree(str(folder), lambda _: False)
    stale = [
        entry.path
        for _, entry in tree.files()
        if (pid := maker_of(entry.name)) is not None and not is_alive(pid)
    ]
    for path in stale:
        os.unlink(path)  # noqa: PTH108 - text
    if stale:
        _LOG.info("%d half-written files of a killed process are removed", len(stale))
    return len(stale)
