"""Where an exposure's amplifiers are: in the raw file and in the assembled image.

Rule: for a full frame the camera's own layout is the truth, whatever DATASEC
and DETSEC say (old headers are wrong in places). For a window the widths of
prescan and overscan stay as the camera has them, only the imaging area
shrinks, and DETSEC says where in the detector it lies.

Looks at sizes and cards only: reads no file and moves no pixel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from butler_core.cameras.camera import Amplifier, Box, Camera, Detector
from butler_core.errors import RawFileError

_SECTION = re.compile(r"\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]")

Header = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AmplifierBoxes:
    """One amplifier in one exposure."""

    #: The amplifier, as in a full frame.
    amplifier: Amplifier
    #: HDU that holds it.
    hdu: int
    #: Pixels that saw light, in the HDU.
    data: Box
    #: Bias level of each row, in the HDU; empty if there is none.
    serial_overscan: Box
    #: Rows past the last, in the HDU; empty if there are none.
    parallel_overscan: Box
    #: Are columns reversed on the way to the assembled image?
    flip_x: bool
    #: Are rows reversed on the way to the assembled image?
    flip_y: bool
    #: Where the data land in the assembled (windowed) image.
    box: Box


@dataclass(frozen=True, slots=True)
class RawBoxes:
    """All amplifiers of one detector in one exposure."""

    #: In the order of the camera's layout.
    amplifiers: tuple[AmplifierBoxes, ...]
    #: The assembled image in pixels of the whole detector; its (x0, y0) is the image's origin.
    image: Box

    @property
    def is_full_frame(self) -> bool:
        """Whether the whole detector was read."""
        return all(item.data == item.amplifier.data for item in self.amplifiers)


def amplifier_boxes(
    camera: Camera, detector: Detector | int | str, headers: Sequence[Header] | Mapping[int, Header]
) -> RawBoxes:
    """Return where everything is in a raw file and in the image made of it.

    Parameters
    ----------
    camera
        The instrument.
    detector
        The detector, its ID or its name.
    headers
        Header of each HDU by its index (0 is the primary one).

    Returns
    -------
    RawBoxes
        The image is the smallest box that holds all windows; pixels of it
        that no amplifier read are nobody's.

    Raises
    ------
    RawFileError
        If an HDU is absent, its image smaller than prescan and overscan or
        larger than a full frame, or a window's DETSEC missing or inconsistent;
        the faults of all amplifiers in one message.
    """
    chosen = detector if isinstance(detector, Detector) else camera.detector(detector)
    sharing = {amplifier.hdu for amplifier in chosen.amplifiers}
    is_shared = len(sharing) < len(chosen.amplifiers)
    placed: list[AmplifierBoxes] = []
    faults: list[str] = []
    for amplifier in chosen.amplifiers:
        try:
            header = headers[amplifier.hdu]
        except (IndexError, KeyError):
            faults.append(f"{amplifier.name}: the file has no HDU {amplifier.hdu}")
            continue
        try:
            if is_shared:
                placed.append(_shared(chosen, amplifier, header))
            else:
                placed.append(_alone(camera, chosen, amplifier, header))
        except ValueError as error:
            faults.append(f"{amplifier.name} (HDU {amplifier.hdu}): {error}")
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise RawFileError(
            f"the raw file is not laid out as detector {chosen.full_name!r} of camera "
            f"{camera.name!r}; check that it is this camera's:\n{listed}"
        )
    return _assembled(placed)


def _alone(
    camera: Camera, detector: Detector, amplifier: Amplifier, header: Header
) -> AmplifierBoxes:
    """Place an amplifier that has an HDU of its own."""
    nx, ny = _image_size(header)
    if (nx, ny) == (amplifier.raw.nx, amplifier.raw.ny):
        return _full_frame(amplifier)
    lost_x, lost_y = amplifier.raw.nx - nx, amplifier.raw.ny - ny
    window = Box(
        amplifier.data.x0, amplifier.data.y0, amplifier.data.nx - lost_x, amplifier.data.ny - lost_y
    )
    if min(lost_x, lost_y) < 0 or min(window.nx, window.ny) < 1:
        raise ValueError(
            f"its {nx} x {ny} pixels are neither a full frame of {amplifier.raw.nx} x "
            f"{amplifier.raw.ny} nor a window of one"
        )
    target = _detsec(camera, detector, header)
    if (target.nx, target.ny) != (window.nx, window.ny) or not amplifier.box.contains(target):
        raise ValueError(
            f"DETSEC {header['DETSEC']!r} is not {window.nx} x {window.ny} pixels within "
            f"{amplifier.box}, as a window of {nx} x {ny} raw pixels must be"
        )
    return AmplifierBoxes(
        amplifier=amplifier,
        hdu=amplifier.hdu,
        data=window,
        serial_overscan=_shrunk(amplifier.serial_overscan, amplifier.data, lost_x, lost_y),
        parallel_overscan=_shrunk(amplifier.parallel_overscan, amplifier.data, lost_x, lost_y),
        flip_x=amplifier.flip_x,
        flip_y=amplifier.flip_y,
        box=target,
    )


def _shared(detector: Detector, amplifier: Amplifier, header: Header) -> AmplifierBoxes:
    """Place an amplifier that shares its HDU; such files are full frames only."""
    here = [item.raw for item in detector.amplifiers if item.hdu == amplifier.hdu]
    expected = max(raw.x1 for raw in here), max(raw.y1 for raw in here)
    nx, ny = _image_size(header)
    if (nx, ny) != expected:
        raise ValueError(
            f"the image has {nx} x {ny} pixels, not {expected[0]} x {expected[1]}; windows are not "
            "possible where amplifiers share an HDU"
        )
    return _full_frame(amplifier)


def _full_frame(amplifier: Amplifier) -> AmplifierBoxes:
    return AmplifierBoxes(
        amplifier=amplifier,
        hdu=amplifier.hdu,
        data=amplifier.data,
        serial_overscan=amplifier.serial_overscan,
        parallel_overscan=amplifier.parallel_overscan,
        flip_x=amplifier.flip_x,
        flip_y=amplifier.flip_y,
        box=amplifier.box,
    )


def _shrunk(overscan: Box, data: Box, lost_x: int, lost_y: int) -> Box:
    """Move and shorten an overscan along with the imaging area beside it."""
    beside_x, beside_y = overscan.x0 >= data.x1, overscan.y0 >= data.y1
    return Box(
        overscan.x0 - (lost_x if beside_x else 0),
        overscan.y0 - (lost_y if beside_y else 0),
        overscan.nx - (lost_x if overscan.nx >= data.nx else 0),
        overscan.ny - (lost_y if overscan.ny >= data.ny else 0),
    )


def _image_size(header: Header) -> tuple[int, int]:
    """Return the size of an HDU's image, compressed or not: NAXIS1, NAXIS2."""
    for prefix in ("ZNAXIS", "NAXIS"):
        if f"{prefix}1" in header and f"{prefix}2" in header:
            return int(header[f"{prefix}1"]), int(header[f"{prefix}2"])
    raise ValueError("it holds no image (no NAXIS1 and NAXIS2)")


