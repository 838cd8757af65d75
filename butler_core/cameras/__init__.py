"""Instruments: what they are made of, what their headers say, where they point.

Pure: knows no database and no datastore. Instruments are YAML files; adding
one is adding a file.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Amplifier": "camera",
    "Box": "camera",
    "Camera": "camera",
    "Detector": "camera",
    "PhysicalFilter": "camera",
    "RawLayout": "camera",
    "KnownCamera": "find",
    "find_camera": "find",
    "known_cameras": "find",
    "ExposureFacts": "observation",
    "read_exposure_facts": "observation",
    "translate_header": "observation",
    "detector_corners_mm": "geometry",
    "detector_wcs": "geometry",
    "sky_corners": "geometry",
    "AmplifierBoxes": "raw_layout",
    "RawBoxes": "raw_layout",
    "amplifier_boxes": "raw_layout",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - the table is the list


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
