"""Tests of tracts and patches: against Rubin's stored ones, and of what must hold of any map."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lsst.sphgeom import ConvexPolygon, LonLat, Region, UnitVector3d

from butler_core.errors import ConfigError
from butler_core.region import decode
from butler_core.skymaps import SkyMap, SkyMapConfig, make_sky_map
from butler_core.skymaps.register import patch_columns, tract_columns


def configured(kind: str, name: str = "test", **settings: Any) -> SkyMapConfig:
    content = {"name": name, "skyMap": {"name": kind, kind: settings}}
    return SkyMapConfig.parse(content, source="the test")


def sky_map(kind: str, **settings: Any) -> SkyMap:
    return make_sky_map(configured(kind, **settings))


def dc2() -> SkyMapConfig:
    return configured(
        "rings", name="DC2", numRings=120, projection="TAN", tractOverlap=1.0 / 60, pixelScale=0.2
    )


def everywhere(n: int) -> list[UnitVector3d]:
    """Return points evenly spread over the sphere (a Fibonacci lattice)."""
    i = np.arange(n) + 0.5
    lon, lat = i * 180.0 * (3.0 - np.sqrt(5.0)) % 360.0, np.rad2deg(np.arcsin(1.0 - 2.0 * i / n))
    return [
        UnitVector3d(LonLat.fromDegrees(*pair))
        for pair in zip(lon.tolist(), lat.tolist(), strict=True)
    ]


def vertices(region: Region) -> np.ndarray[Any, Any]:
    found = np.array([list(vertex) for vertex in region.getVertices()])
    return found[np.lexsort(found.T)]


@pytest.fixture(scope="module")
def rubins_rows(test_data: Path) -> dict[str, list[Any]]:
    path = test_data / "repositories" / "imsim_dc2" / "gen3.sqlite3"
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    rows = {
        name: connection.execute(f"select * from {name}").fetchall()
        for name in ("skymap", "tract", "patch")
    }
    connection.close()
    return rows


def test_rings_map_has_the_hash_and_the_numbers_that_rubin_stored(
    rubins_rows: dict[str, list[Any]],
) -> None:
    config = dc2()
    made = make_sky_map(config)

    name, encoded_hash, tract_max, nx_max, ny_max = rubins_rows["skymap"][0]

    assert config.name == name
    assert config.hash == base64.b64decode(encoded_hash)
    assert len(made) == tract_max == 18938
    assert made.n_patches.max(axis=0).tolist() == [nx_max, ny_max]


def test_rings_tracts_and_patches_are_where_rubin_stored_them(
    rubins_rows: dict[str, list[Any]],
) -> None:
    made = make_sky_map(dc2())

    for _, tract, encoded in rubins_rows["tract"]:
        ours = decode(tract_columns(made, range(tract, tract + 1))["region"][0])
        expected = vertices(decode(base64.b64decode(encoded)))
        np.testing.assert_allclose(vertices(ours), expected, rtol=0, atol=2e-15)
    assert rubins_rows["patch"]
    for _, tract, patch, cell_x, cell_y, encoded in rubins_rows["patch"]:
        columns = patch_columns(made, range(tract, tract + 1))
        assert (columns["cell_x"][patch], columns["cell_y"][patch]) == (cell_x, cell_y)
        expected = vertices(decode(base64.b64decode(encoded)))
        found = vertices(decode(columns["region"][patch]))
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-15)


@pytest.mark.parametrize(
    ("kind", "settings", "n_tracts"),
    [
        ("dodeca", {"pixelScale": 20.0}, 12),
        ("dodeca", {"pixelScale": 20.0, "withTractsOnPoles": True, "projection": "TAN"}, 12),
        ("rings", {"numRings": 5, "pixelScale": 20.0, "raStart": 12.0}, 56),
    ],
)
def test_tracts_cover_the_sphere(kind: str, settings: dict[str, Any], n_tracts: int) -> None:
    made = sky_map(kind, **settings)

    regions = [decode(r) for r in tract_columns(made, range(len(made)))["region"]]

    assert len(made) == n_tracts
    uncovered = [p for p in everywhere(2000) if not any(region.contains(p) for region in regions)]
    assert uncovered == []


def test_dodecahedral_tracts_are_numbered_from_north_to_south() -> None:
    centres = sky_map("dodeca").centres_deg

    np.testing.assert_allclose(centres[:4, 0], [0, 120, 240, 60], atol=1e-9)
    np.testing.assert_allclose(np.diff(centres[::3, 1]), [-41.8103, -21.6246, -41.8103], atol=1e-4)


def test_polar_tract_is_centred_on_the_pole() -> None:
    centres = sky_map("dodeca", withTractsOnPoles=True).centres_deg

    np.testing.assert_allclose(centres[[0, 11], 1], [90.0, -90.0])


def test_inner_patches_tile_the_tract_and_borders_stay_within() -> None:
    made = sky_map(
        "discrete", raList=[10.0], decList=[-5.0], radiusList=[0.5],
        patchInnerDimensions=[1000, 800], patchBorder=50, pixelScale=2.0, tractOverlap=0.0,
    )  # fmt: skip
    covered = np.zeros(made.sizes[0][::-1], dtype=int)

    for begin, end in zip(*made.patch_boxes(0, inner=True), strict=True):
        covered[begin[1] : end[1], begin[0] : end[0]] += 1

    assert (covered == 1).all()
    begin, end = made.patch_boxes(0)
    assert (begin >= 0).all()
    assert (end <= made.sizes[0]).all()
    assert (begin[0] == 0).all()
    assert (end[0] == [1050, 850]).all()


def test_patches_of_cells_reach_beyond_the_tract() -> None:
    made = sky_map(
        "discrete", raList=[10.0], decList=[-5.0], radiusList=[0.2], tractBuilder={"name": "cells"}
    )

    begin, end = made.patch_boxes(0)

    assert begin[0].tolist() == [-200, -200]
    assert end[0].tolist() == [3200, 3200]


@pytest.mark.parametrize("projection", ["TAN", "STG", "ZEA", "ARC", "SIN"])
def test_wcs_agrees_with_the_regions(projection: str) -> None:
    made = sky_map(
        "discrete", raList=[359.9], decList=[60.0], radiusList=[1.0], projection=projection,
        rotation=25.0, patchInnerDimensions=[5000, 5000],
    )  # fmt: skip
    nx, ny = made.sizes[0].tolist()

    corners = made.tract_wcs(0).pixel_to_world_values(
        [-0.5, nx - 0.5, nx - 0.5, -0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5]
    )

    np.testing.assert_allclose(np.transpose(corners), made.tract_corners([0])[0], atol=1e-9)


def test_discrete_tract_holds_its_radius_and_overlap() -> None:
    made = sky_map("discrete", raList=[50.0], decList=[80.0], radiusList=[0.7], tractOverlap=0.1)
    region = decode(tract_columns(made, range(1))["region"][0])

    edge = [UnitVector3d(LonLat.fromDegrees(50.0, 80.0 + d)) for d in (-0.799, 0.799)]

    assert all(region.contains(point) for point in edge)
    assert isinstance(region, ConvexPolygon)


def test_tract_too_large_for_its_projection_is_refused() -> None:
    with pytest.raises(ConfigError, match="too large for the projection TAN"):
        sky_map("discrete", raList=[0], decList=[0], radiusList=[88.0], projection="TAN")
