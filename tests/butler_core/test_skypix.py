"""Sky pixels: sphgeom's indices, and no pixel left out."""

from __future__ import annotations

import lsst.sphgeom as sphgeom
import numpy as np
import pytest

from butler_core.errors import RegionError
from butler_core.region_shapes import box, circle, polygon, union
from butler_core.skypix import skypix_envelope, skypix_pixel_region, skypix_pixelization

SYSTEMS = [("htm", 7), ("htm", 4), ("healpix", 6), ("mq3c", 5), ("q3c", 5)]
CIRCLES = [circle(0, 0, 1), circle(10, 90, 2), circle(180, -90, 0.1), circle(359.999, 45, 0.5)]


def test_names_give_sphgeoms_pixelizations():
    assert skypix_pixelization("htm7") == sphgeom.HtmPixelization(7)
    assert skypix_pixelization("healpix9").nside == 512
    assert skypix_pixelization("mq3c4") == sphgeom.Mq3cPixelization(4)
    assert skypix_pixelization("q3c12") == sphgeom.Q3cPixelization(12)
    assert skypix_pixelization("htm7") is skypix_pixelization("htm7")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("htm", "is no skypix system and level"),
        ("7", "is no skypix system and level"),
        ("HTM7", "is no skypix system and level"),
        ("hpx7", "no skypix system 'hpx'; there are htm, healpix"),
        ("htm25", "htm has the levels 0 to 24, not 25"),
        ("healpix18", "healpix has the levels 0 to 17, not 18"),
    ],
)
def test_unknown_systems_are_refused(name, said):
    with pytest.raises(RegionError, match=said):
        skypix_pixelization(name)


@pytest.mark.parametrize(("system", "level"), SYSTEMS)
@pytest.mark.parametrize("region", [*CIRCLES, polygon([(359, -1), (1, -1), (0, 1)])])
def test_envelope_is_sphgeoms(system, level, region):
    pixels = skypix_envelope(region, system, level)

    ranges = skypix_pixelization(f"{system}{level}").envelope(region).ranges()
    assert pixels.tolist() == [index for begin, end in ranges for index in range(begin, end)]
    assert pixels.dtype == np.int64


@pytest.mark.parametrize(("system", "level"), SYSTEMS)
def test_envelope_holds_the_pixel_of_every_point(system, level):
    random = np.random.default_rng(8)
    pixelization = skypix_pixelization(f"{system}{level}")

    for region in CIRCLES:
        pixels = set(skypix_envelope(region, system, level).tolist())
        center = region.getCenter()
        axis = sphgeom.UnitVector3d.orthogonalTo(center)
        for part, turn in random.uniform(0, 1, (50, 2)):
            off = center.rotatedAround(axis, region.getOpeningAngle() * part)
            point = off.rotatedAround(center, sphgeom.Angle(2 * np.pi * turn))
            assert pixelization.index(point) in pixels


@pytest.mark.parametrize(("system", "level"), SYSTEMS)
def test_envelope_of_a_union_is_that_of_its_parts(system, level):
    parts = [circle(10, 10, 1), box(200, -5, 2, 2)]

    pixels = skypix_envelope(union(parts), system, level)

    of_parts = [skypix_envelope(part, system, level) for part in parts]
    assert pixels.tolist() == np.unique(np.concatenate(of_parts)).tolist()


def test_healpix_envelope_of_an_intersection_is_common_to_its_parts():
    parts = [circle(10, 10, 3), circle(12, 10, 3)]

    pixels = set(skypix_envelope(sphgeom.IntersectionRegion(*parts), "healpix", 6).tolist())

    assert pixels == set.intersection(
        *(set(skypix_envelope(part, "healpix", 6).tolist()) for part in parts)
    )


@pytest.mark.parametrize("system", ["htm", "healpix"])
@pytest.mark.parametrize("region", [sphgeom.Box(), sphgeom.Circle()], ids=["box", "circle"])
def test_empty_region_has_no_pixels(system, region):
    assert skypix_envelope(region, system, 5).tolist() == []


@pytest.mark.parametrize(("system", "level"), SYSTEMS)
def test_pixel_region_lies_in_its_own_envelope(system, level):
    pixelization = skypix_pixelization(f"{system}{level}")
    index = pixelization.index(circle(123, -45, 1).getCenter())

    region = skypix_pixel_region(system, level, index)

    assert region == pixelization.pixel(index)
    assert index in skypix_envelope(region, system, level)


@pytest.mark.parametrize(("system", "index"), [("htm", 3), ("healpix", -1), ("healpix", 12 * 4**7)])
def test_pixel_out_of_range_is_refused(system, index):
    with pytest.raises(RegionError, match=f"{system}7 has the pixels"):
        skypix_pixel_region(system, 7, index)
