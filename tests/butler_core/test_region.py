"""Regions: equal to direct calls of sphgeom, at the poles and at longitude 0 too."""

from __future__ import annotations

import subprocess
import sys

import lsst.sphgeom as sphgeom
import numpy as np
import pytest

from butler_core.errors import RegionError
from butler_core.region import (
    box,
    circle,
    decode,
    encode,
    encode_quads,
    envelopes,
    from_ivoa_pos,
    htm7_envelope,
    overlapping_pairs,
    overlaps,
    polygon,
    polygons_from_corners,
    skypix_envelope,
    union,
)

SQUARE = [(10.0, 0.0), (11.0, 0.0), (11.0, 1.0), (10.0, 1.0)]


def vector(lon, lat):
    return sphgeom.UnitVector3d(sphgeom.LonLat.fromDegrees(lon, lat))


def direct_polygon(corners):
    return sphgeom.ConvexPolygon([vector(lon, lat) for lon, lat in corners])


def random_quads(n_quads, seed):
    """Squares of half a degree around random places, turned at random; some at the poles."""
    random = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(random.uniform(-1, 1, n_quads)))
    lat[:20], lat[20:40] = 90.0, -90.0
    lon = random.uniform(0, 360, n_quads)
    lon[40:80] = 0.0
    angles = random.uniform(0, 2 * np.pi, (n_quads, 1)) + np.arange(4) * np.pi / 2
    quads = np.empty((n_quads, 4, 2))
    for row in range(n_quads):
        center = vector(lon[row], lat[row])
        east = sphgeom.UnitVector3d.orthogonalTo(center)
        rim = center.rotatedAround(east, sphgeom.Angle.fromDegrees(0.5))
        for corner, angle in enumerate(angles[row]):
            point = sphgeom.LonLat(rim.rotatedAround(center, sphgeom.Angle(angle)))
            quads[row, corner] = point.getLon().asDegrees(), point.getLat().asDegrees()
    return quads


REGIONS = {
    "polygon": polygon(SQUARE),
    "circle": circle(359.9, -89.9, 0.5),
    "box": box(0.0, 45.0, 10.0, 2.0),
    "ellipse": sphgeom.Ellipse(vector(1, 2), vector(2, 3), sphgeom.Angle.fromDegrees(3)),
    "union": union([polygon(SQUARE), circle(200, 10, 1)]),
    "intersection": sphgeom.IntersectionRegion(polygon(SQUARE), circle(10.5, 0.5, 0.2)),
}


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_bytes_give_the_region_back(region):
    encoded = encode(region)

    assert encoded == region.encode()
    assert encode(decode(encoded)) == encoded
    assert type(decode(encoded)) is type(region)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"x",
        b"p",
        b"p123",
        polygon(SQUARE).encode()[:-1],
        polygon(SQUARE).encode() + b"1",
        circle(1, 2, 3).encode()[:-3],
        b"p" + np.full(12, np.nan).tobytes(),
        b"p" + np.zeros(12).tobytes(),
        b"p" + np.arange(9.0).tobytes(),
    ],
)
def test_broken_bytes_are_refused(encoded):
    with pytest.raises(RegionError):
        decode(encoded)


def test_circle_has_the_radius_asked_for():
    region = circle(10, 20, 2)

    assert region == sphgeom.Circle(vector(10, 20), sphgeom.Angle.fromDegrees(2))
    assert region == from_ivoa_pos("CIRCLE 10 20 2")
    assert region.contains(vector(10, 21.99))
    assert not region.contains(vector(10, 22.01))


def test_box_crosses_longitude_zero_and_ends_at_the_pole():
    region = box(0, 85, 20, 20)

    assert region.contains(vector(351, 80))
    assert region.contains(vector(9, 89.9))
    assert not region.contains(vector(11, 80))
    assert region.getLat().getB().asDegrees() == pytest.approx(90)


def test_polygon_is_the_hull():
    assert polygon(SQUARE) == direct_polygon(SQUARE)
    assert polygon([*SQUARE, (10.5, 0.5)]) == direct_polygon(SQUARE)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: circle(0, 0, -1), "radius is 0 to 180"),
        (lambda: circle(0, 0, float("nan")), "radius is 0 to 180"),
        (lambda: circle(0, 91, 1), "no longitude and latitude"),
        (lambda: circle(float("nan"), 0, 1), "no longitude and latitude"),
        (lambda: box(0, 0, 361, 1), "0 to 360 degrees wide"),
        (lambda: polygon([(0, 0), (1, 0)]), "is no polygon"),
        (lambda: polygon([(0, 0), (1, 0), (2, 0)]), "is no polygon"),
        (lambda: polygon([1, 2, 3]), "shape \\(n, 2\\)"),
        (lambda: union([]), "union of no regions"),
        (lambda: from_ivoa_pos("CIRCLE 1 2"), "requires 3 numbers"),
        (lambda: from_ivoa_pos("SQUARE 1 2 3"), "Write CIRCLE lon lat radius"),
        (lambda: encode_quads([SQUARE[:3]]), "shape \\(n, 4, 2\\)"),
        (lambda: encode_quads([[(0, 0), (1, 0), (2, 0), (3, 0)]]), "is no polygon"),
        (lambda: encode_quads([[(0, 0), (1, 0), (1, 1), (0, 95)]]), "no longitude and latitude"),
    ],
)
def test_impossible_shapes_are_refused(make, said):
    with pytest.raises(RegionError, match=said):
        make()


