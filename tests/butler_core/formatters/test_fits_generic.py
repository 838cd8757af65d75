from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from butler_core.cameras.find import find_camera
from butler_core.errors import ParameterError, ReadFileError, WriteFileError
from butler_core.formatters.camera import CameraFormatter
from butler_core.formatters.exposure import Exposure
from butler_core.formatters.fits_generic import FitsGenericFormatter

Ask = Callable[..., Any]


def there_and_back(obj: Any, storage_class: str, folder: Path, ask: Ask) -> Any:
    FitsGenericFormatter().write(obj, folder / "x.fits")
    return FitsGenericFormatter().read(ask(folder / "x.fits", storage_class))


def test_a_dict_of_everything_comes_back(tmp_path: Path, ask: Ask) -> None:
    obj = {
        "header": {"OBSTYPE": "crosstalk"},
        "coeffs": np.eye(3),
        "amps": Table({"name": ["C00", "C01"], "gain": [1.5, 1.6]}),
        "nested": {"version": 1.5, "Names": ["a", "b"]},
        "n": 3,
    }

    back = there_and_back(obj, "CrosstalkCalib", tmp_path, ask)

    assert back.keys() == obj.keys()
    assert back["header"] == {"OBSTYPE": "crosstalk"}
    assert np.array_equal(back["coeffs"], np.eye(3))
    assert back["amps"]["gain"].tolist() == [1.5, 1.6]
    assert (back["nested"], back["n"]) == ({"version": 1.5, "Names": ["a", "b"]}, 3)
    path = tmp_path / "x.fits"
    assert FitsGenericFormatter().read(ask(path, "CrosstalkCalib", "n")) == 3
    with pytest.raises(ParameterError, match="no component 'm'"):
        FitsGenericFormatter().read(ask(path, "CrosstalkCalib", "m"))


def test_special_types_come_back_as_themselves(tmp_path: Path, ask: Ask) -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [10, 20], [1e-4, 1e-4]
    header = fits.Header({"A": 1})

    assert there_and_back(wcs, "Wcs", tmp_path, ask).wcs.crval.tolist() == [10, 20]
    assert there_and_back(Table({"a": [1]}), "Defects", tmp_path, ask).colnames == ["a"]
    image = Exposure(np.eye(3), unit="adu")
    assert np.array_equal(there_and_back(image, "ExposureF", tmp_path, ask).data, image.data)
    assert there_and_back(header, "Psf", tmp_path, ask) == {"header": {"A": 1}}
    assert np.array_equal(there_and_back(np.eye(2), "Psf", tmp_path, ask)["IMAGE"], np.eye(2))


def test_what_has_no_form_is_refused(tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(WriteFileError, match="a int has no generic FITS form"):
        FitsGenericFormatter().write(3, tmp_path / "x.fits")
    with pytest.raises(ReadFileError, match="has no WCS"):
        there_and_back(np.eye(2), "Wcs", tmp_path, ask)


def test_rubins_defects_are_a_table_or_a_dict(test_data: Path, ask: Ask) -> None:
    path = test_data / "images/defects.fits"

    assert len(FitsGenericFormatter().read(ask(path, "Defects"))) == 504
    assert len(FitsGenericFormatter().read(ask(path, "Linearizer"))["hdu1"]) == 504


def test_rubins_camera_file_gives_our_camera(test_data: Path, ask: Ask) -> None:
    (path,) = (test_data / "repositories/latiss/LATISS/calib/unbounded/camera").glob("*.fits")

    assert FitsGenericFormatter().read(ask(path, "Camera")) == find_camera("LATISS")


def test_cameras_come_back(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "camera.json"

    for name in ("LATISS", "testCam"):
        CameraFormatter().write(find_camera(name), path)
        assert CameraFormatter().read(ask(path, "Camera")) == find_camera(name)


def test_what_is_no_camera_is_refused(tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(WriteFileError, match="a dict is no camera"):
        CameraFormatter().write({}, tmp_path / "camera.json")
    for content in (b'{"name": 3}', b"name: x\n", b"\xff\xff"):
        (tmp_path / "camera.json").write_bytes(content)
        with pytest.raises(ReadFileError, match="holds no camera"):
            CameraFormatter().read(ask(tmp_path / "camera.json", "Camera"))
