"""Files on their way into a datastore: what can still be undone, discarded or published."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from butler_core.datastore.file_record import FileRecord
from butler_core.failpoints import reach


@dataclass
class IngestBatch:
    """What files became, so that it can be made durable, or undone."""

    records: list[FileRecord] = field(default_factory=list)
    #: Paths of the files made in the datastore.
    made: list[str] = field(default_factory=list)
    #: Where moved files came from, beside where they are.
    moved: list[tuple[str, str]] = field(default_factory=list)

    def undo(self) -> None:
        """Put moved files back and remove the others."""
        for source, target in self.moved:
            shutil.move(target, source)  # perhaps to another file system
        gone = {target for _, target in self.moved}
        for path in self.made:
            if path not in gone:
                Path(path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A dataset's file, complete but not yet under its own name."""

    record: FileRecord
    temporary: Path
    target: Path
    #: Whether its bytes are on the disk.
    is_synced: bool

    def publish(self) -> None:
        """Give the file its name; the caller syncs the directory."""
        os.rename(self.temporary, self.target)  # noqa: PTH104 - Path.rename makes a third path
        reach("file.renamed")

    def discard(self) -> None:
        """Remove the file."""
        self.temporary.unlink(missing_ok=True)
