"""Instruments of a repository: registered once, found again whenever one is needed.

A packaged camera is known by its name; the YAML file of a user's own camera is
copied into the repository. Describes no camera (``cameras`` does) and reads no
raw file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from butler_core.errors import RecordConflictError, UnknownCameraError, near_misses

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.cameras.camera import Camera
    from butler_core.repository.repository import Repository

_YAML = (".yaml", ".yml")


def register_instrument(butler: Butler, key: str | Path, *, update: bool = False) -> Camera:
    """Store an instrument with its detectors and physical filters, all or nothing.

    Doing it again with the same camera changes nothing.

    Parameters
    ----------
    butler
        A butler that may write.
    key
        A camera's class name (``lsst.obs.lsst.Latiss``), its name, or the path
        of a camera's YAML file, which is then copied into the repository.
    update
        Whether records (and the copied file) that differ are replaced.

    Returns
    -------
    Camera
        What was registered.

    Raises
    ------
    UnknownCameraError
        If no camera is called so.
    RecordConflictError
        If something else is stored and ``update`` is False.
    """
    from butler_core.cameras.find import find_camera
    from butler_core.registry.record_sync import sync_records

    repository = butler.repository
    repository.require_writeable()
    path = Path(key) if str(key).endswith(_YAML) else None
    camera = find_camera(path if path is not None else str(key), repository.camera_directories)
    with repository.transaction():
        for element, columns in camera.dimension_records().items():
            sync_records(repository.registry, element, columns, update=update)
        if path is not None:
            _keep_file(repository, camera, path, update=update)
    return camera


def _keep_file(repository: Repository, camera: Camera, path: Path, *, update: bool) -> None:
    """Copy a camera's file into the repository; the last step before the records are committed."""
    target = repository.camera_folder / f"{camera.name}.yaml"
    text = path.read_bytes()
    if target.exists():
        if target.read_bytes() == text:
            return
        if not update:
            raise RecordConflictError(
                f"the repository holds another file of the camera {camera.name!r} ({str(target)!r} "
                f"is not the same as {str(path)!r}); update the instrument explicitly to replace it"
            )
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_suffix(".part")
    temporary.write_bytes(text)
    temporary.rename(target)


def camera_of(butler: Butler, instrument: str) -> Camera:
    """Return the camera of an instrument that is registered in a repository.

    Parameters
    ----------
    butler
        The repository's butler.
    instrument
        The instrument's name, or its class name.

    Raises
    ------
    UnknownCameraError
        If no such instrument is registered, or nothing is known of its camera
        (an instrument that was imported from elsewhere, say).
    """
    from butler_core.cameras.find import find_camera

    records = butler.repository.registry.records.fetch("instrument")
    class_names = dict(zip(records["name"], records["class_name"], strict=True))
    by_class = {class_name: name for name, class_name in class_names.items()}
    name = instrument if instrument in class_names else by_class.get(instrument)
    if name is None:
        registered = ", ".join(map(repr, class_names)) or "none"
        raise UnknownCameraError(
            f"no instrument {instrument!r} is registered in the repository; there is {registered}."
            + (near_misses(instrument, class_names) or " `butler register-instrument` adds one.")
        )
    directories = butler.repository.camera_directories
    try:
        return find_camera(name, directories)
    except UnknownCameraError as error:
        raise UnknownCameraError(
            f"the repository has the instrument {name!r} ({class_names[name]}), but nothing here "
            "knows its detectors. Register it with a camera's YAML file: `butler "
            "register-instrument REPO FILE.yaml`."
        ) from error


def registered_cameras(butler: Butler) -> list[Camera]:
    """Return the cameras of all registered instruments that can be found, by name."""
    from butler_core.cameras.find import find_camera, known_cameras

    directories = butler.repository.camera_directories
    known = {camera.name for camera in known_cameras(directories)}
    names = butler.repository.registry.records.fetch("instrument")["name"]
    return [find_camera(name, directories) for name in names if name in known]
