from __future__ import annotations

import pickle

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.wcs import WCS

from butler_core.formatters.exposure import Exposure, FilterLabel


@pytest.fixture
def exposure() -> Exposure:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix, wcs.wcs.crval, wcs.wcs.cdelt = [5, 6], [10, 20], [1e-4, 1e-4]
    mask = np.zeros((10, 12), dtype=np.int32)
    mask[2, 3] = 4
    return Exposure(
        np.arange(120, dtype=np.float32).reshape(10, 12),
        unit="adu",
        variance=np.full((10, 12), 2.0, dtype=np.float32),
        mask=mask,
        wcs=wcs,
        psf={"sigma": 1.5},
        xy0=(100, 200),
        meta={"EXPTIME": 30.0},
    )


def test_slicing_moves_the_origin_and_keeps_everything(exposure: Exposure) -> None:
    part = exposure[2:5, 3:]

    assert isinstance(part, Exposure)
    assert part.xy0 == (103, 202)
    assert part.mask is not None
    assert part.mask[0, 0] == 4
    assert part.psf == {"sigma": 1.5}
    assert part.variance is not None
    assert part.variance.shape == part.data.shape == (3, 9)
    assert part.wcs.pixel_to_world(0, 0).separation(
        exposure.wcs.pixel_to_world(3, 2)
    ).arcsec == pytest.approx(0, abs=1e-6)


def test_cutout_is_in_parent_pixels(exposure: Exposure) -> None:
    part = exposure.cutout((103, 202, 4, 2))

    assert part.bbox.x0 == 103
    assert np.array_equal(part.data, exposure.data[2:4, 3:7])
    with pytest.raises(ValueError, match="reaches outside"):
        exposure.cutout((0, 0, 4, 2))


def test_arithmetic_keeps_bits_origin_and_psf(exposure: Exposure) -> None:
    total = exposure.add(exposure)

    assert isinstance(total, Exposure)
    assert total.mask is not None
    assert total.mask[2, 3] == 4
    assert total.xy0 == (100, 200)
    assert total.psf == {"sigma": 1.5}
    assert total.variance is not None
    assert np.all(total.variance == 4.0)


def test_arithmetic_with_a_number_keeps_the_unit(exposure: Exposure) -> None:
    tripled = exposure.multiply(3)

    assert str(tripled.unit) == "adu"
    assert tripled.variance is not None
    assert np.allclose(tripled.variance, 18.0)


def test_masks_of_two_operands_join_by_plane_name(exposure: Exposure) -> None:
    other_mask = np.zeros((10, 12), dtype=np.int32)
    other_mask[2, 3] = other_mask[0, 0] = 1
    other = Exposure(
        np.ones((10, 12)), unit="adu", mask=other_mask, mask_planes={"SPIKE": 0, "SAT": 5}
    )

    difference = exposure.subtract(other)

    assert difference.is_masked("SPIKE")[0, 0]
    assert difference.is_masked("SPIKE", "INTRP")[2, 3]
    assert difference.is_masked("INTRP")[2, 3]
    assert not difference.is_masked("BAD").any()
    assert other_mask[0, 0] == 1


def test_a_boolean_mask_becomes_bad_pixels(exposure: Exposure) -> None:
    plain = CCDData(np.ones((2, 2)), unit="adu", mask=[[True, False], [False, False]])

    assert Exposure.from_ccddata(plain).is_masked("BAD").tolist() == [[True, False], [False, False]]
    assert exposure.to_ccddata().mask.dtype == bool


def test_without_mask_nothing_is_masked() -> None:
    assert not Exposure(np.ones((2, 2)), unit="adu").is_masked().any()


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="fits no image"):
        Exposure(np.ones((2, 2)), unit="adu", mask=np.zeros((3, 3), dtype=int))


def test_copies_and_pickles_are_whole(exposure: Exposure) -> None:
    for twin in (exposure.copy(), pickle.loads(pickle.dumps(exposure))):
        assert twin.xy0 == (100, 200)
        assert twin.psf == {"sigma": 1.5}
        assert np.array_equal(twin.mask, exposure.mask)
        assert np.array_equal(twin.variance, exposure.variance)


def test_filter_label_prints_as_its_most_precise_name() -> None:
    assert str(FilterLabel("r_03", "r")) == "r_03"
    assert str(FilterLabel(band="r")) == "r"
    assert str(FilterLabel()) == "unknown"
