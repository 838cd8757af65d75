"""The reference catalogue: a noisy copy of the stars, in HTM shards.

Draws the catalogue's errors and writes its files. The exposures do not depend on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.simulated_night.night_plan import DAY_BEGIN_MJD, NightSettings
from pipelines.simulated_night.random_streams import reference_stream
from pipelines.simulated_night.sky import StarCatalogue

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

#: Name of the dataset type that the catalogue is meant to be ingested as.
CATALOGUE_NAME = "gaia_dr2_20191105"

#: HTM level of the shards.
HTM_LEVEL = 7

#: Faintest r magnitude in the catalogue (AB).
FAINTEST_R_MAG = 20.8

#: Error of a bright star's position in each axis [arcsec] and relative error of its flux.
POSITION_ERROR_ARCSEC, FLUX_ERROR = 0.004, 0.004

#: Magnitude (AB) at which both errors have grown by the square root of two; faintward they
#: grow as one over the square root of the flux.
ERROR_MAG = 18.0

#: Flux of AB magnitude 0 [nJy]: 3631 Jy (Oke & Gunn 1983, ApJ 266, 713).
ZERO_MAG_NJY = 10 ** (0.4 * 31.4)

#: Parts of the g and r fluxes that make up the wide "phot_g_mean" one, in place of Gaia's G.
WIDE_BAND_PARTS = {"g": 0.4, "r": 0.6}

_UNITS = {"coord_ra": "rad", "coord_dec": "rad", "coord_raErr": "rad", "coord_decErr": "rad"}


def make_reference_catalogue(settings: NightSettings, stars: StarCatalogue) -> Table:
    """Draw the reference catalogue.

    Parameters
    ----------
    settings
        The seed.
    stars
        The true stars.

    Returns
    -------
    astropy.table.Table
        One row a star brighter than ``FAINTEST_R_MAG``: id; coord_ra, coord_dec and their errors
        (of the great-circle offset) [rad]; g_flux, r_flux, phot_g_mean_flux and their errors
        [nJy]; epoch [MJD, TAI].
    """
    import numpy as np
    from astropy.table import Table

    rng = reference_stream(settings.seed)
    kept = stars.r_mag < FAINTEST_R_MAG
    dec = np.radians(stars.dec_deg[kept])
    sigma = np.radians(POSITION_ERROR_ARCSEC / 3600.0) * _error_growth(stars.r_mag[kept])
    east, north = rng.normal(0.0, 1.0, (2, dec.size)) * sigma
    table = Table(
        {
            "id": stars.star_id[kept],
            "coord_ra": np.radians(stars.ra_deg[kept]) + east / np.cos(dec),
            "coord_dec": dec + north,
            "coord_raErr": sigma.astype(np.float32),
            "coord_decErr": sigma.astype(np.float32),
        },
        units=_UNITS,
    )
    g_flux, r_flux = (ZERO_MAG_NJY * 10 ** (-0.4 * stars.magnitudes(band)[kept]) for band in "gr")
    wide_flux = WIDE_BAND_PARTS["g"] * g_flux + WIDE_BAND_PARTS["r"] * r_flux
    for name, flux in (("g", g_flux), ("r", r_flux), ("phot_g_mean", wide_flux)):
        error = FLUX_ERROR * _error_growth(-2.5 * np.log10(flux / ZERO_MAG_NJY)) * flux
        table[f"{name}_flux"] = flux + error * rng.normal(0.0, 1.0, flux.size)
        table[f"{name}_fluxErr"] = error
        table[f"{name}_flux"].unit = table[f"{name}_fluxErr"].unit = "nJy"
    table["epoch"] = np.full(dec.size, DAY_BEGIN_MJD)
    table["epoch"].unit = "d"
    return table


def _error_growth(magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the errors exceed a bright star's: 1 for bright, sqrt(1/flux) later."""
    import numpy as np

    growth: NDArray[np.float64] = np.sqrt(1.0 + 10 ** (0.4 * (magnitude - ERROR_MAG)))
    return growth


def htm_indices(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the HTM level 7 trixel of each position [rad], shape (n,)."""
    import numpy as np
    from lsst.sphgeom import HtmPixelization, LonLat, UnitVector3d

    pixels = HtmPixelization(HTM_LEVEL)
    return np.array(
        [
            pixels.index(UnitVector3d(LonLat.fromRadians(float(lon), float(lat))))
            for lon, lat in zip(ra, dec, strict=True)
        ],
        dtype=np.int64,
    )


def write_shards(folder: Path, catalogue: Table) -> list[int]:
    """Write one FITS table for each trixel that has stars.

    Parameters
    ----------
    folder
        Where ``<CATALOGUE_NAME>/<htm7>.fits`` go; the files must not be there yet.
    catalogue
        As ``make_reference_catalogue`` gives it.

    Returns
    -------
    list of int
        The trixels, ascending.
    """
    from astropy.io import fits

    shards = folder / CATALOGUE_NAME
    shards.mkdir(parents=True)
    trixels = htm_indices(catalogue["coord_ra"].data, catalogue["coord_dec"].data)
    found = sorted({int(trixel) for trixel in trixels})
    for trixel in found:
        hdu = fits.BinTableHDU(catalogue[trixels == trixel])
        hdu.header["HIERARCH REFCAT_FORMAT_VERSION"] = 1
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(shards / f"{trixel}.fits")
    return found


def write_ingest_table(folder: Path) -> Path:
    """Write, or write again, the table that ``butler ingest-files`` takes.

    It names the shards by absolute path, so that the command works from anywhere; it is the one
    file of a night that depends on where the night is.

    Parameters
    ----------
    folder
        The folder that holds ``<CATALOGUE_NAME>/``.

    Returns
    -------
    Path
        The table: ``<CATALOGUE_NAME>.ecsv``, columns filename and htm7.
    """
    from astropy.table import Table

    shards = sorted((folder / CATALOGUE_NAME).resolve().glob("*.fits"), key=lambda p: int(p.stem))
    table = Table(
        {"filename": [str(path) for path in shards], "htm7": [int(path.stem) for path in shards]}
    )
    path = folder / f"{CATALOGUE_NAME}.ecsv"
    table.write(path, format="ascii.ecsv", overwrite=True)
    return path
