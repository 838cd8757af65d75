from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import Table
from astropy.wcs import WCS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from butler_core.errors import ParameterError, ReadFileError, WriteFileError
from butler_core.formatters.bounding_box import BoundingBox
from butler_core.formatters.exposure import Exposure, FilterLabel
from butler_core.formatters.fits_image import FitsImageFormatter
from butler_core.formatters.mask_planes import Mask, MaskPlanes

Ask = Callable[..., Any]


def tan_wcs() -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix, wcs.wcs.crval = [50, 60], [10, 20]
    wcs.wcs.cd = [[1e-4, 2e-5], [-2e-5, 1e-4]]
    return wcs


def make_exposure(ny: int = 30, nx: int = 40) -> Exposure:
    random = np.random.default_rng(1)
    mask = np.zeros((ny, nx), dtype=np.int32)
    mask[2, 3] = 4
    return Exposure(
        random.normal(100, 5, (ny, nx)).astype(np.float32),
        unit="electron",
        variance=np.full((ny, nx), 25.0, dtype=np.float32),
        mask=mask,
        mask_planes=MaskPlanes().with_plane("STREAK"),
        wcs=tan_wcs(),
        psf={"sigma_pixel": 1.5, "kind": "gauss", "kernel": np.eye(3)},
        xy0=(100, 200),
        meta={"EXPTIME": 30.0, "FILTER": "r_03", "a long keyword name": "x", "FLUXMAG0": 1e10},
    )


@pytest.fixture
def written(tmp_path: Path) -> Path:
    FitsImageFormatter().write(make_exposure(), tmp_path / "image.fits")
    return tmp_path / "image.fits"


def assert_same_sky(one: Any, other: Any) -> None:
    for x, y in ((0, 0), (17, 23)):
        apart = one.pixel_to_world(x, y).separation(other.pixel_to_world(x, y)).arcsec
        assert apart < 1e-6


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_everything_comes_back(tmp_path: Path, ask: Ask, compression: str) -> None:
    exposure, path = make_exposure(), tmp_path / "image.fits"

    FitsImageFormatter(compression=compression).write(exposure, path)
    back = FitsImageFormatter().read(ask(path, "ExposureF"))

    assert np.array_equal(back.data, exposure.data)
    assert back.data.dtype == np.float32
    assert np.array_equal(back.mask, exposure.mask)
    assert np.array_equal(back.variance, exposure.variance)
    assert back.mask_planes == exposure.mask_planes
    assert back.unit == exposure.unit
    assert back.xy0 == (100, 200)
    assert dict(back.meta) == {
        "EXPTIME": 30.0, "FILTER": "r_03", "a long keyword name": "x", "FLUXMAG0": 1e10
    }  # fmt: skip
    assert back.psf["sigma_pixel"] == 1.5
    assert back.psf["kind"] == "gauss"
    assert np.array_equal(back.psf["kernel"], np.eye(3))
    assert_same_sky(back.wcs, exposure.wcs)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    hnp.arrays(
        st.sampled_from(
            [np.float32, np.float64, np.uint8, np.int16, np.uint16, np.int32, np.int64]
        ),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    )
)
def test_pixels_of_any_type_come_back(tmp_path: Path, ask: Ask, pixels: Any) -> None:
    path = tmp_path / "image.fits"

    FitsImageFormatter().write(Exposure(pixels, unit="adu"), path)
    back = FitsImageFormatter().read(ask(path, "Image"))

    assert back.data.dtype == pixels.dtype
    assert np.array_equal(back.data, pixels, equal_nan=pixels.dtype.kind == "f")


