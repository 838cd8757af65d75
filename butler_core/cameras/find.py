"""Finds instruments by name, by class name or by file.

Reads only the head of the files it passes over; the one that is asked for is
read by ``camera_file``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from butler_core.cameras.camera import Camera
from butler_core.cameras.camera_file import load_camera
from butler_core.errors import UnknownCameraError, near_misses

_PACKAGED = Path(__file__).parent
_HEAD = re.compile(r"^(name|class_name):[ \t]*(['\"]?)([^'\"\s#]+)\2[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """An instrument that can be found, not read yet."""

    #: Name of the instrument.
    name: str
    #: Rubin's name of its class.
    class_name: str
    #: The file that describes it.
    path: Path


def known_cameras(directories: Iterable[str | Path] = ()) -> list[KnownCamera]:
    """List the instruments that can be found by name.

    Parameters
    ----------
    directories
        Folders whose ``*.yaml`` files are searched before those that come
        with this package; of two instruments of one name the first is kept.

    Returns
    -------
    list
        In the order they are searched.
    """
    found: dict[str, KnownCamera] = {}
    for path in _files(directories):
        head = {key: value for key, _, value in _HEAD.findall(path.read_text(encoding="utf-8"))}
        if "name" in head and "class_name" in head:
            found.setdefault(head["name"], KnownCamera(head["name"], head["class_name"], path))
    return list(found.values())


def find_camera(key: str | Path, directories: Iterable[str | Path] = ()) -> Camera:
    """Return an instrument.

    Parameters
    ----------
    key
        Its name (``LATISS``), its class name (``lsst.obs.lsst.Latiss``), or
        the path of its YAML file (ending in ``.yaml`` or ``.yml``).
    directories
        Folders of further YAML files, searched first.

    Raises
    ------
    UnknownCameraError
        If no instrument has this name.
    CameraFileError
        If its file is faulty.
    """
    if isinstance(key, Path) or key.endswith((".yaml", ".yml")):
        return load_camera(Path(key))
    known = known_cameras(directories)
    for camera in known:
        if key in (camera.name, camera.class_name):
            return load_camera(camera.path)
    names = [name for camera in known for name in (camera.name, camera.class_name)]
    raise UnknownCameraError(
        f"no camera is called {key!r}; known are {', '.join(camera.name for camera in known)}."
        + (near_misses(key, names) or " For a camera of your own give the path of its YAML file.")
    )


def _files(directories: Iterable[str | Path]) -> Iterator[Path]:
    for directory in map(Path, directories):
        if not directory.is_dir():
            raise UnknownCameraError(
                f"the camera folder {str(directory)!r} is not a directory. Correct or remove it."
            )
        yield from sorted(directory.glob("*.yaml"))
    yield from sorted(_PACKAGED.glob("*.yaml"))
