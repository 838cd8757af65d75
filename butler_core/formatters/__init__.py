"""How datasets become files and come back: the protocol and one module per format.

Importing this package imports neither numpy nor astropy; names are looked up
when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from butler_core.formatters.bounding_box import BoundingBox
    from butler_core.formatters.exposure import Exposure, FilterLabel
    from butler_core.formatters.formatter import Formatter, ReadRequest
    from butler_core.formatters.formatter_table import FormatterTable
    from butler_core.formatters.mask_planes import Mask, MaskPlanes
    from butler_core.formatters.raw_exposure import RawExposure

__all__ = [
    "BoundingBox",
    "Exposure",
    "FilterLabel",
    "Formatter",
    "FormatterTable",
    "Mask",
    "MaskPlanes",
    "RawExposure",
    "ReadRequest",
]

_MODULES = {
    "BoundingBox": "bounding_box",
    "Exposure": "exposure",
    "FilterLabel": "exposure",
    "Formatter": "formatter",
    "FormatterTable": "formatter_table",
    "Mask": "mask_planes",
    "MaskPlanes": "mask_planes",
    "RawExposure": "raw_exposure",
    "ReadRequest": "formatter",
}


def __getattr__(name: str) -> Any:
    """Look up a public name in its module, at the first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
