"""Brings datasets' files into the folder of an export."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from butler_core.datastore.file_transfer import transfer_file
from butler_core.datastore.syncing import sync_files
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import TransferError


class ExportFolder:
    """A folder that receives files; undone if an export fails.

    Parameters
    ----------
    directory
        Where files go; made when the first one comes.
    mode
        How; ``auto`` is ``link``.
    """

    def __init__(self, directory: Path, mode: TransferMode) -> None:
        if mode is TransferMode.MOVE:
            raise TransferError(
                "files cannot be moved out of a repository by an export; copy or link them, and "
                "remove the datasets afterwards"
            )
        self._directory = directory
        self._mode = TransferMode.LINK if mode is TransferMode.AUTO else mode
        self._placed: dict[str, str] = {}
        self._made: list[Path] = []

    @property
    def count(self) -> int:
        """How many files the export refers to."""
        return len(self._placed)

    def place(self, source: str, relative: str) -> str:
        """Bring one file in and return its path as the export file has it.

        Parameters
        ----------
        source
            Absolute path, or a URL, which only ``direct`` can take.
        relative
            Where it goes below the folder.

        Raises
        ------
        TransferError
            If the file is not there or cannot be brought in.
        """
        if source not in self._placed:
            self._placed[source] = self._bring(source, relative)
        return self._placed[source]

    def _bring(self, source: str, relative: str) -> str:
        if self._mode is TransferMode.DIRECT:
            return source
        if "://" in source:
            raise TransferError(f"{source!r} cannot be exported by {self._mode}; take 'direct'")
        target = self._directory / relative
        # Rule: no file is replaced by a link to itself, as an export into the repository would do.
        if target.exists() and target.samefile(source):
            return relative
        transfer_file(Path(source), target, self._mode)
        self._made.append(target)
        return relative

    def sync(self, others: Iterable[Path] = ()) -> None:
        """Put all files that were made, and some others, on the disk."""
        sync_files([*self._made, *others], self._directory)

    def undo(self) -> None:
        """Remove the files that were made."""
        for path in self._made:
            path.unlink(missing_ok=True)
