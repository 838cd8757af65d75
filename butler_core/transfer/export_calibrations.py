"""Exports certified calibrations with their validity ranges, for another repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butler_core.datasets.collection import CollectionType
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import CollectionTypeError, ExportFileError
from butler_core.repository.repository import Repository
from butler_core.transfer.export_datasets import datasets_in
from butler_core.transfer.export_file import ExportRequest, ExportSummary, export_repository


@dataclass(frozen=True, slots=True)
class CalibrationExport:
    """What was exported, and a table of it."""

    summary: ExportSummary
    #: Dataset type, run, and every dimension that some type has (empty text where one has not).
    columns: dict[str, list[Any]]


def export_calibs(
    repository: Repository,
    directory: Path,
    collections: Sequence[str] = (),
    *,
    transfer: TransferMode | None = TransferMode.AUTO,
    dataset_types: Sequence[str] = (),
) -> CalibrationExport:
    """Export all calibrations that are certified in some collections.

    Chains are exported with the names of all that they search; only what is
    certified in a CALIBRATION collection goes with its file.

    Parameters
    ----------
    directory
        A new or empty folder; gets the files and ``export.yaml``.
    collections
        Names or patterns of CALIBRATION collections and of chains that name
        some; all if empty.
    dataset_types
        Names or patterns; all calibration types if empty.

    Raises
    ------
    ExportFileError
        If there is something in the folder already.
    CollectionTypeError
        If no collection of those named is a CALIBRATION collection.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ExportFileError(
            f"calibrations cannot be exported to {str(directory)!r}: there is something already; "
            "name a new folder"
        )
    exported, searched = _collections(repository, collections or ("*",))
    types = [
        registered.dataset_type.name
        for registered in repository.registry.dataset_types.resolve(dataset_types or ("*",))
        if registered.dataset_type.is_calibration
    ]
    request = ExportRequest(
        directory=directory,
        dataset_types=types,
        collections=[*exported, *searched],
        searched=searched,
        transfer=transfer,
    )
    summary = export_repository(repository, request)
    return CalibrationExport(summary, _table(repository, types, searched))


def _collections(repository: Repository, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the collections to export, and the CALIBRATION collections among what they name."""
    table = repository.registry.collections
    kinds = (CollectionType.CALIBRATION, CollectionType.CHAINED)
    exported = [found.name for found in table.resolve(names, kinds)]
    flat = table.flatten(exported)
    searched = [found.name for found in flat if found.type is CollectionType.CALIBRATION]
    if not searched:
        raise CollectionTypeError(
            f"none of the collections {', '.join(map(repr, names))} is a CALIBRATION collection, "
            "or a chain that names one; `butler query-collections` lists them"
        )
    return exported, searched


def _table(
    repository: Repository, dataset_types: Sequence[str], collections: Sequence[str]
) -> dict[str, list[Any]]:
    found = datasets_in(repository.registry, dataset_types, collections)
    used = {name for part in found.values() for name in part.columns}
    names = [element.name for element in repository.registry.universe if element.name in used]
    columns: dict[str, list[Any]] = {name: [] for name in ("dataset_type", "run", *names)}
    for part in found.values():
        count = len(part.keys)
        columns["dataset_type"] += [part.dataset_type.name] * count
        columns["run"] += part.runs
        for name in names:
            columns[name] += part.columns.get(name, [""] * count)
    return columns
