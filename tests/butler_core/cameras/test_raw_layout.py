from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from butler_core.cameras import Box, RawBoxes, amplifier_boxes, find_camera
from butler_core.errors import RawFileError

LATISS = find_camera("LATISS")


def detsec(target: Box, *, flip_x: bool, top: bool) -> str:
    """Write DETSEC as Rubin's cameras do: rows from the top, read direction first."""
    x = (target.x1, target.x0 + 1) if flip_x else (target.x0 + 1, target.x1)
    low, high = 4000 - target.y1 + 1, 4000 - target.y0
    y = (low, high) if top else (high, low)
    return f"[{x[0]}:{x[1]},{y[0]}:{y[1]}]"


def full_headers(**cards: Any) -> list[dict[str, Any]]:
    return [{}] + [{"NAXIS1": 576, "NAXIS2": 2048, **cards}] * 16


def window_headers(x0: int, y0: int, nx: int, ny: int) -> list[dict[str, Any]]:
    """Headers of a window that starts (x0, y0) pixels from each amplifier's own corner."""
    headers: list[dict[str, Any]] = [{}]
    for amplifier in LATISS.detectors[0].amplifiers:
        left = amplifier.box.x1 - x0 - nx if amplifier.flip_x else amplifier.box.x0 + x0
        low = amplifier.box.y1 - y0 - ny if amplifier.flip_y else amplifier.box.y0 + y0
        text = detsec(Box(left, low, nx, ny), flip_x=amplifier.flip_x, top=amplifier.flip_y)
        headers.append({"NAXIS1": nx + 67, "NAXIS2": ny + 48, "DETSEC": text})
    return headers


def test_real_full_frame_follows_the_camera(test_data: Path) -> None:
    path = test_data / "repositories/latiss/raw/2018-09-20/3018092000065-det000.fits"
    with fits.open(path) as hdus:
        boxes = amplifier_boxes(LATISS, 0, [hdu.header for hdu in hdus])

        names = [hdus[item.hdu].header["EXTNAME"] for item in boxes.amplifiers]

    assert boxes.image == Box(0, 0, 4072, 4000)
    assert boxes.is_full_frame
    assert names == [f"Segment{item.amplifier.name[1:]}" for item in boxes.amplifiers]
    assert boxes.amplifiers[0].data == Box(3, 0, 509, 2000)
    assert boxes.amplifiers[0].box == Box(0, 2000, 509, 2000)


def test_full_frame_of_real_detsec_is_where_the_camera_puts_it(test_data: Path) -> None:
    path = test_data / "repositories/latiss/raw/2018-09-20/3018092000065-det000.fits"
    with fits.open(path) as hdus:
        real = [hdus[item.hdu].header["DETSEC"] for item in LATISS.detectors[0].amplifiers]

    assert real == [
        detsec(item.box, flip_x=item.flip_x, top=item.flip_y)
        for item in LATISS.detectors[0].amplifiers
    ]


def test_full_frame_ignores_wrong_sections() -> None:
    wrong = full_headers(DETSEC="[1:1,1:1]", DATASEC="[9:9,9:9]")

    assert amplifier_boxes(LATISS, "RXX_S00", wrong) == amplifier_boxes(LATISS, 0, full_headers())


def test_compressed_images_are_measured_by_their_own_size() -> None:
    compressed: list[dict[str, Any]] = [{}] + [
        {"NAXIS1": 8, "NAXIS2": 2048, "ZNAXIS1": 576, "ZNAXIS2": 2048}
    ] * 16

    assert amplifier_boxes(LATISS, 0, compressed).is_full_frame


def assembled(boxes: RawBoxes, raws: list[np.ndarray]) -> np.ndarray:
    image = np.full((boxes.image.ny, boxes.image.nx), -1)
    for item in boxes.amplifiers:
        data = raws[item.hdu][item.data.slices]
        data = data[:: -1 if item.flip_y else 1, :: -1 if item.flip_x else 1]
        image[item.box.slices] = data
    return image


