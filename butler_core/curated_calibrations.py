"""Calibrations that come with an instrument: its geometry and its defects.

Collections are named as by Rubin's middleware: the camera goes into RUN
``{instrument}/calib/{labels}/unbounded``, defects into RUN
``{instrument}/calib/{labels}/curated/{date}``, and CALIBRATION
``{instrument}/calib/{labels}`` says when they are valid. Measures nothing.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from butler_core.errors import CameraError, ConfigError, DatasetExistsError
from butler_core.instruments import camera_of
from butler_core.timespan import MAX_NS, MIN_NS, Timespan, ns_to_time, time_to_ns

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.cameras.camera import Camera
    from butler_core.datasets.dataset_ref import DatasetRef

#: A date of validity in the name of a file, as Rubin's curated text files have it.
_NAME_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)")
#: Date of calibrations that have none: as in Rubin's collections.
_NO_DATE = "19700101T000000Z"
_FITS_SUFFIXES = (".fits", ".fit", ".fits.gz", ".fit.gz")


@dataclass(frozen=True, slots=True)
class CuratedReport:
    """What was written."""

    #: The CALIBRATION collection.
    collection: str
    #: Datasets that are new.
    written: tuple[DatasetRef, ...]
    #: Datasets that were there already, and stayed as they were.
    existing: tuple[DatasetRef, ...]


@dataclass(frozen=True, slots=True)
class _Calibration:
    """One dataset to be written."""

    dataset_type: str
    storage_class: str
    data_id: Mapping[str, Any]
    run: str
    valid: Timespan
    content: Any
    #: Whether the user gave it, so that another one in its place is an error.
    is_given: bool = False


def write_curated_calibrations(
    butler: Butler,
    instrument: str,
    *,
    collection: str | None = None,
    labels: Sequence[str] = (),
    defects: Iterable[str | Path] = (),
) -> CuratedReport:
    """Write and certify an instrument's camera and defects, all or none.

    A detector for which no defects are given gets an empty table, so that
    pipelines that ask for defects find them. What is there already stays.

    Parameters
    ----------
    butler
        A butler that may write.
    instrument
        Name or class name of a registered instrument.
    collection
        The CALIBRATION collection; named after instrument and labels if None.
    labels
        Words for the collections' names.
    defects
        FITS or ECSV tables of defects. Each names its detector in a
        ``DETECTOR`` card (or is of a camera with one detector). A time in the
        file's name, or else in a ``CALIBDATE`` card later than 1970, is the
        beginning of its validity, which lasts until that of the detector's
        next file.

    Raises
    ------
    UnknownCameraError
        If the instrument is not registered, or has no such detector.
    ReadFileError
        If a table cannot be read.
    DatasetExistsError
        If a run holds other defects than those given.
    ConfigError
        If two files are of one detector and one time, or a detector is not told.
    """
    from butler_core.datasets.collection import CollectionType

    butler.repository.require_writeable()
    camera = camera_of(butler, instrument)
    stem = "/".join([camera.name, "calib", *labels])
    target = collection or stem
    calibrations = [_camera_calibration(camera, stem), *_defects(camera, stem, list(defects))]
    for calibration in calibrations:
        _register_type(butler, calibration)
    written: list[DatasetRef] = []
    existing: list[DatasetRef] = []
    with butler.transaction():
        butler.collections.register(target, CollectionType.CALIBRATION)
        for calibration in calibrations:
            ref, is_new = _put(butler, calibration)
            (written if is_new else existing).append(ref)
            _certify(butler, target, ref, calibration.valid)
    return CuratedReport(target, tuple(written), tuple(existing))


def _camera_calibration(camera: Camera, stem: str) -> _Calibration:
    return _Calibration(
        "camera",
        "Camera",
        {"instrument": camera.name},
        f"{stem}/unbounded",
        Timespan.unbounded(),
        camera,
    )


# ------------------------------------------------------------------ defects
@dataclass(frozen=True, slots=True)
class _DefectsFile:
    path: Path
    detector: int
    #: Beginning of its validity, TAI [ns since 1970]; `MIN_NS` if it is not told.
    begin_ns: int
    table: Any


def _defects(camera: Camera, stem: str, paths: Sequence[str | Path]) -> list[_Calibration]:
    """Return the defects of every detector, each with its time of validity."""
    by_detector: dict[int, list[_DefectsFile]] = {d.id: [] for d in camera.detectors}
    for path in map(Path, paths):
        file = _read_defects(camera, path)
        by_detector[file.detector].append(file)
    calibrations = []
    for detector, files in by_detector.items():
        data_id = {"instrument": camera.name, "detector": detector}
        for file, valid in _with_validity(files):
            run = f"{stem}/curated/{_stamp(file.begin_ns)}"
            calibrations.append(
                _Calibration("defects", "Defects", data_id, run, valid, file.table, is_given=True)
            )
        if not files:
            run, empty = f"{stem}/curated/{_NO_DATE}", _no_defects(camera, detector)
            calibrations.append(
                _Calibration("defects", "Defects", data_id, run, Timespan.unbounded(), empty)
            )
    return calibrations


def _with_validity(files: Sequence[_DefectsFile]) -> list[tuple[_DefectsFile, Timespan]]:
    ordered = sorted(files, key=lambda file: file.begin_ns)
    ends_ns = [*(file.begin_ns for file in ordered[1:]), MAX_NS][: len(ordered)]
    for first, second in itertools.pairwise(ordered):
        if first.begin_ns == second.begin_ns:
            raise ConfigError(
                f"{str(first.path)!r} and {str(second.path)!r} are both of detector "
                f"{first.detector} and valid from the same time; tell the times in the files' "
                "names, such as 20210101T000000.ecsv"
            )
    return [
        (file, Timespan(file.begin_ns, end_ns))
        for file, end_ns in zip(ordered, ends_ns, strict=True)
    ]


def _read_defects(camera: Camera, path: Path) -> _DefectsFile:
    table = _read_table(path)
    told = table.meta.get("DETECTOR")
    if told is None and len(camera.detectors) > 1:
        raise ConfigError(
            f"the defects {str(path)!r} do not say of which of {camera.name}'s "
            f"{len(camera.detectors)} detectors they are; give them a DETECTOR card"
        )
    try:
        detector = camera.detectors[0] if told is None else camera.detector(told)
    except CameraError as error:
        raise type(error)(f"{str(path)!r}: {error}") from error
    return _DefectsFile(path, detector.id, _begin_ns(path, table.meta), table)


def _read_table(path: Path) -> Any:
    """Read a table by the formatter of its extension; cards without a value are left out."""
    from astropy.io.fits.card import Undefined

    from butler_core.datasets.storage_class import StorageClassRegistry
    from butler_core.formatters.ecsv import EcsvFormatter
    from butler_core.formatters.fits_table import FitsTableFormatter
    from butler_core.formatters.formatter import ReadRequest

    is_fits = path.name.endswith(_FITS_SUFFIXES)
    formatter = FitsTableFormatter() if is_fits else EcsvFormatter()
    storage_class = StorageClassRegistry.default().get("Defects")
    table = formatter.read(ReadRequest(path=str(path), storage_class=storage_class))
    for card in [card for card, value in table.meta.items() if isinstance(value, Undefined)]:
        del table.meta[card]
    return table


def _begin_ns(path: Path, meta: Mapping[str, Any]) -> int:
    match = _NAME_DATE.search(path.name)
    if match is not None:
        year, month, day, hour, minute, second = map(int, match.groups())
        try:
            utc = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
        except ValueError as error:
            raise ConfigError(f"the name of {str(path)!r} holds no time: {error}") from error
        return time_to_ns(utc)
    told = str(meta.get("CALIBDATE") or "1970-01-01")
    return MIN_NS if told.startswith("1970-01-01") else time_to_ns(f"{told.rstrip('Z')}Z")


def _stamp(begin_ns: int) -> str:
    """Return a time as Rubin's collections have it: 20210101T000000Z."""
    if begin_ns == MIN_NS:
        return _NO_DATE
    return str(ns_to_time(begin_ns).utc.strftime("%Y%m%dT%H%M%SZ"))