def test_bulk_polygons_are_sphgeoms():
    quads = random_quads(400, seed=3)

    for quad, encoded in zip(quads, encode_quads(quads), strict=True):
        made = np.array([[*v] for v in decode(encoded).getVertices()])
        direct = np.array([[*v] for v in direct_polygon(quad).getVertices()])
        np.testing.assert_allclose(made, direct, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "corners",
    [
        SQUARE[::-1],
        [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]],
        [*SQUARE[:3], (10.9, 0.1)],
        [*SQUARE[:3], SQUARE[0]],
    ],
    ids=["clockwise", "crossed", "dented", "triangle"],
)
def test_bulk_polygons_out_of_order_are_hulls(corners):
    assert encode_quads([SQUARE, corners]) == [
        direct_polygon(SQUARE).encode(),
        direct_polygon(corners).encode(),
    ]


def test_bulk_polygons_come_decoded_too():
    assert polygons_from_corners([SQUARE]) == [direct_polygon(SQUARE)]
    assert polygons_from_corners(np.empty((0, 4, 2))) == []


def test_touching_regions_overlap():
    square = polygon(SQUARE)

    assert overlaps(square, polygon([(lon + 1, lat) for lon, lat in SQUARE]))
    assert overlaps(square, polygon([(lon + 1, lat + 1) for lon, lat in SQUARE]))
    assert overlaps(polygon([(355, 0), (0, 0), (0, 5)]), polygon([(0, 0), (5, 0), (0, 5)]))
    assert not overlaps(square, polygon([(lon + 1.001, lat) for lon, lat in SQUARE]))


def test_pairs_are_related_as_one_by_one():
    encoded_a = encode_quads(random_quads(100, seed=4))
    encoded_b = [*encode_quads(random_quads(100, seed=5)), REGIONS["union"].encode()]
    index_a, index_b = (grid.ravel() for grid in np.indices((100, 101)))

    answer = overlapping_pairs(encoded_a, encoded_b, index_a, index_b)

    direct = [
        not decode(encoded_a[i]).relate(decode(encoded_b[j])) & sphgeom.DISJOINT
        for i, j in zip(index_a, index_b, strict=True)
    ]
    assert answer.dtype == np.bool_
    assert answer.tolist() == direct
    assert 0 < answer.sum() < len(answer)


def test_no_pairs_give_no_answers():
    assert overlapping_pairs([], [], [], []).shape == (0,)


def test_regions_that_overlap_share_a_common_pixel():
    regions = [*polygons_from_corners(random_quads(120, seed=6)), *REGIONS.values()]
    pixels = [set(htm7_envelope(region).tolist()) for region in regions]

    for one, pixels_of_one in zip(regions, pixels, strict=True):
        for other, pixels_of_other in zip(regions, pixels, strict=True):
            if overlaps(one, other):
                assert pixels_of_one & pixels_of_other


def test_envelopes_are_columns_of_the_single_ones():
    encoded = [region.encode() for region in REGIONS.values()]

    rows, pixels = envelopes(encoded)
    rows_9, pixels_9 = envelopes(encoded, system="healpix", level=9)

    for row, region in enumerate(REGIONS.values()):
        assert pixels[rows == row].tolist() == htm7_envelope(region).tolist()
        assert pixels_9[rows_9 == row].tolist() == skypix_envelope(region, "healpix", 9).tolist()
    assert rows.dtype == pixels.dtype == np.int64


def test_envelopes_of_nothing_are_empty_columns():
    rows, pixels = envelopes([])

    assert rows.shape == pixels.shape == (0,)
    assert rows.dtype == pixels.dtype == np.int64


def test_import_loads_neither_sphgeom_nor_numpy():
    code = "import sys, butler_core.region; sys.exit(not {'lsst', 'numpy'}.isdisjoint(sys.modules))"

    subprocess.run([sys.executable, "-c", code], check=True)
