"""What may be asked of an ingest of raws, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from butler_core.datastore.transfer_mode import TransferMode

#: Names that are taken for FITS files in directories; Rubin's pattern.
FITS_PATTERN = r"\.fit[s]?\b"


@dataclass(frozen=True, slots=True)
class RawIngestRequest:
    """Raw files to take in, and how."""

    #: Files, and directories that are searched with all that is below them.
    locations: Sequence[str | Path]
    #: Regular expression that the name of a file in a directory must contain a match of.
    regex: str = FITS_PATTERN
    #: RUN collection that gets the raws; ``{instrument}/raw/all`` if None.
    output_run: str | None = None
    #: How files get into the datastore.
    transfer: TransferMode = TransferMode.AUTO
    #: Processes that read headers.
    processes: int = 1
    #: Whether raws that the run holds already are passed over; else they are failures.
    skip_existing: bool = False
    #: Whether the first failure is raised; else failures are listed and the others taken in.
    fail_fast: bool = False
    #: Whether exposure records that differ are replaced; else their files are failures.
    update_records: bool = False
    #: Whether the files' sizes are recorded.
    track_file_attrs: bool = True
    #: The instrument whose files these are; told by each header if None.
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class RawFailure:
    """A file that was not taken in, and why."""

    path: Path
    #: One or more sentences.
    reason: str


@dataclass(frozen=True, slots=True)
class RawIngestReport:
    """What came of an ingest of raws."""

    #: Number of files taken in.
    ingested: int = 0
    #: Files whose dataset was there already, by path.
    skipped: tuple[Path, ...] = ()
    #: Files that were not taken in, by path.
    failures: tuple[RawFailure, ...] = ()
    #: Numbers of exposures of which a file was taken in, by observation type.
    exposures_by_type: Mapping[str, int] = field(default_factory=dict)
    #: RUN collections that files were taken into.
    runs: tuple[str, ...] = ()

    @property
    def exposures(self) -> int:
        """Number of exposures of which at least one file was taken in."""
        return sum(self.exposures_by_type.values())
