"""Compares all records with all files at once, and says which want a closer look.

Judges nothing: what it suspects may be a file that came or went meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from butler_core.datastore.checksum import algorithm_of
from butler_core.datastore.file_transfer import maker_of
from butler_core.datastore.file_tree import FileTree
from butler_core.datastore.lost_and_found import FOLDER
from butler_core.datastore.stored_files import StoredFiles
from butler_core.errors import ReadFileError
from butler_core.registry.row_spool import Rows
from butler_core.repository.finding import CheckCounts

#: Called with how many files were looked at, and how many there are to look at.
Report = Callable[[int, int | None], None]

#: Files between two reports.
_STRIDE = 5_000

_NOT_RECORDED: Final = object()


@dataclass
class Suspects:
    """Places, as `StoredFiles` has them, that may be in disorder."""

    #: Those whose records may not fit.
    recorded: set[str] = field(default_factory=set)
    #: Files that no record named.
    strangers: set[str] = field(default_factory=set)
    #: Files with the name of one that is being written.
    temporary: set[str] = field(default_factory=set)
    #: Folders that could not be listed, with the reason.
    unreadable: dict[str, str] = field(default_factory=dict)


class Survey:
    """Takes the records, then the files; what does not match is in ``suspects``.

    Parameters
    ----------
    own
        Files below the datastore's directory that are no datasets'.
    closed
        Folders there that hold such files only.
    """

    def __init__(self, stored: StoredFiles, own: Iterable[str], closed: Iterable[str]) -> None:
        self.suspects = Suspects()
        self._n_files = 0
        self._n_datasets = 0
        self._n_not_local = 0
        self._n_checksums = 0
        self._stored = stored
        self._own = frozenset(own)
        self._closed = frozenset({*closed, FOLDER})
        #: Sizes by place [bytes], None where any will do; files that were found are taken out.
        self._sizes: dict[str, int | None] = {}
        #: Sizes of members by archive [bytes].
        self._members: dict[str, dict[str, int | None]] = {}
        #: Recorded symbolic links, below the root.
        self._links: list[str] = []

    @property
    def counts(self) -> CheckCounts:
        """What was looked at so far."""
        return CheckCounts(self._n_files, self._n_datasets, self._n_not_local, self._n_checksums)

    # ---------------------------------------------------------------- records
    def add_records(self, rows: Rows) -> None:
        """Take a page of paths and sizes."""
        self._n_datasets += len(rows)
        sizes = self._sizes
        for path, size in rows:
            if path[:1] == "/" or ":" in path or "#" in path:
                self._add_elsewhere(path, size)
            elif sizes.setdefault(path, size) != size:
                self.suspects.recorded.add(path)

    def _add_elsewhere(self, path: str, size: int | None) -> None:
        """Take a file that is not simply below the root, or not a whole one."""
        found = self._stored.locate(path)
        if found is None:
            self._n_not_local += 1
            return
        place, member = found
        if member is None:
            known = self._sizes.setdefault(place, size)
        else:
            self._sizes.setdefault(place, None)
            known = self._members.setdefault(place, {}).setdefault(member, size)
        if known != size:
            self.suspects.recorded.add(place)

    # ------------------------------------------------------------------ files
    def walk(self, report: Report) -> None:
        """Compare with what is below the root; sizes are looked up where the names are.

        Raises
        ------
        ReadFileError
            If there is no such directory, but files should be in it.
        """
        self._require_root()
        sizes, total = self._sizes, len(self._sizes)
        self._n_files = total
        tree = FileTree(self._stored.root, lambda path: path in self._closed or path in sizes)
        for n, (path, entry) in enumerate(tree.files()):
            size = sizes.pop(path, _NOT_RECORDED)
            if size is _NOT_RECORDED:
                self._add_stranger(path, entry)
            elif size is not None or entry.is_symlink():
                self._compare(path, entry, size)
            if n % _STRIDE == 0:
                report(min(n, total), total)
        self.suspects.unreadable = tree.unreadable

    def _require_root(self) -> None:
        root = self._stored.root
        if os.path.isdir(root) or all(place.startswith("/") for place in self._sizes):  # noqa: PTH112 - text
            return
        raise ReadFileError(
            f"the directory of the repository's files, {root!r}, is not there; is its disk mounted?"
        )

    def _add_stranger(self, path: str, entry: os.DirEntry[str]) -> None:
        if maker_of(entry.name) is not None:
            self.suspects.temporary.add(path)
        elif path not in self._own and not (entry.is_symlink() and entry.is_dir()):
            self.suspects.strangers.add(path)

    def _compare(self, path: str, entry: os.DirEntry[str], size: object) -> None:
        if entry.is_symlink():
            self._links.append(path)
        try:
            is_right = size in (None, entry.stat().st_size)
        except OSError:
            is_right = False
        if not is_right:
            self.suspects.recorded.add(path)

    def look_for_the_rest(self) -> None:
        """Look, one by one, for recorded files that the walk did not meet."""
        for place, size in self._sizes.items():
            try:
                status = os.stat(self._stored.absolute(place))  # noqa: PTH116 - text, for 10^6 files
            except OSError:
                self.suspects.recorded.add(place)
                continue
            if size not in (None, status.st_size) and not stat.S_ISDIR(status.st_mode):
                self.suspects.recorded.add(place)
        self._spare_what_links_lead_to()

    def _spare_what_links_lead_to(self) -> None:
        """Take from the strangers what datasets are read from by another name."""
        for place in (*self._links, *self._sizes):
            if not self.suspects.strangers:
                return
            self.suspects.strangers.difference_update(self._stored.reached_from(place))

    def open_archives(self) -> None:
        """Compare the members of each archive with its directory."""
        for archive, members in self._members.items():
            try:
                sizes = ((self._stored.size(archive, name), size) for name, size in members.items())
                is_right = all(size in (None, actual) for actual, size in sizes)
            except OSError:
                is_right = False
            if not is_right:
                self.suspects.recorded.add(archive)

    def compare_checksums(self, rows: Rows) -> None:
        """Read the files of a page of paths and checksums."""
        for path, checksum in rows:
            algorithm, found = algorithm_of(checksum), self._stored.locate(path)
            if algorithm is None or found is None:
                continue
            try:
                is_right = self._stored.checksum(*found, algorithm) == checksum
                self._n_checksums += 1
            except OSError:
                is_right = False
            if not is_right:
                self.suspects.recorded.add(found[0])
