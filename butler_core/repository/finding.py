"""What a check of a repository finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What can be wrong."""

    #: SQLite finds its own file broken.
    DATABASE = "database"
    #: A record whose file, or member of an archive, is not there.
    MISSING = "missing file"
    #: A file that is not as long as its record says.
    SIZE = "wrong size"
    #: A file whose content is not what its record says.
    CHECKSUM = "wrong checksum"
    #: A file or folder that the system does not let us look at.
    UNREADABLE = "unreadable"
    #: A file that no record names.
    ORPHAN = "orphan file"
    #: A file that was being written when its writer died.
    LEFTOVER = "leftover"
    #: A run that was going on when its process died.
    INTERRUPTED = "interrupted run"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: FindingKind
    #: As recorded; relative to the datastore's directory where there is no record.
    path: str
    expected: str
    found: str
    #: Key of the dataset whose record it is about, with its type and run; None where there is none.
    dataset_key: int | None = None
    dataset_type: str | None = None
    run: str | None = None
    #: What a user can do; empty where a repair does it.
    advice: str = ""


@dataclass(frozen=True, slots=True)
class CheckCounts:
    """What was looked at."""

    #: Files, an archive being one, whose records were compared with them.
    n_files: int = 0
    #: Datasets that have a record.
    n_datasets: int = 0
    #: Those of them whose files are behind a URL.
    n_not_local: int = 0
    #: Checksums that were compared.
    n_checksums: int = 0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All that a check found."""

    findings: tuple[Finding, ...]
    counts: CheckCounts


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of one finding."""

    finding: Finding
    #: What was done; or why nothing was, if anything can be said.
    text: str
    is_done: bool
