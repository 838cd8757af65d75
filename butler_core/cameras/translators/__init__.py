"""Header translators: from the cards of a raw file to the properties of astro-metadata-translator.

Importing the modules registers the translators of LATISS and LSSTCam with
astro-metadata-translator; ``translator_class`` gives that of any camera.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "DeclaredTranslator": "declared",
    "LatissTranslator": "latiss",
    "LsstCamTranslator": "lsstcam",
    "LsstTranslator": "lsst",
    "register_translators": "choose",
    "translator_class": "choose",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 - the table is the list


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
