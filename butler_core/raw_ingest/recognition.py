"""Whose file is it, and which exposure: headers told apart by the registered cameras.

Reads files through ``header_file`` and translates them through ``cameras``;
knows no repository, so that it can run in processes of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from butler_core.errors import ButlerError, CameraError, HeaderError
from butler_core.raw_ingest.header_file import read_raw_header
from butler_core.raw_ingest.request import RawFailure

if TYPE_CHECKING:
    from butler_core.cameras.camera import Camera
    from butler_core.cameras.observation import ExposureFacts

#: Files that a process is given at a time.
_BATCH = 32
#: What a translator may raise on a header that is not as it should be.
_TRANSLATION_ERRORS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class RawFile:
    """A raw file and what its header says."""

    path: Path
    facts: ExposureFacts


def read_raw_files(
    paths: Sequence[Path], cameras: Sequence[Camera], *, processes: int = 1
) -> list[RawFile | RawFailure]:
    """Read the headers of many files.

    Parameters
    ----------
    paths
        The files.
    cameras
        Whose files they may be.
    processes
        Number of processes; fewer are used for few files.

    Returns
    -------
    list
        For each path, in order, what its header says, or why it is no raw.
    """
    batches = [paths[i : i + _BATCH] for i in range(0, len(paths), _BATCH)]
    n_jobs = max(1, min(processes, len(batches)))
    if n_jobs == 1:
        return [read_raw_file(path, cameras) for path in paths]
    from joblib import Parallel, delayed

    read = Parallel(n_jobs=n_jobs, backend="loky")(
        delayed(_read_batch)(batch, cameras) for batch in batches
    )
    return [result for batch in read for result in batch]


def _read_batch(paths: Sequence[Path], cameras: Sequence[Camera]) -> list[RawFile | RawFailure]:
    kept = [_kept(camera) for camera in cameras]
    return [read_raw_file(path, kept) for path in paths]


@lru_cache(maxsize=32)
def _kept(camera: Camera) -> Camera:
    """Return the equal camera that this process got first, which caches know by identity."""
    return camera


def read_raw_file(path: Path, cameras: Sequence[Camera]) -> RawFile | RawFailure:
    """Read the header of one file and say which exposure it is of, or why that cannot be said."""
    try:
        return RawFile(path, facts_of(read_raw_header(path), cameras))
    except ButlerError as error:
        return RawFailure(path, str(error))


def facts_of(header: Mapping[str, Any], cameras: Sequence[Camera]) -> ExposureFacts:
    """Say which exposure a header is of.

    A camera with a translator of its own says by the header whether it is its;
    of cameras that declare their translation, the one that the header names,
    else the only one whose rules the header satisfies, is taken.

    Raises
    ------
    HeaderError
        If it is of none of the cameras, of more than one, or lacks something.
    """
    claiming = [camera for camera in cameras if _claims(camera, header)]
    if claiming:
        return _translate(header, claiming[0])
    declared = [camera for camera in cameras if camera.translator is None]
    named = str(header.get("INSTRUME", "")).strip().casefold()
    for camera in declared:
        if camera.name.casefold() == named:
            return _translate(header, camera)
    faults: list[str] = []
    found: list[ExposureFacts] = []
    for camera in declared:
        try:
            found.append(_translate(header, camera))
        except CameraError as error:
            faults.append(str(error))
    if len(found) == 1:
        return found[0]
    raise _unrecognised(header, cameras, faults, [facts.instrument for facts in found])


def _claims(camera: Camera, header: Mapping[str, Any]) -> bool:
    from butler_core.cameras.translators.choose import translator_class

    if camera.translator is None:
        return False
    return bool(translator_class(camera).can_translate(header))


def _translate(header: Mapping[str, Any], camera: Camera) -> ExposureFacts:
    from butler_core.cameras.observation import read_exposure_facts
    from butler_core.timespan import Timespan

    try:
        facts = read_exposure_facts(header, camera)
        # A day or a time that no record can hold shows here, not when a thousand are stored.
        Timespan.from_day_obs(facts.day_obs, offset_s=facts.day_obs_offset_s)
        Timespan(facts.begin_ns, facts.end_ns)
        return facts
    except CameraError:
        raise
    except _TRANSLATION_ERRORS as error:
        raise HeaderError(
            f"its header cannot be translated by the rules of camera {camera.name!r}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _unrecognised(
    header: Mapping[str, Any],
    cameras: Sequence[Camera],
    faults: Sequence[str],
    fitting: Sequence[str],
) -> HeaderError:
    registered = ", ".join(camera.name for camera in cameras)
    what = f"its header (INSTRUME {header.get('INSTRUME')!r}, TELESCOP {header.get('TELESCOP')!r})"
    if fitting:
        return HeaderError(
            f"{what} fits the rules of several cameras, {', '.join(fitting)}; name the instrument"
        )
    if len(cameras) == 1 and faults:
        return HeaderError(faults[0])
    return HeaderError(
        f"{what} is of none of the instruments registered in the repository, {registered}; "
        "register its instrument first"
    )