def raws_of(sky: np.ndarray, x0: int, y0: int, nx: int, ny: int) -> list[np.ndarray]:
    """Read a window of an image as the camera would, with marked prescan and overscan."""
    raws = [np.empty((0, 0))]
    for amplifier in LATISS.detectors[0].amplifiers:
        data = sky[amplifier.box.slices]
        data = data[:: -1 if amplifier.flip_y else 1, :: -1 if amplifier.flip_x else 1]
        raw = np.full((ny + 48, nx + 67), -9)
        raw[:ny, 3 : 3 + nx] = data[y0 : y0 + ny, x0 : x0 + nx]
        raw[:ny, 3 + nx :] = -2
        raw[ny:, 3 : 3 + nx] = -3
        raws.append(raw)
    return raws


def test_window_at_the_readout_corner_is_put_together_again() -> None:
    sky = np.arange(4072 * 4000).reshape(4000, 4072)
    window = (0, 1500, 509, 500)
    raws = raws_of(sky, *window)

    boxes = amplifier_boxes(LATISS, 0, window_headers(*window))

    assert boxes.image == Box(0, 1500, 4072, 1000)
    assert not boxes.is_full_frame
    np.testing.assert_array_equal(assembled(boxes, raws), sky[1500:2500])
    for item in boxes.amplifiers:
        assert (raws[item.hdu][item.serial_overscan.slices] == -2).all()
        assert (raws[item.hdu][item.parallel_overscan.slices] == -3).all()
        assert (item.serial_overscan.nx, item.parallel_overscan.ny) == (64, 48)


def test_narrow_window_leaves_gaps_to_nobody() -> None:
    sky = np.arange(4072 * 4000).reshape(4000, 4072)
    window = (100, 0, 50, 2000)

    boxes = amplifier_boxes(LATISS, 0, window_headers(*window))
    image = assembled(boxes, raws_of(sky, *window))

    whole = sky[boxes.image.slices]
    assert (image[image >= 0] == whole[image >= 0]).all()
    assert (image >= 0).sum() == 16 * 50 * 2000


def test_window_without_or_with_impossible_detsec_is_refused_with_all_faults() -> None:
    headers = window_headers(0, 1500, 509, 500)
    del headers[1]["DETSEC"]
    headers[2] = headers[2] | {"DETSEC": "[1:5,1:500]"}
    headers[3] = headers[3] | {"NAXIS1": 9999}
    headers[4] = {"EXTNAME": "Segment13"}
    headers[5] = headers[5] | {"DETSEC": "[509:1,1:500]"}

    with pytest.raises(RawFileError) as raised:
        amplifier_boxes(LATISS, 0, headers[:-1])

    message = str(raised.value)
    assert "detector 'RXX_S00' of camera 'LATISS'" in message
    assert "C10 (HDU 1): it is a window, and its DETSEC is None" in message
    assert "C11 (HDU 2): DETSEC '[1:5,1:500]' is not 509 x 500 pixels" in message
    assert "C12 (HDU 3): its 9999 x 548 pixels are neither a full frame of 576 x 2048" in message
    assert "C13 (HDU 4): it holds no image" in message
    assert "C14 (HDU 5): DETSEC '[509:1,1:500]'" in message
    assert "C00: the file has no HDU 16" in message


def test_test_camera_holds_all_amplifiers_in_one_image(test_data: Path) -> None:
    camera = find_camera("testCam")
    with fits.open(test_data / "images/raw_v3_fr.fits.gz") as hdus:
        boxes = amplifier_boxes(camera, 0, [hdus[0].header])
        pixels = hdus[0].data.astype(float)

    assert boxes.image == Box(0, 0, 1018, 2000)
    for item in boxes.amplifiers:
        bias = np.median(pixels[item.serial_overscan.slices])
        light = np.median(pixels[item.data.slices])
        assert light - bias == pytest.approx(435, abs=30)
        assert (item.parallel_overscan.nx, item.parallel_overscan.ny) == (0, 0)


def test_shared_image_cannot_be_a_window() -> None:
    with pytest.raises(RawFileError, match="1026 x 1000 pixels, not 1026 x 2000"):
        amplifier_boxes(find_camera("testCam"), 0, [{"NAXIS1": 1026, "NAXIS2": 1000}])