def _no_defects(camera: Camera, detector: int) -> Any:
    """Return an empty table with the columns of a FITS region table of boxes."""
    from astropy.table import Table

    return Table(
        {"x0": [], "y0": [], "width": [], "height": []},
        dtype=("i8", "i8", "i8", "i8"),
        meta={"OBSTYPE": "defects", "INSTRUME": camera.name, "DETECTOR": detector},
    )


# ------------------------------------------------------------------ storing
def _register_type(butler: Butler, calibration: _Calibration) -> None:
    from butler_core.datasets.dataset_type import DatasetType

    butler.register_dataset_type(
        DatasetType.of(
            calibration.dataset_type,
            tuple(calibration.data_id),
            calibration.storage_class,
            universe=butler.dimensions,
            is_calibration=True,
        )
    )


def _put(butler: Butler, calibration: _Calibration) -> tuple[DatasetRef, bool]:
    """Write a dataset unless its run holds it; return it, and whether it is new."""
    if butler.collections.exists(calibration.run):
        found = butler.find_dataset(
            calibration.dataset_type, calibration.data_id, collections=calibration.run
        )
        if found is not None:
            _check_same(butler, found, calibration)
            return found, False
    ref = butler.put(
        calibration.content, calibration.dataset_type, calibration.data_id, run=calibration.run
    )
    return ref, True


def _check_same(butler: Butler, found: DatasetRef, calibration: _Calibration) -> None:
    """Raise DatasetExistsError if a run holds other defects than those of a file given."""
    if not calibration.is_given:
        return
    stored, given = butler.get(found), calibration.content
    names = stored.colnames
    is_alike = names == given.colnames and len(stored) == len(given)
    if is_alike and all((stored[n] == given[n]).all() for n in names):
        return
    raise DatasetExistsError(
        f"run {calibration.run!r} holds other defects of {dict(calibration.data_id)}; "
        "give a label for a new collection, or a time in the file's name"
    )


def _certify(butler: Butler, collection: str, ref: DatasetRef, valid: Timespan) -> None:
    """Declare a dataset valid, unless it is declared so already."""
    registry = butler.repository.registry
    registered = registry.dataset_types.get(ref.dataset_type.name)
    target = registry.collections.get(collection)
    key = registry.datasets.keys_of([ref])[ref.id.bytes]
    held = registry.memberships.ranges(registered, target)
    ranges = zip(held["dataset_key"], held["begin_ns"], held["end_ns"], strict=True)
    if (key, *valid.nsec) not in set(ranges):
        registry.memberships.certify(registered, target, [key], valid)
