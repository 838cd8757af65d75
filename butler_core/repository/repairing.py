"""Puts in order what a check has found. Deletes no file but those that were never finished.

Whatever moment it is interrupted at, a second time does the rest: a file that
was moved and whose record stayed is then a missing one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from butler_core.datastore.lost_and_found import LostAndFound
from butler_core.datastore.stored_files import StoredFiles
from butler_core.errors import RepositoryError
from butler_core.registry.registry import Registry
from butler_core.repository.finding import CheckReport, Finding, FindingKind, Repair
from butler_core.repository.judging import Judgement, judge
from butler_core.repository.repository import Repository
from butler_core.repository.survey import Suspects

_OF_RECORDS = (FindingKind.MISSING, FindingKind.SIZE, FindingKind.CHECKSUM)

#: So many missing files, if they are most of all, are taken for a disk that is not mounted.
_MANY_MISSING = 1_000


def repair(repository: Repository, report: CheckReport) -> tuple[Repair, ...]:
    """Repair what is still as it was found, with all writers locked out.

    Leftovers are deleted; orphans go to the folder of lost files; of missing
    and damaged files the record is removed, and damaged ones go there too. An
    archive stays as long as any record names it, and a file outside the
    datastore's directory stays where it is.

    Raises
    ------
    RepositoryError
        If so many files are missing that a disk may not be mounted.
    """
    if any(finding.kind is FindingKind.DATABASE for finding in report.findings):
        return tuple(Repair(finding, "", is_done=False) for finding in report.findings)
    _require_disk(report)
    registry = repository.registry
    with closing(StoredFiles(repository.datastore.root)) as stored, repository.transaction():
        registry.database.lock_out_writers(_written_tables(registry))
        suspects = _suspects_of(stored, report.findings)
        # Files are not read again: nobody could write to the repository for as long.
        judgement = judge(repository, stored, suspects, with_checksums=False)
        findings = _confirmed(report.findings, judgement)
        mending = _Mending(registry, stored)
        repairs = (*mending.remove_records(findings, judgement.n_records), *mending.tidy(findings))
        mending.lost.remove_empty()
        return repairs


def _require_disk(report: CheckReport) -> None:
    n_missing = sum(finding.kind is FindingKind.MISSING for finding in report.findings)
    if n_missing >= _MANY_MISSING and 2 * n_missing > report.counts.n_datasets:
        raise RepositoryError(
            f"the files of {n_missing} of {report.counts.n_datasets} datasets are not there, so "
            "nothing was repaired: is a disk not mounted? `butler prune-datasets --unstore` "
            "forgets files that are gone for good"
        )


def _written_tables(registry: Registry) -> list[sa.Table]:
    """Return the tables that get rows before a new file gets its name."""
    groups = registry.dataset_types.groups().values()
    return [*(tables.dataset for _, tables in groups), registry.schema.file_record]


def _suspects_of(stored: StoredFiles, findings: Iterable[Finding]) -> Suspects:
    """Return what is to be looked at again."""
    suspects = Suspects()
    for finding in findings:
        if finding.kind in (FindingKind.ORPHAN, FindingKind.INTERRUPTED):
            suspects.strangers.add(finding.path)
        elif finding.kind is FindingKind.LEFTOVER:
            suspects.temporary.add(finding.path)
        elif finding.dataset_key is not None:
            located = stored.locate(finding.path)
            assert located is not None  # others are not checked
            suspects.recorded.add(located[0])
        elif finding.kind is FindingKind.UNREADABLE:
            suspects.unreadable[finding.path] = finding.found
    return suspects


def _confirmed(before: Iterable[Finding], judgement: Judgement) -> list[Finding]:
    """Return the findings of now, with those of before that need a file's content."""
    now = {finding.dataset_key for finding in judgement.findings}
    return [
        *judgement.findings,
        *(
            finding
            for finding in before
            if finding.kind is FindingKind.CHECKSUM and finding.dataset_key in judgement.keys - now
        ),
    ]


class _Mending:
    """Changes records and files; the caller keeps others out."""

    def __init__(self, registry: Registry, stored: StoredFiles) -> None:
        self._registry = registry
        self._stored = stored
        self.lost = LostAndFound(stored.root)

    def remove_records(
        self, findings: Iterable[Finding], n_records: Mapping[str, int]
    ) -> Iterator[Repair]:
        """Remove records, and put those files aside that no other record names.

        Parameters
        ----------
        n_records
            How many records name each place, before.
        """
        places = {}
        for finding in findings:
            located = self._stored.locate(finding.path) if finding.kind in _OF_RECORDS else None
            if located is not None and finding.dataset_key is not None:
                places[finding.dataset_key] = finding, located[0]
        if places:
            self._registry.files.delete(places)
        n_removed = Counter(place for _, place in places.values())
        set_aside = {
            place: self._set_aside(place)
            for place, count in n_removed.items()
            if count == n_records[place]
        }
        for finding, place in places.values():
            text, is_done = set_aside.get(place, ("", True))
            yield Repair(finding, f"record removed{text}", is_done)

    def _set_aside(self, place: str) -> tuple[str, bool]:
        """Move a file that no record names any more, if it is the datastore's own."""
        if not os.path.lexists(self._stored.absolute(place)):
            return "", True
        # Reached through links it would have two names, and may be a dataset by the other.
        if place.startswith("/") or next(self._stored.reached_from(place)) != place:
            return ", file left where it is", True
        try:
            return f", file moved to {self.lost.take(place)!r}", True
        except OSError as error:
            return f", file not moved: {error.strerror or error}", False

    def tidy(self, findings: Iterable[Finding]) -> Iterator[Repair]:
        """Deal with findings that are of no record."""
        for finding in findings:
            if finding.kind in _OF_RECORDS:
                continue
            try:
                yield Repair(finding, *self._tidied(finding))
            except OSError as error:
                yield Repair(finding, f"not done: {error.strerror or error}", is_done=False)

    def _tidied(self, finding: Finding) -> tuple[str, bool]:
        if finding.kind is FindingKind.ORPHAN:
            return f"moved to {self.lost.take(finding.path)!r}", True
        if finding.kind is FindingKind.LEFTOVER:
            Path(self._stored.root, finding.path).unlink(missing_ok=True)
            return "deleted", True
        return "", False
