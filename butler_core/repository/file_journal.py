"""What a transaction did to files, so that it can be undone, and made to last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from butler_core.datastore.file_datastore import FileDatastore
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.pending_files import IngestBatch, StagedFile
from butler_core.datastore.syncing import sync_directories, sync_files


class FileJournal:
    """Files published, taken in and condemned inside one transaction.

    Parameters
    ----------
    root
        The datastore's directory.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._published: list[Path] = []
        #: Those of them whose bytes are on the disk.
        self._synced: set[Path] = set()
        self._batches: list[IngestBatch] = []
        self._condemned: list[FileRecord] = []
        self._condemned_trees: list[Path] = []

    def mark(self) -> tuple[int, int, int, int]:
        """Return a place to undo back to."""
        condemned = len(self._condemned), len(self._condemned_trees)
        return len(self._published), len(self._batches), *condemned

    def publish(self, staged: StagedFile) -> None:
        """Give a staged file its name."""
        staged.publish()
        self._published.append(staged.target)
        if staged.is_synced:
            self._synced.add(staged.target)

    def add_batch(self, batch: IngestBatch) -> None:
        """Remember files taken in (and synced already)."""
        self._batches.append(batch)

    def condemn(self, records: Iterable[FileRecord]) -> None:
        """Remember files to remove once the transaction is committed."""
        self._condemned += records

    def condemn_tree(self, folder: Path) -> None:
        """Remember a folder to remove, with all that is in it, once the transaction is committed.

        One that is not below the datastore's directory is spared.
        """
        if Path(os.path.normpath(folder)).is_relative_to(os.path.normpath(self._root)):
            self._condemned_trees.append(folder)

    def sync(self) -> None:
        """Put all published files on the disk, and their names."""
        unsynced = [path for path in self._published if path not in self._synced]
        sync_files(unsynced, self._root)
        done = {path.parent for path in unsynced}
        sync_directories({path.parent for path in self._synced} - done, self._root)

    def undo(self, mark: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        """Remove the files published and taken in since a mark, and spare the condemned."""
        published, batches, condemned, trees = mark
        for path in reversed(self._published[published:]):
            path.unlink(missing_ok=True)
            self._synced.discard(path)
        for batch in reversed(self._batches[batches:]):
            batch.undo()
        del self._published[published:], self._batches[batches:], self._condemned[condemned:]
        del self._condemned_trees[trees:]

    def finish(self, datastore: FileDatastore) -> None:
        """Remove the condemned files and folders."""
        for folder in self._condemned_trees:
            shutil.rmtree(folder, ignore_errors=True)  # `butler check` finds what stays
        if self._condemned:
            datastore.remove(self._condemned)
        for folder in self._condemned_trees:
            datastore.remove_empty(folder.parent)
