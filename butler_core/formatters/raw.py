"""Raw files of any camera: amplifiers put in their places on read.

The camera named by the data ID says how the file is laid out. Raw files are
ingested as they are, never written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from butler_core.errors import RawFileError, WriteFileError
from butler_core.formatters.fits_header import observation_header, wcs_of
from butler_core.formatters.fits_opening import FitsFile, open_fits
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.raw_facts import raw_filter, raw_visit_info

if TYPE_CHECKING:
    from butler_core.cameras.camera import Box, Camera, Detector
    from butler_core.cameras.raw_layout import AmplifierBoxes, RawBoxes
    from butler_core.formatters.raw_exposure import AmplifierReadout

#: Components that images may have and raw files have not.
_ABSENT = frozenset(
    {
        "apCorrMap",
        "coaddInputs",
        "mask",
        "photoCalib",
        "psf",
        "summaryStats",
        "transmissionCurve",
        "validPolygon",
        "variance",
    }
)


@dataclass(frozen=True)
class RawFormatter:
    """Reads `RawExposure` objects."""

    extension: ClassVar[str] = ".fits"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Refuse to write.

        Parameters
        ----------
        obj
            Any object.
        path
            Not touched.
        """
        raise WriteFileError(
            f"a {type(obj).__name__} is not written to {path.name!r}: raw files are ingested as "
            "the camera wrote them (`butler ingest-raws`). Put images under a dataset type of "
            "their own."
        )

    def read(self, request: ReadRequest) -> Any:
        """Read a raw frame, a component or a cut-out.

        Parameters
        ----------
        request
            Its data ID names ``instrument`` and ``detector``. Honours the
            parameters ``bbox`` and ``origin``, of the assembled image; of a
            cut-out only the amplifiers concerned are read.

        Raises
        ------
        RawFileError
            If the file is of another instrument or detector, or is not laid
            out as the camera's files are.
        """
        if request.component in _ABSENT:
            return None
        with open_fits(request) as opened:
            frame = _RawFrame(opened, request)
            if request.component is None:
                return request.storage_class.check(frame.read())
            reader = _COMPONENTS.get(request.component)
            if reader is None:
                raise request.unknown_component(_COMPONENTS)
            return reader(frame)


class _RawFrame:
    """One open raw file; reads of it what is asked for, nothing before."""

    def __init__(self, opened: FitsFile, request: ReadRequest) -> None:
        from butler_core.cameras.find import find_camera

        self.opened = opened
        self.request = request
        self.header: Any = opened.get(0).header  # type: ignore[union-attr]
        lacking = [key for key in ("instrument", "detector") if key not in request.data_id]
        if lacking:
            raise RawFileError(
                f"{request.path!r} cannot be read: its data ID has no {' and no '.join(lacking)}."
            )
        self.camera: Camera = find_camera(
            str(request.data_id["instrument"]), request.camera_directories
        )
        self.detector: Detector = self.camera.detector(request.data_id["detector"])

    def facts(self) -> Any:
        """Translate the header; a header of another instrument or detector is an error."""
        from butler_core.cameras.observation import translate_header
        from butler_core.cameras.translators.choose import translator_class

        cards = {key: self.header[key] for key in self.header if key}
        if self.camera.translator is not None and not translator_class(self.camera).can_translate(
            cards
        ):
            raise RawFileError(
                f"{self.opened.path!r} is no raw file of {self.camera.name!r}: its INSTRUME is "
                f"{cards.get('INSTRUME')!r}. Correct the instrument it was ingested for."
            )
        facts = translate_header(cards, self.camera)
        if facts.detector_num is not None and facts.detector_num != self.detector.id:
            raise RawFileError(
                f"{self.opened.path!r} is of detector {facts.detector_num}, not of detector "
                f"{self.detector.id} ({self.detector.full_name!r}) as its data ID says."
            )
        return facts

    def metadata(self) -> Any:
        """Return the header of the exposure, without what describes the file."""
        return observation_header([self.header])

    def boxes(self) -> RawBoxes:
        """Find the amplifiers' places; reads headers only."""
        from butler_core.cameras.raw_layout import amplifier_boxes

        headers = {}
        for index in sorted({amplifier.hdu for amplifier in self.detector.amplifiers}):
            hdu = self.opened.get(index)
            if hdu is not None and hdu.is_image:
                headers[index] = hdu.header
        try:
            return amplifier_boxes(self.camera, self.detector, headers)
        except RawFileError as error:
            raise RawFileError(f"{self.opened.path!r}: {error}") from error

    def box(self, boxes: RawBoxes) -> Any:
        """Return the part of the assembled image that is asked for, in detector pixels."""
        from butler_core.formatters.bounding_box import BoundingBox, requested_box

        parameters = self.request.take_parameters("bbox", "origin")
        return requested_box(parameters, BoundingBox.parse(boxes.image))

    def wcs(self) -> Any:
        """World coordinates of the part asked for, or None.

        From where the telescope pointed and the camera's geometry; without a
        pointing on the sky, from the header, if that has the pixels.
        """
        from butler_core.cameras.geometry import detector_wcs

        boxes = self.boxes()
        box = self.box(boxes)
        facts = self.facts()
        angle = facts.boresight_rotation_angle
        if facts.tracking_radec is not None and angle is not None:
            if facts.boresight_rotation_coord != "sky":
                return None
            sky = facts.tracking_radec.icrs
            wcs = detector_wcs(
                self.camera, self.detector.id, sky.ra.deg, sky.dec.deg, angle.to_value("deg")
            )
            return wcs[box.slices]
        if len({item.hdu for item in boxes.amplifiers}) != 1:
            return None
        first = min(boxes.amplifiers, key=lambda item: (item.box.y0, item.box.x0))
        header = self.opened.get(first.hdu).header  # type: ignore[union-attr]
        wcs = wcs_of([header], self.opened.path)
        if wcs is None or not wcs.has_celestial:
            return None
        # The header counts pixels from the file's corner, the image from the first data pixel.
        return wcs[first.data.y0 :, first.data.x0 :][box.slices]

    def read(self) -> Any:
        """Read and assemble the part asked for."""
        from butler_core.formatters.raw_exposure import RawExposure

        boxes = self.boxes()
        box = self.box(boxes)
        local = box.shifted(-boxes.image.x0, -boxes.image.y0)
        pixels_by_hdu: dict[int, Any] = {}
        amplifiers = tuple(
            _read_amplifier(self.opened, item, pixels_by_hdu)
            for item in boxes.amplifiers
            if _overlap(item.box, local)
        )
        assembled = RawExposure(
            _assemble(amplifiers, boxes.image),
            amplifiers=amplifiers,
            detector=self.detector,
            unit="adu",
            meta=self.metadata(),
            xy0=(boxes.image.x0, boxes.image.y0),
        )
        cut = assembled if box == assembled.bbox else assembled.cutout(box)
        cut.wcs = self.wcs()
        return cut

    def image(self) -> Any:
        """Read the assembled pixels without the amplifiers."""
        from butler_core.formatters.exposure import Exposure

        raw = self.read()
        return Exposure(raw.data, unit=raw.unit, wcs=raw.wcs, meta=raw.meta, xy0=raw.xy0)


