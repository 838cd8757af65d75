"""Keeps metadata and logs of many quanta together: one zip file a batch, not two files each."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.file_transfer import temporary_name
from butler_core.datastore.syncing import sync_file
from butler_core.datastore.zip_member import MEMBER_MARK

_FORMATTER = "butler_core.formatters.json.JsonFormatter"
# Archives carry no wall clock, so that the same notes make the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Note:
    """Metadata or log of one quantum, on its way to a dataset."""

    ref: DatasetRef
    #: JSON.
    content: bytes


def write_archive(root: Path, path: str, notes: Sequence[Note]) -> dict[DatasetRef, FileRecord]:
    """Write notes into a zip file, on the disk when this returns.

    Parameters
    ----------
    root
        The datastore's directory.
    path
        Where the archive goes, relative to it.

    Returns
    -------
    dict
        The file record of each note's dataset.
    """
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(target)
    records: dict[DatasetRef, FileRecord] = {}
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for note in notes:
                name = f"{note.ref.dataset_type.name}/{note.ref.id}.json"
                info = zipfile.ZipInfo(name, _EPOCH)
                archive.writestr(info, note.content, zipfile.ZIP_DEFLATED, 1)
                records[note.ref] = FileRecord(
                    path + MEMBER_MARK + name,
                    _FORMATTER,
                    note.ref.dataset_type.storage_class,
                    len(note.content),
                    None,
                    is_shared=True,
                )
        sync_file(temporary)
        temporary.rename(target)
    finally:
        temporary.unlink(missing_ok=True)
    return records
