"""Picks the translator class of a camera, and registers those of this package.

Translates nothing itself.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from astro_metadata_translator import MetadataTranslator

from butler_core.cameras.camera import Camera
from butler_core.errors import CameraFileError


def register_translators() -> None:
    """Make the translators of this package known to astro-metadata-translator."""
    for module in ("latiss", "lsstcam"):
        import_module(f"butler_core.cameras.translators.{module}")


@lru_cache(maxsize=32)
def translator_class(camera: Camera) -> type[Any]:
    """Return the translator class of a camera.

    Parameters
    ----------
    camera
        The instrument, whose file names a class or declares a translation.

    Returns
    -------
    type
        A subclass of astro-metadata-translator's ``MetadataTranslator``.

    Raises
    ------
    CameraFileError
        If the class named cannot be imported or is no translator.
    """
    if camera.translator is None:
        from butler_core.cameras.translators.declared import declare_translator

        return declare_translator(camera)
    module_name, _, class_name = camera.translator.rpartition(".")
    try:
        found = getattr(import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CameraFileError(
            f"camera {camera.name!r} names the translator {camera.translator!r}, which cannot be "
            f"imported: {error}. Install its package or correct 'translator' in the camera's file."
        ) from error
    if not (isinstance(found, type) and issubclass(found, MetadataTranslator)):
        raise CameraFileError(
            f"camera {camera.name!r} names the translator {camera.translator!r}, which is no "
            "subclass of astro_metadata_translator.MetadataTranslator. Correct 'translator'."
        )
    return found
