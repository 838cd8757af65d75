"""Sky maps: the sphere, or parts of it, cut into tracts and these into patches.

The geometry is that of Rubin's ``lsst.skymap``: same tracts, same patches, same
hash for the same configuration. Warps no image.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "PatchGrid": "config",
    "SkyMap": "sky_map",
    "SkyMapConfig": "config",
    "SkyMapReport": "register",
    "load_config": "config_file",
    "make_sky_map": "sky_map",
    "register_skymap": "register",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table is the list


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