_COMPONENTS: Mapping[str, Callable[[_RawFrame], Any]] = {
    "image": _RawFrame.image,
    "metadata": _RawFrame.metadata,
    "wcs": _RawFrame.wcs,
    "detector": lambda frame: frame.detector,
    "visitInfo": lambda frame: raw_visit_info(frame.facts()),
    "filter": lambda frame: raw_filter(frame.facts(), frame.camera),
    "id": lambda frame: frame.facts().exposure_id,
    "bbox": lambda frame: frame.box(frame.boxes()),
    "dimensions": lambda frame: (frame.box(frame.boxes()).nx, frame.box(frame.boxes()).ny),
    "xy0": lambda frame: (frame.box(frame.boxes()).x0, frame.box(frame.boxes()).y0),
}


def _read_amplifier(
    opened: FitsFile, boxes: AmplifierBoxes, pixels_by_hdu: dict[int, Any]
) -> AmplifierReadout:
    """Read one amplifier; an HDU that several share is read once."""
    import numpy as np

    from butler_core.formatters.raw_exposure import AmplifierReadout

    if boxes.hdu not in pixels_by_hdu:
        pixels_by_hdu[boxes.hdu] = np.asarray(
            opened.get(boxes.hdu).data,  # type: ignore[union-attr] # its header was read
            dtype=np.int32,
        )
    pixels = pixels_by_hdu[boxes.hdu]
    return AmplifierReadout(
        boxes=boxes,
        data=pixels[boxes.data.slices].copy(),
        serial_overscan=pixels[boxes.serial_overscan.slices].copy(),
        parallel_overscan=pixels[boxes.parallel_overscan.slices].copy(),
    )


def _assemble(amplifiers: tuple[AmplifierReadout, ...], image: Box) -> Any:
    """Put the amplifiers' data pixels into one float32 array, NaN where there are none."""
    import numpy as np

    assembled = np.full((image.ny, image.nx), np.nan, dtype=np.float32)
    for readout in amplifiers:
        assembled[readout.boxes.box.slices] = readout.oriented(readout.data)
    return assembled


def _overlap(one: Box, other: Any) -> bool:
    """Tell whether two boxes share a pixel."""
    return bool(
        one.x0 < other.x0 + other.nx
        and other.x0 < one.x1
        and one.y0 < other.y0 + other.ny
        and other.y0 < one.y1
    )