@pytest.mark.parametrize("compression", ["none", "gzip", "rice"])
def test_the_same_image_gives_the_same_bytes(
    tmp_path: Path, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    formatter = FitsImageFormatter(compression=compression)

    formatter.write(make_exposure(), tmp_path / "one.fits")
    monkeypatch.setattr("time.time", lambda: 1e9)
    formatter.write(make_exposure(), tmp_path / "two.fits")

    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()


def test_rice_keeps_the_mask_and_loses_little(tmp_path: Path, ask: Ask) -> None:
    exposure, path = make_exposure(), tmp_path / "image.fits"

    FitsImageFormatter(compression="rice").write(exposure, path)
    back = FitsImageFormatter().read(ask(path, "ExposureF"))

    assert np.array_equal(back.mask, exposure.mask)
    assert np.abs(back.data - exposure.data).max() < 0.5


def test_an_unknown_compression_is_refused() -> None:
    with pytest.raises(ParameterError, match="'none', 'gzip' or 'rice'"):
        FitsImageFormatter(compression="zip")


def test_components(written: Path, ask: Ask) -> None:
    exposure = make_exposure()

    def component(name: str) -> Any:
        return FitsImageFormatter().read(ask(written, "ExposureF", name))

    assert np.array_equal(component("image").data, exposure.data)
    assert component("image").mask is None
    assert np.array_equal(component("mask").array, exposure.mask)
    assert component("mask").planes == exposure.mask_planes
    assert np.array_equal(component("variance").data, exposure.variance)
    assert component("variance").unit == exposure.unit**2
    assert component("metadata")["EXPTIME"] == 30.0
    assert component("bbox") == BoundingBox(100, 200, 40, 30)
    assert component("dimensions") == (40, 30)
    assert component("xy0") == (100, 200)
    assert component("filter") == FilterLabel(physical="r_03")
    assert component("visitInfo") == {"exposure_time_s": 30.0}
    assert component("photoCalib")["counts_at_magnitude_0"] == 1e10
    assert component("psf")["kind"] == "gauss"
    assert_same_sky(component("wcs"), exposure.wcs)


def test_components_that_are_not_there_are_none(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "bare.fits"
    FitsImageFormatter().write(Exposure(np.ones((4, 5)), unit="adu"), path)

    for name in ("mask", "variance", "psf", "wcs", "filter", "photoCalib"):
        assert FitsImageFormatter().read(ask(path, "ExposureF", name)) is None


def test_an_unknown_component_is_named(written: Path, ask: Ask) -> None:
    with pytest.raises(ParameterError, match=r"no component 'wsc'.*Did you mean 'wcs'"):
        FitsImageFormatter().read(ask(written, "ExposureF", "wsc"))
    with pytest.raises(ParameterError, match=r"'apCorrMap'.*cannot be read"):
        FitsImageFormatter().read(ask(written, "ExposureF", "apCorrMap"))


def test_an_unknown_parameter_is_named(written: Path, ask: Ask) -> None:
    with pytest.raises(ParameterError, match=r"'bbx'.*Did you mean 'bbox'"):
        FitsImageFormatter().read(ask(written, "ExposureF", parameters={"bbx": 1}))


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize(
    "parameters",
    [{"bbox": (103, 202, 5, 4)}, {"bbox": (3, 2, 5, 4), "origin": "LOCAL"}],
)
def test_a_cutout_is_the_slice(
    tmp_path: Path, ask: Ask, parameters: dict[str, Any], compression: str
) -> None:
    exposure, path = make_exposure(), tmp_path / "image.fits"
    FitsImageFormatter(compression=compression).write(exposure, path)

    part = FitsImageFormatter().read(ask(path, "ExposureF", parameters=parameters))
    wcs = FitsImageFormatter().read(ask(path, "ExposureF", "wcs", parameters=parameters))

    expected = exposure[2:6, 3:8]
    assert np.array_equal(part.data, expected.data)
    assert np.array_equal(part.mask, expected.mask)
    assert np.array_equal(part.variance, expected.variance)
    assert part.xy0 == expected.xy0 == (103, 202)
    assert_same_sky(part.wcs, expected.wcs)
    assert_same_sky(wcs, expected.wcs)


def test_components_and_cutouts_fetch_few_bytes(tmp_path: Path, ask: Ask, counting: Any) -> None:
    path, url = tmp_path / "large.fits", f"counting://{tmp_path}/large.fits"
    ones = np.ones((1500, 2000), dtype=np.float32)
    large = Exposure(ones, unit="adu", variance=ones, mask=ones.astype(np.int32), wcs=tan_wcs())
    FitsImageFormatter().write(large, path)

    def fetched(*args: Any, **kwargs: Any) -> int:
        counting.n_bytes = 0
        FitsImageFormatter().read(ask(url, "ExposureF", *args, **kwargs))
        return int(counting.n_bytes)

    assert path.stat().st_size > 36_000_000
    assert fetched("metadata") < 300_000
    assert fetched("wcs") < 300_000
    assert fetched(parameters={"bbox": (500, 500, 64, 64)}) < 0.15 * path.stat().st_size
    assert fetched("mask", parameters={"bbox": (500, 500, 64, 64)}) < 0.05 * path.stat().st_size
    assert fetched("mask") < 0.4 * path.stat().st_size


def test_masks_are_datasets_too(tmp_path: Path, ask: Ask) -> None:
    mask = Mask(np.array([[1, 0], [0, 2]]), MaskPlanes({"A": 0, "B": 1}), xy0=(7, 8))

    FitsImageFormatter().write(mask, tmp_path / "mask.fits")
    back = FitsImageFormatter().read(ask(tmp_path / "mask.fits", "MaskX"))

    assert np.array_equal(back.array, mask.array)
    assert back.planes == mask.planes
    assert back.xy0 == (7, 8)


@pytest.mark.parametrize("psf", [np.eye(5), Table({"x": [1.0], "y": [2.0]})])
def test_psf_arrays_and_tables(tmp_path: Path, ask: Ask, psf: Any) -> None:
    path = tmp_path / "image.fits"
    FitsImageFormatter().write(Exposure(np.ones((3, 3)), unit="adu", psf=psf), path)

    back = FitsImageFormatter().read(ask(path, "ExposureF", "psf"))

    assert type(back) is type(psf)
    assert np.all(np.asarray(back) == np.asarray(psf))


def test_ccddata_is_written_too(tmp_path: Path, ask: Ask) -> None:
    image = CCDData(np.ones((3, 3)), unit="adu", mask=np.eye(3, dtype=bool))

    FitsImageFormatter().write(image, tmp_path / "image.fits")

    back = FitsImageFormatter().read(ask(tmp_path / "image.fits", "Exposure"))
    assert np.array_equal(back.is_masked("BAD"), np.eye(3, dtype=bool))


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    path, data = tmp_path / "image.fits", np.ones((3, 3))
    cases: list[tuple[Any, str]] = [
        (Table(), "is no image"),
        (Exposure(np.ones((2, 2, 2)), unit="adu"), "not two axes"),
        (Exposure(data.astype(complex), unit="adu"), "have no FITS form"),
        (Exposure(data, unit="adu", psf=object()), "PSF of type object"),
        (Exposure(data, unit="adu", meta={"A": [1], "B": {}}), "'A' .list., 'B' .dict."),
    ]

    for obj, message in cases:
        with pytest.raises(WriteFileError, match=message):
            FitsImageFormatter().write(obj, path)


def test_nan_in_metadata_is_written_as_undefined(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "image.fits"
    FitsImageFormatter().write(Exposure(np.ones((3, 3)), unit="adu", meta={"A": np.nan}), path)

    meta = FitsImageFormatter().read(ask(path, "ExposureF", "metadata"))

    assert meta["A"] is None


def test_broken_files_are_named(tmp_path: Path, written: Path, ask: Ask) -> None:
    whole = written.read_bytes()
    cases = {
        "absent.fits": (None, "no file at"),
        "empty.fits": (b"", "is empty"),
        "text.fits": (b"not a FITS file at all" * 99, "is no FITS file"),
        "short.fits": (whole[: len(whole) // 2], "is truncated"),
        "header.fits": (whole[:1000], "ends in its first header"),
        "short.fits.gz": (
            gzip.compress(whole)[:2000],
            "cannot be read as FITS: Compressed file ended",
        ),
    }

    for name, (content, message) in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ReadFileError, match=message) as caught:
            FitsImageFormatter().read(ask(tmp_path / name, "ExposureF"))
        assert name in str(caught.value)


def test_a_file_without_image_is_said(tmp_path: Path, ask: Ask) -> None:
    Table({"a": [1]}).write(tmp_path / "table.fits")

    with pytest.raises(ReadFileError, match="no HDU with a two-dimensional image"):
        FitsImageFormatter().read(ask(tmp_path / "table.fits", "ExposureF"))


def test_a_units_odd_spelling_does_no_harm(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.ones((2, 2)), fits.Header({"BUNIT": "furlongs"})).writeto(path)

    assert str(FitsImageFormatter().read(ask(path, "ExposureF")).unit) == "furlongs"


def test_rubins_bias_is_read(test_data: Path, ask: Ask) -> None:
    (path,) = (test_data / "repositories/latiss/CALIB/bias").rglob("*.fits")

    bbox = (1000, 2000, 20, 10)
    bias = FitsImageFormatter().read(ask(path, "ExposureF", parameters={"bbox": bbox}))

    assert bias.data.shape == (10, 20)
    assert bias.mask_planes["UNMASKEDNAN"] == 9
    assert bias.meta["OBSTYPE"] == "bias"
    assert "MP_BAD" not in bias.meta
    assert FitsImageFormatter().read(ask(path, "ExposureF", "dimensions")) == (4072, 4000)
    assert FitsImageFormatter().read(ask(path, "ExposureF", "filter")) is None


def test_a_plain_survey_frame_is_read(test_data: Path, ask: Ask) -> None:
    path = test_data / "images/fpC-005754-r3-0280.fit.gz"

    frame = FitsImageFormatter().read(ask(path, "ExposureF"))

    assert frame.data.shape == (1489, 2048)
    assert frame.data.dtype == np.float32
    assert frame.wcs.has_celestial
