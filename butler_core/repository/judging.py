"""Looks at each suspected file anew, and says what is wrong with it."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from butler_core.datasets.collection import CollectionType
from butler_core.datastore.checksum import algorithm_of
from butler_core.datastore.file_transfer import maker_of
from butler_core.datastore.stored_files import StoredFiles
from butler_core.errors import ReadFileError
from butler_core.registry.sqlite_file import is_on_network
from butler_core.repository.finding import Finding, FindingKind
from butler_core.repository.processes import is_alive
from butler_core.repository.repository import Repository
from butler_core.repository.run_folders import RunFolders
from butler_core.repository.survey import Suspects

#: Whatever its writer may be, a file is not written any more after so long [s].
_LONGEST_WRITING_S = 3600.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the records and files say now."""

    findings: tuple[Finding, ...]
    #: How many records there are of each suspected place.
    n_records: Counter[str]
    #: Keys of the datasets that these records are of.
    keys: frozenset[int]


def judge(
    repository: Repository, stored: StoredFiles, suspects: Suspects, *, with_checksums: bool
) -> Judgement:
    """Compare suspected files with the records that there are now.

    Parameters
    ----------
    with_checksums
        Whether to read those files whose records have a checksum.
    """
    rows, places, strangers = _records_of(repository, stored, suspects)
    findings = [
        found
        for row in rows
        if (found := _recorded(stored, *row, with_checksums=with_checksums)) is not None
    ]
    findings = _labelled(repository, findings)
    runs = repository.registry.collections.all()
    folders = RunFolders(stored.root, [run.name for run in runs if run.type is CollectionType.RUN])
    findings += [
        Finding(FindingKind.UNREADABLE, path, "a folder", reason)
        for path, reason in suspects.unreadable.items()
    ]
    findings += _orphans(stored.root, strangers, folders)
    findings += _leftovers(stored.root, suspects.temporary, folders)
    findings += _interrupted(folders)
    findings += _unregistered(stored.root, folders.unregistered(strangers))
    order = list(FindingKind)
    findings.sort(key=lambda finding: (order.index(finding.kind), finding.path))
    return Judgement(tuple(findings), places, frozenset(row[0] for row in rows))


def _records_of(
    repository: Repository, stored: StoredFiles, suspects: Suspects
) -> tuple[list[tuple[Any, ...]], Counter[str], set[str]]:
    """Return the records of suspected places, how many each has, and files that have none."""
    rows: list[tuple[Any, ...]] = []
    places: Counter[str] = Counter()
    strangers = set(suspects.strangers)
    if not suspects.recorded and not strangers:
        return rows, places, strangers
    for page in repository.registry.files.pages("dataset_key", "path", "size", "checksum"):
        for row in page:
            found = stored.locate(row[1])
            if found is None:
                continue
            strangers.discard(found[0])
            if found[0] in suspects.recorded:
                rows.append(row)
                places[found[0]] += 1
    return rows, places, strangers


def _recorded(
    stored: StoredFiles,
    key: int,
    path: str,
    size: int | None,
    checksum: str | None,
    *,
    with_checksums: bool,
) -> Finding | None:
    """Compare one record with its file."""
    located = stored.locate(path)
    assert located is not None  # it is of a suspected place
    expected = "a file" if size is None else _bytes(size)
    try:
        actual = stored.size(*located)
    except (FileNotFoundError, NotADirectoryError, ReadFileError) as error:
        found = _absence(error, is_member=located[1] is not None)
        return Finding(FindingKind.MISSING, path, expected, found, key)
    except OSError as error:
        return Finding(FindingKind.UNREADABLE, path, expected, _reason(error), key)
    if actual is not None and size not in (None, actual):
        return Finding(FindingKind.SIZE, path, expected, _bytes(actual), key)
    algorithm = algorithm_of(checksum) if with_checksums and checksum else None
    if algorithm is None:
        return None
    try:
        content = stored.checksum(*located, algorithm)
    except ReadFileError:
        content = "what cannot be unpacked"
    except OSError as error:
        return Finding(FindingKind.UNREADABLE, path, expected, _reason(error), key)
    if content == checksum:
        return None
    return Finding(FindingKind.CHECKSUM, path, str(checksum), content, key)


def _absence(error: OSError, *, is_member: bool) -> str:
    if isinstance(error, ReadFileError):
        return "a broken archive"
    is_inside = is_member and error.filename is None  # else the archive itself is not there
    return "no such member" if is_inside else "nothing"


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _bytes(count: int) -> str:
    return f"{count} bytes"


def _labelled(repository: Repository, findings: Iterable[Finding]) -> list[Finding]:
    """Add types and runs of datasets."""
    findings = list(findings)
    labels = repository.registry.labels.find(f.dataset_key for f in findings if f.dataset_key)
    return [
        replace(finding, dataset_type=label.dataset_type, run=label.run)
        if finding.dataset_key and (label := labels.get(finding.dataset_key))
        else finding
        for finding in findings
    ]


def _orphans(root: str, strangers: Iterable[str], folders: RunFolders) -> Iterator[Finding]:
    for path in strangers:
        if folders.spare(path):
            continue
        try:
            status = os.lstat(f"{root}/{path}")
        except OSError:
            continue  # it has gone meanwhile
        is_link = stat.S_ISLNK(status.st_mode)
        found = "a symbolic link" if is_link else _bytes(status.st_size)
        yield Finding(FindingKind.ORPHAN, path, "nothing", found, run=folders.run_of(path))


def _leftovers(root: str, paths: Iterable[str], folders: RunFolders) -> Iterator[Finding]:
    # A process of another host has a number that says nothing here.
    are_all_here = not is_on_network(Path(root))
    for path in paths:
        try:
            status = os.lstat(f"{root}/{path}")
        except OSError:
            continue  # it has its name now
        pid = maker_of(path.rpartition("/")[2])
        is_dead = are_all_here and pid is not None and not is_alive(pid)
        if is_dead or time.time() - status.st_mtime > _LONGEST_WRITING_S:
            found = f"{_bytes(status.st_size)} written by process {pid}"
            yield Finding(FindingKind.LEFTOVER, path, "nothing", found, run=folders.run_of(path))


def _interrupted(folders: RunFolders) -> Iterator[Finding]:
    for run, journal in folders.interrupted:
        command = f"pipetask run --extend-run --output-run {shlex.quote(run)}"
        advice = f"`{command}` registers what was done and goes on"
        yield _unfinished(journal, advice, run)


def _unregistered(root: str, journals: Mapping[str, str]) -> Iterator[Finding]:
    for journal in journals.values():
        graphs, _, name = journal.rpartition("/")
        graph = f"{root}/{graphs}/{name.partition('.')[0]}.qg"
        command = f"butler transfer-from-graph {shlex.quote(graph)} REPO"
        yield _unfinished(journal, f"`{command}` registers what was done", None)


def _unfinished(journal: str, advice: str, run: str | None) -> Finding:
    found = "work that may not be registered"
    return Finding(FindingKind.INTERRUPTED, journal, "no journal", found, run=run, advice=advice)