def _detsec(camera: Camera, detector: Detector, header: Header) -> Box:
    """Read DETSEC as a box of the assembled detector; flips are the camera's affair."""
    text = header.get("DETSEC")
    match = _SECTION.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"it is a window, and its DETSEC is {text!r}, no [x1:x2,y1:y2]")
    x1, x2, y1, y2 = map(int, match.groups())
    x_first, x_last = sorted((x1, x2))
    y_first, y_last = sorted((y1, y2))
    y0 = detector.ny - y_last if camera.raw.detsec_from_top else y_first - 1
    return Box(x_first - 1, y0, x_last - x_first + 1, y_last - y_first + 1)


def _assembled(placed: list[AmplifierBoxes]) -> RawBoxes:
    """Count the windows from the corner of the smallest box that holds them."""
    x0, y0 = min(item.box.x0 for item in placed), min(item.box.y0 for item in placed)
    x1, y1 = max(item.box.x1 for item in placed), max(item.box.y1 for item in placed)
    amplifiers = tuple(
        AmplifierBoxes(
            amplifier=item.amplifier,
            hdu=item.hdu,
            data=item.data,
            serial_overscan=item.serial_overscan,
            parallel_overscan=item.parallel_overscan,
            flip_x=item.flip_x,
            flip_y=item.flip_y,
            box=item.box.shifted(-x0, -y0),
        )
        for item in placed
    )
    return RawBoxes(amplifiers=amplifiers, image=Box(x0, y0, x1 - x0, y1 - y0))
