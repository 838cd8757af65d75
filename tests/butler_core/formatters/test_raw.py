from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from butler_core.cameras.find import find_camera
from butler_core.errors import ParameterError, RawFileError, ReadFileError, WriteFileError
from butler_core.formatters.bounding_box import BoundingBox
from butler_core.formatters.exposure import Exposure, FilterLabel
from butler_core.formatters.raw import RawFormatter
from butler_core.formatters.raw_exposure import RawExposure
from butler_core.formatters.unzipping import UnzippingFile

Ask = Callable[..., Any]
LATISS = {"instrument": "LATISS", "detector": 0}


@pytest.fixture(scope="module")
def latiss_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a LATISS file whose pixels say where they are: amplifier * 1000 + row."""
    header = {
        "INSTRUME": "LATISS", "TELESCOP": "LSST AuxTel", "EXPTIME": 30.0,
        "DATE-OBS": "2021-07-07T00:00:00", "DAYOBS": "20210706", "SEQNUM": 5, "CAMCODE": "AT",
        "CONTRLLR": "O", "OBSID": "AT_O_20210706_000005", "IMGTYPE": "BIAS",
    }  # fmt: skip
    hdus: list[Any] = [fits.PrimaryHDU(header=fits.Header(header))]
    for amplifier in find_camera("LATISS").detector(0).amplifiers:
        rows = np.arange(amplifier.raw_ny)[:, np.newaxis] + 10000 * amplifier.hdu
        pixels = np.broadcast_to(rows, (amplifier.raw_ny, amplifier.raw_nx)).astype(np.int32)
        hdus.append(fits.ImageHDU(pixels, name=f"Segment{amplifier.name[1:]}"))
    path = tmp_path_factory.mktemp("raw") / "raw.fits"
    fits.HDUList(hdus).writeto(path)
    return path


def test_amplifiers_are_put_in_their_places(latiss_raw: Path, ask: Ask) -> None:
    raw = RawFormatter().read(ask(latiss_raw, "Exposure", data_id=LATISS))

    assert isinstance(raw, RawExposure)
    assert raw.data.shape == (4000, 4072)
    assert raw.data.dtype == np.float32
    assert str(raw.unit) == "adu"
    assert raw.detector is not None
    assert raw.detector.full_name == "RXX_S00"
    assert len(raw.amplifiers) == 16
    assert not np.isnan(raw.data).any()
    for readout in raw.amplifiers:
        box = readout.boxes.box
        first_row = raw.data[box.y1 - 1 if readout.boxes.flip_y else box.y0, box.x0]
        assert first_row == 10000 * readout.amplifier.hdu
        assert readout.data.dtype == np.int32
        assert readout.serial_overscan.shape == (2000, 64)
        assert readout.parallel_overscan.shape == (48, 509)
        assert readout.parallel_overscan[0, 0] == 10000 * readout.amplifier.hdu + 2000


def test_a_cutout_reads_the_amplifiers_concerned(latiss_raw: Path, ask: Ask, counting: Any) -> None:
    whole = RawFormatter().read(ask(latiss_raw, "Exposure", data_id=LATISS))
    request = ask(
        f"counting://{latiss_raw}", "Exposure", data_id=LATISS,
        parameters={"bbox": (500, 1990, 20, 20)},
    )  # fmt: skip

    part = RawFormatter().read(request)

    assert np.array_equal(part.data, whole.data[1990:2010, 500:520])
    assert part.xy0 == (500, 1990)
    assert len(part.amplifiers) == 4
    assert counting.n_bytes < 0.4 * latiss_raw.stat().st_size


def test_metadata_reads_no_pixels(latiss_raw: Path, ask: Ask, counting: Any) -> None:
    url = f"counting://{latiss_raw}"

    metadata = RawFormatter().read(ask(url, "Exposure", "metadata", data_id=LATISS))

    assert metadata["EXPTIME"] == 30.0
    assert counting.n_bytes < 200_000
    counting.n_bytes = 0
    assert RawFormatter().read(ask(url, "Exposure", "wcs", data_id=LATISS)) is None
    assert counting.n_bytes < 0.1 * latiss_raw.stat().st_size


def test_components(latiss_raw: Path, ask: Ask) -> None:
    def component(name: str) -> Any:
        return RawFormatter().read(ask(latiss_raw, "Exposure", name, data_id=LATISS))

    assert type(component("image")) is Exposure
    assert component("detector").id == 0
    assert component("bbox") == BoundingBox(0, 0, 4072, 4000)
    assert component("dimensions") == (4072, 4000)
    assert component("xy0") == (0, 0)
    assert component("visitInfo")["exposure_time_s"] == 30.0
    assert component("psf") is None
    with pytest.raises(ParameterError, match="no component 'wsc'"):
        component("wsc")


def test_a_file_of_another_instrument_is_refused(latiss_raw: Path, ask: Ask) -> None:
    request = ask(latiss_raw, "Exposure", data_id={"instrument": "LSSTCam", "detector": 0})
    with pytest.raises(RawFileError, match=r"raw\.fits.*no raw file of 'LSSTCam'.*'LATISS'"):
        RawFormatter().read(request)

    request = ask(latiss_raw, "Exposure", data_id={"instrument": "testCam", "detector": 0})
    with pytest.raises(RawFileError, match=r"raw\.fits.*not laid out as"):
        RawFormatter().read(request)


def test_a_data_id_without_detector_is_refused(latiss_raw: Path, ask: Ask) -> None:
    with pytest.raises(RawFileError, match="no detector"):
        RawFormatter().read(ask(latiss_raw, "Exposure", data_id={"instrument": "LATISS"}))


def test_broken_files_are_named(latiss_raw: Path, tmp_path: Path, ask: Ask) -> None:
    whole = latiss_raw.read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: len(whole) // 2 - 9000])
    (tmp_path / "text.fits").write_bytes(b"hello")
    with fits.open(latiss_raw) as hdus:
        fits.HDUList(hdus[:5]).writeto(tmp_path / "few.fits")

    for name, error, message in (
        ("cut.fits", ReadFileError, "is truncated"),
        ("text.fits", ReadFileError, "is no FITS file"),
        ("absent.fits", ReadFileError, "no file at"),
        ("few.fits", RawFileError, "the file has no HDU"),
    ):
        with pytest.raises(error, match=message) as caught:
            RawFormatter().read(ask(tmp_path / name, "Exposure", data_id=LATISS))
        assert name in str(caught.value)


def test_raws_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(WriteFileError, match="ingested"):
        RawFormatter().write(Exposure(np.eye(2), unit="adu"), tmp_path / "raw.fits")


def test_slices_and_results_of_raws_keep_their_amplifiers(latiss_raw: Path, ask: Ask) -> None:
    raw = RawFormatter().read(ask(latiss_raw, "Exposure", data_id=LATISS))

    for made in (raw[10:20, 30:40], raw.cutout((5, 5, 3, 3)).multiply(2)):
        assert len(made.amplifiers) == 16
        assert made.detector is raw.detector


def test_the_test_cameras_frames_are_read(test_data: Path, ask: Ask) -> None:
    data_id = {"instrument": "testCam", "detector": 0}
    path = test_data / "images/raw_v1_fg.fits.gz"

    raw = RawFormatter().read(ask(path, "Exposure", data_id=data_id))

    assert raw.data.shape == (2000, 1018)
    assert raw.amplifiers[0].serial_overscan.shape == (1000, 4)
    assert raw.wcs.has_celestial
    assert raw.wcs.pixel_to_world(500, 1000).ra.deg == pytest.approx(79.03, abs=0.05)
    label = RawFormatter().read(ask(path, "Exposure", "filter", data_id=data_id))
    assert label == FilterLabel("g", "g")


def test_rubins_latiss_raw_is_read(test_data: Path, ask: Ask) -> None:
    (path,) = (test_data / "repositories/latiss/raw").rglob("*.fits")

    raw = RawFormatter().read(
        ask(path, "Exposure", data_id=LATISS, parameters={"bbox": (0, 0, 100, 100)})
    )

    assert raw.data.shape == (100, 100)
    assert raw.meta["EXPTIME"] == 27.0
    assert raw.wcs is None


def test_an_unzipping_file_is_read_anywhere() -> None:
    content = bytes(range(256)) * 20000
    file = UnzippingFile(io.BytesIO(gzip.compress(content)))

    assert file.seek(4_000_000) == 4_000_000
    assert file.read(10) == content[4_000_000:4_000_010]
    assert file.seek(-5, io.SEEK_CUR) == 4_000_005
    file.seek(3)
    assert file.read(4) == content[3:7]
    assert file.tell() == 7
    assert file.seek(0, io.SEEK_END) == len(content)
    assert file.read(1) == b""
    file.seek(0)
    assert file.read() == content
    file.close()
    assert file.closed
