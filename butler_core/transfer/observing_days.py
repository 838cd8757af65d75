"""When the observing days of a repository's instruments begin."""

from __future__ import annotations

from typing import Any

from butler_core.cameras.find import find_camera
from butler_core.errors import CameraFileError, UnknownCameraError
from butler_core.repository.repository import Repository


class ObservingDays:
    """Asks the cameras that are known for the start of their days.

    Parameters
    ----------
    repository
        Whose cameras, and whose instrument records, are looked at.
    class_names
        Rubin's names of the instruments' classes, by instrument, of
        instruments that the repository may not have yet.
    """

    def __init__(self, repository: Repository, class_names: dict[str, str]) -> None:
        self._records = repository.registry.records
        self._class_names = class_names
        self._directories = repository.camera_directories
        self._translators: dict[str, Any] = {}

    def start_s(self, instrument: str, time_ns: int) -> int | None:
        """Return how long after 0h TAI an instrument's day begins [s].

        Parameters
        ----------
        instrument
            Its name.
        time_ns
            When; a camera may have moved to another continent [TAI ns].

        Returns
        -------
        int
            None if no such camera is known, or it does not say.
        """
        if instrument not in self._translators:
            self._translators[instrument] = self._translator(instrument)
        translator = self._translators[instrument]
        if translator is None:
            return None
        from butler_core.tai import ns_to_time

        offset = translator.observing_date_to_offset(ns_to_time(time_ns))
        return None if offset is None else round(offset.to_value("s"))

    def _translator(self, instrument: str) -> type[Any] | None:
        stored = self._records.fetch("instrument", {"name": instrument})["class_name"]
        for key in filter(None, (instrument, self._class_names.get(instrument), *stored)):
            try:
                camera = find_camera(key, self._directories)
            except UnknownCameraError:
                continue
            from butler_core.cameras.translators.choose import translator_class

            try:
                return translator_class(camera)
            except CameraFileError:
                # An import can do without the translator; whoever ingests raws is told.
                return None
        return None
