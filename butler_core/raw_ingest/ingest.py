"""Takes raw files in: records of their exposures and the raws themselves, a thousand at a time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from butler_core.errors import (
    ButlerError,
    DatasetError,
    DatasetExistsError,
    DimensionError,
    IngestError,
    StorageError,
)
from butler_core.instruments import camera_of, registered_cameras
from butler_core.raw_ingest.exposure_columns import (
    day_obs_columns,
    exposure_columns,
    group_columns,
)
from butler_core.raw_ingest.locations import find_raw_files
from butler_core.raw_ingest.recognition import RawFile, read_raw_files
from butler_core.raw_ingest.request import RawFailure, RawIngestReport, RawIngestRequest

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.cameras.camera import Camera
    from butler_core.cameras.observation import ExposureFacts
    from butler_core.registry.dataset_types import RegisteredType

_LOG = logging.getLogger(__name__)

#: Files per transaction, so that others wait for the database for a moment only.
_CHUNK = 1000
#: Name of the formatter that reads raws.
_FORMATTER = "butler_core.formatters.raw.RawFormatter"


@dataclass
class _Tally:
    """What has come of the files so far."""

    fail_fast: bool
    ingested: int = 0
    skipped: list[Path] = field(default_factory=list)
    failures: list[RawFailure] = field(default_factory=list)
    observation_types: dict[tuple[str, int], str] = field(default_factory=dict)
    runs: dict[str, None] = field(default_factory=dict)

    def fail(self, failure: RawFailure, error: ButlerError | None = None) -> None:
        """List a failure, or raise it."""
        if self.fail_fast:
            raise error or IngestError(f"{str(failure.path)!r}: {failure.reason}")
        _LOG.warning("not ingested: %s: %s", failure.path, failure.reason)
        self.failures.append(failure)

    def succeed(self, files: Sequence[RawFile], run: str) -> None:
        """Count files that were taken in."""
        self.ingested += len(files)
        self.runs[run] = None
        for file in files:
            key = (file.facts.instrument, file.facts.id)
            self.observation_types[key] = file.facts.observation_type

    def report(self) -> RawIngestReport:
        return RawIngestReport(
            ingested=self.ingested,
            skipped=tuple(sorted(self.skipped)),
            failures=tuple(sorted(self.failures, key=lambda failure: failure.path)),
            exposures_by_type=dict(sorted(Counter(self.observation_types.values()).items())),
            runs=tuple(self.runs),
        )


@dataclass(frozen=True)
class _Target:
    """Where the raws of one camera go."""

    butler: Butler
    request: RawIngestRequest
    registered: RegisteredType
    run: str
    #: What the first file of each exposure says of it, by exposure ID.
    exposures: dict[int, ExposureFacts]

    def exposures_of(self, files: Sequence[RawFile]) -> list[ExposureFacts]:
        """Return what is said of the exposures of some files, each once."""
        return [self.exposures[key] for key in dict.fromkeys(file.facts.id for file in files)]


def ingest_raws(butler: Butler, request: RawIngestRequest) -> RawIngestReport:
    """Take raw files in.

    Headers are read first, all of them; then records and datasets are stored in
    transactions of at most a thousand files. Ids are those that Rubin's
    middleware gives raws: from run, dataset type and data ID.

    Parameters
    ----------
    butler
        A butler that may write, of a repository with the files' instruments.
    request
        What to take in, and how.

    Returns
    -------
    RawIngestReport
        What was taken in, passed over and refused. Unless ``fail_fast`` is
        set, a file that cannot be taken in keeps no other one out.

    Raises
    ------
    IngestError
        If a location does not exist or holds no files, or no instrument is
        registered; with ``fail_fast``, for the first unreadable file.
    RecordConflictError, DatasetExistsError, TransferError
        With ``fail_fast``, for the first file that cannot be stored.
    """
    butler.repository.require_writeable()
    cameras = _cameras(butler, request)
    paths = find_raw_files(request.locations, request.regex)
    if not paths:
        raise IngestError(
            f"no file in {', '.join(repr(str(place)) for place in request.locations) or 'nothing'} "
            f"has a name that {request.regex!r} matches; choose another --regex"
        )
    tally = _Tally(request.fail_fast)
    files: list[RawFile] = []
    for result in read_raw_files(paths, cameras, processes=request.processes):
        if isinstance(result, RawFailure):
            tally.fail(result)
        else:
            files.append(result)
    for camera in cameras:
        members = [file for file in files if file.facts.instrument == camera.name]
        if members:
            _ingest_of_camera(butler, request, camera, members, tally)
    if tally.ingested >= _CHUNK:
        butler.repository.registry.database.refresh_statistics()
    return tally.report()


def _cameras(butler: Butler, request: RawIngestRequest) -> list[Camera]:
    if request.instrument is not None:
        return [camera_of(butler, request.instrument)]
    cameras = registered_cameras(butler)
    if not cameras:
        raise IngestError(
            "the repository has no instrument whose raw files could be known; "
            "`butler register-instrument` adds one"
        )
    return cameras


def _ingest_of_camera(
    butler: Butler,
    request: RawIngestRequest,
    camera: Camera,
    files: Sequence[RawFile],
    tally: _Tally,
) -> None:
    """Take in all files of one camera, ordered by exposure and detector."""
    target = _Target(
        butler,
        request,
        _register_raw_type(butler, camera),
        request.output_run or f"{camera.name}/raw/all",
        {},
    )
    unique: dict[tuple[int, int], RawFile] = {}
    for file in sorted(files, key=lambda file: (file.facts.id, file.facts.detector, file.path)):
        first = unique.setdefault((file.facts.id, file.facts.detector), file)
        target.exposures.setdefault(file.facts.id, file.facts)
        if first is not file:
            reason = (
                f"it is of exposure {file.facts.id}, detector {file.facts.detector}, as "
                f"{str(first.path)!r} is; only that one was considered"
            )
            tally.fail(RawFailure(file.path, reason))
    ordered = list(unique.values())
    for start in range(0, len(ordered), _CHUNK):
        chunk = _without_conflicts(target, ordered[start : start + _CHUNK], tally)
        _store(target, _without_existing(target, chunk, tally), tally)
        _LOG.info("%d of %d files of %s done", start + len(chunk), len(ordered), camera.name)


def _register_raw_type(butler: Butler, camera: Camera) -> RegisteredType:
    from butler_core.datasets.dataset_type import DatasetType

    layout = camera.raw
    butler.register_dataset_type(
        DatasetType.of(
            layout.dataset_type, layout.dimensions, layout.storage_class, universe=butler.dimensions
        )
    )
    return butler.repository.registry.dataset_types.get(layout.dataset_type)


def _without_conflicts(
    target: _Target, files: Sequence[RawFile], tally: _Tally
) -> Sequence[RawFile]:
    """Return the files whose exposure is new or stored as it is; replace or refuse the others."""
    from butler_core.registry.record_sync import compare_records, sync_records

    registry = target.butler.repository.registry
    exposures = target.exposures_of(files)
    comparison = compare_records(registry, "exposure", exposure_columns(exposures))
    if not comparison.differences:
        return files
    if target.request.update_records:
        differing = [exposures[row] for row in comparison.differences]
        with target.butler.repository.transaction():
            _insert_dependencies(target, differing)
            sync_records(registry, "exposure", exposure_columns(differing), update=True)
        return files
    conflicts = {exposures[row].id: comparison.conflict(row) for row in comparison.differences}
    for file in files:
        error = conflicts.get(file.facts.id)
        if error is not None:
            tally.fail(RawFailure(file.path, str(error)), error)
    return [file for file in files if file.facts.id not in conflicts]


def _without_existing(
    target: _Target, files: Sequence[RawFile], tally: _Tally
) -> Sequence[RawFile]:
    """Return the files whose raw is not in the run yet; pass over or refuse the others."""
    registry = target.butler.repository.registry
    run = registry.collections.find([target.run]).get(target.run)
    if run is None or not files:
        return files
    taken = set(registry.datasets.existing(target.registered, run, _data_ids(target, files)))
    rows = zip(*_data_ids(target, files).values(), strict=True)
    kept = []
    for file, row in zip(files, rows, strict=True):
        if row not in taken:
            kept.append(file)
        elif target.request.skip_existing:
            tally.skipped.append(file.path)
        else:
            reason = (
                f"run {target.run!r} holds {target.registered.dataset_type.name!r} for exposure "
                f"{file.facts.id}, detector {file.facts.detector} already; skip existing raws, or "
                "use another run"
            )
            tally.fail(RawFailure(file.path, reason), DatasetExistsError(reason))
    return kept


def _store(target: _Target, files: Sequence[RawFile], tally: _Tally) -> None:
    """Store files in one transaction; should one be refused, halve them until it stands alone."""
    if not files:
        return
    try:
        _store_together(target, files)
    except (StorageError, DatasetError, DimensionError) as error:
        if len(files) == 1:
            tally.fail(RawFailure(files[0].path, str(error)), error)
            return
        middle = len(files) // 2
        _store(target, files[:middle], tally)
        _store(target, files[middle:], tally)
        return
    tally.succeed(files, target.run)


def _store_together(target: _Target, files: Sequence[RawFile]) -> None:
    from butler_core.datasets.dataset_id import DatasetIdMode
    from butler_core.repository.ingest import IngestRequest, ingest_files

    repository = target.butler.repository
    exposures = target.exposures_of(files)
    with repository.transaction():
        _insert_dependencies(target, exposures)
        repository.registry.records.insert(
            "exposure", exposure_columns(exposures), on_conflict="skip"
        )
        ingest_files(
            repository,
            IngestRequest(
                dataset_type=target.registered.dataset_type.name,
                run=target.run,
                paths=[file.path for file in files],
                columns=_data_ids(target, files),
                mode=target.request.transfer,
                id_mode=DatasetIdMode.DATAID_TYPE_RUN,
                formatter=_FORMATTER,
                track_file_attrs=target.request.track_file_attrs,
            ),
        )


def _insert_dependencies(target: _Target, exposures: Sequence[ExposureFacts]) -> None:
    """Store the records that exposures' records refer to, as far as they are not there."""
    records = target.butler.repository.registry.records
    records.insert("day_obs", day_obs_columns(exposures), on_conflict="skip")
    records.insert("group", group_columns(exposures), on_conflict="skip")


def _data_ids(target: _Target, files: Sequence[RawFile]) -> dict[str, list[Any]]:
    """Return the data IDs of raws, as columns in the order of the required dimensions."""
    values: dict[str, list[Any]] = {
        "instrument": [file.facts.instrument for file in files],
        "exposure": [file.facts.id for file in files],
        "detector": [file.facts.detector for file in files],
        "group": [file.facts.group for file in files],
        "physical_filter": [file.facts.physical_filter for file in files],
    }
    names = target.registered.dataset_type.dimensions.required
    return {name: values[name] for name in names}
