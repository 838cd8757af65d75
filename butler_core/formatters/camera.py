"""Cameras as JSON files that hold everything a camera is.

Also reads an instrument's YAML file, and of the FITS files that Rubin's
software keeps cameras in the name alone: the camera is then our own of that
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import CameraError, ReadFileError, WriteFileError
from butler_core.formatters.fits_opening import FitsFile, open_fits
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_bytes

#: First bytes of every FITS file.
_FITS_MAGIC = b"SIMPLE  ="


@dataclass(frozen=True)
class CameraFormatter:
    """Reads and writes `butler_core.cameras.camera.Camera` objects."""

    extension: ClassVar[str] = ".json"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Write a camera.

        Parameters
        ----------
        obj
            The camera.
        path
            Where to write.
        """
        from butler_core.cameras.camera import Camera

        if not isinstance(obj, Camera):
            raise WriteFileError(
                f"a {type(obj).__name__} is no camera; give what find_camera does."
            )
        path.write_bytes(_adapter().dump_json(obj, indent=1) + b"\n")

    def read(self, request: ReadRequest) -> Any:
        """Read a camera.

        Parameters
        ----------
        request
            Takes no component and no parameter.
        """
        request.take_parameters()
        if request.component is not None:
            raise request.unknown_component(())
        content = read_bytes(request)
        if content.startswith(_FITS_MAGIC):
            with open_fits(request) as opened:
                return request.storage_class.check(_camera_named_in(opened))
        return request.storage_class.check(_parse(content, request.path))


def _parse(content: bytes, path: str) -> Any:
    """Make a camera of JSON as written here, or of an instrument's YAML."""
    from pydantic import ValidationError

    from butler_core.cameras.camera_file import parse_camera

    try:
        if content.lstrip().startswith(b"{"):
            return _adapter().validate_json(content)
        return parse_camera(content.decode("utf-8"), source=path)
    except (ValidationError, UnicodeDecodeError, CameraError) as error:
        raise ReadFileError(f"{path!r} holds no camera: {error}.") from error


def _camera_named_in(opened: FitsFile) -> Any:
    """Return our own camera of the name that a Rubin camera file gives."""
    from butler_core.cameras.find import find_camera

    hdu = opened.find(_names_camera)
    if hdu is None:
        raise ReadFileError(f"{opened.path!r} has no table that names a camera.")
    # A text, or in newer files an array of letters.
    return find_camera("".join(hdu.data["name"][0]).strip())


def _names_camera(hdu: Any) -> bool:
    """Tell whether an HDU is the table of a camera's name."""
    columns = getattr(hdu, "columns", None)
    return hdu.name.upper() == "CAMERA" and columns is not None and "name" in columns.names


@cache
def _adapter() -> Any:
    """Make the object that turns cameras to JSON and back."""
    from pydantic import TypeAdapter

    from butler_core.cameras import camera
    from butler_core.cameras.header_rules import HeaderSection

    adapter = TypeAdapter(camera.Camera)
    # The camera's module imports this type for type checkers alone.
    adapter.rebuild(force=True, _types_namespace={**vars(camera), "HeaderSection": HeaderSection})
    return adapter
