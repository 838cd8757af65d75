"""Tests of the sharded reference catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table, vstack
from lsst.sphgeom import HtmPixelization, LonLat, UnitVector3d

from pipelines.simulated_night.exposure import set_stage
from pipelines.simulated_night.night import NightReport
from pipelines.simulated_night.night_plan import NightSettings
from pipelines.simulated_night.reference_catalogue import CATALOGUE_NAME, FAINTEST_R_MAG


def shards(night: NightReport) -> dict[int, Table]:
    folder = night.folder / "refcats" / CATALOGUE_NAME
    return {trixel: Table.read(folder / f"{trixel}.fits", hdu=1) for trixel in night.trixels}


def test_field_spans_more_than_one_shard(small_night: NightReport) -> None:
    assert len(small_night.trixels) >= 2


def test_every_star_is_in_the_shard_of_its_trixel(small_night: NightReport) -> None:
    pixels = HtmPixelization(7)

    for trixel, table in shards(small_night).items():
        region = pixels.pixel(trixel)
        for row in table:
            place = LonLat.fromRadians(float(row["coord_ra"]), float(row["coord_dec"]))
            assert region.contains(UnitVector3d(place))


def test_shards_hold_every_bright_star_once(
    small_night: NightReport, small_settings: NightSettings
) -> None:
    stars = set_stage(small_settings).stars

    ids = np.concatenate([np.asarray(table["id"]) for table in shards(small_night).values()])

    assert sorted(ids) == sorted(stars.star_id[stars.r_mag < FAINTEST_R_MAG])


def test_errors_are_as_large_as_the_columns_say(
    small_night: NightReport, small_settings: NightSettings
) -> None:
    stars = set_stage(small_settings).stars
    table = vstack(list(shards(small_night).values()))
    true = np.asarray(table["id"]) - 1
    zero_mag_njy = 3631e9

    north = (np.asarray(table["coord_dec"]) - np.radians(stars.dec_deg[true])) / table[
        "coord_decErr"
    ]
    east = (
        (np.asarray(table["coord_ra"]) - np.radians(stars.ra_deg[true]))
        * np.cos(np.radians(stars.dec_deg[true]))
        / table["coord_raErr"]
    )
    pulls = [np.asarray(north), np.asarray(east)]
    for band in "gr":
        flux = zero_mag_njy * 10 ** (-0.4 * stars.magnitudes(band)[true])
        pulls.append(
            (np.asarray(table[f"{band}_flux"]) - flux) / np.asarray(table[f"{band}_fluxErr"])
        )

    for pull in pulls:
        assert pull.mean() == pytest.approx(0.0, abs=5 / np.sqrt(pull.size))
        assert pull.std() == pytest.approx(1.0, abs=0.2)


def test_columns_are_those_of_a_reference_catalogue(small_night: NightReport) -> None:
    table = next(iter(shards(small_night).values()))

    assert table["coord_ra"].unit == table["coord_decErr"].unit == "rad"
    assert table["id"].dtype.kind == "i"
    for name in ("g", "r", "phot_g_mean"):
        assert table[f"{name}_flux"].unit == table[f"{name}_fluxErr"].unit == "nJy"


def test_ingest_table_names_every_shard(small_night: NightReport) -> None:
    table = Table.read(small_night.folder / "refcats" / f"{CATALOGUE_NAME}.ecsv")

    assert table.colnames == ["filename", "htm7"]
    assert tuple(table["htm7"]) == small_night.trixels
    for row in table:
        assert len(fits.getdata(row["filename"], 1)) > 0
