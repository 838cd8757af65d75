"""Calibrates a catalogue of sources by reference stars.

Joins ``matching``, ``astrometry`` and ``zero_point``; reads no dataset.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipelines.tasks.astrometry import (
    corrected_wcs,
    pixel_scale_arcsec,
    residuals,
    wcs_card_values,
)
from pipelines.tasks.errors import CalibrationMismatchError
from pipelines.tasks.matching import Matches, Places, match_stars
from pipelines.tasks.zero_point import FluxCalibration, calibrate_flux

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from astropy.wcs import WCS
    from numpy.typing import NDArray

#: Fluxes that are calibrated: the column, and what it becomes.
_FLUXES = ("psf_flux", "psf_flux_err", "ap_flux", "ap_flux_err")


@dataclass(frozen=True)
class Settings:
    """What a calibration depends on."""

    #: Column of the reference's flux [nJy]; its error's has ``Err`` appended.
    flux_column: str
    #: Exposure time [s].
    exposure_s: float
    #: Largest error of the pointing [arcsec].
    search_arcsec: float
    #: Largest distance of a match [arcsec].
    match_arcsec: float
    #: Signal to noise of the faintest star that is matched.
    least_snr: float
    #: Signal to noise of the faintest star that the zero point is from: the ratio of two fluxes is
    #: too large by the relative variance of the lower one, at 50 by 0.04 %.
    zero_point_least_snr: float
    #: Fewest stars that give a calibration.
    fewest_stars: int
    #: Fit the plate scale, too?
    has_free_scale: bool


@dataclass(frozen=True, eq=False)
class CalibratedCatalogue:
    """A catalogue on the sky and on a flux scale."""

    #: The sources.
    table: Table
    #: Zero point, world coordinates, and how good both are: plain values.
    calibration: dict[str, Any]


def calibrate_catalogue(
    sources: Table, wcs: WCS, reference: Table, settings: Settings
) -> CalibratedCatalogue:
    """Fit world coordinates and zero point, and apply both.

    Parameters
    ----------
    sources
        As `source_table.source_table` makes it.
    wcs
        World coordinates before correction.
    reference
        id, coord_ra, coord_dec, coord_raErr, coord_decErr [rad], fluxes [nJy].
    settings
        How.

    Raises
    ------
    CalibrationMismatchError
        If the reference lacks the flux column.
    TooFewStarsError
        If too few stars match or have a known flux.
    """
    import numpy as np

    column = settings.flux_column
    if column not in reference.colnames:
        raise CalibrationMismatchError(
            f"the reference catalogue has no column {column!r}, but "
            f"{', '.join(name for name in reference.colnames if name.endswith('flux'))}. Set "
            "'reference_flux' to one of them."
        )
    scale = pixel_scale_arcsec(wcs)
    good = np.flatnonzero(
        ~np.asarray(sources["flag"]) & (np.asarray(sources["snr"]) > settings.least_snr)
    )
    places = Places(_column(sources, "x")[good], _column(sources, "y")[good], _error(sources)[good])
    matches = match_stars(
        places,
        _in_pixels(reference, wcs, scale),
        search_pix=settings.search_arcsec / scale,
        match_pix=settings.match_arcsec / scale,
        fewest=settings.fewest_stars,
        has_free_scale=settings.has_free_scale,
    )
    new_wcs = corrected_wcs(wcs, matches.transform)
    matched = good[matches.source], matches.reference
    flux = _flux_calibration(sources, reference, matched, settings)
    table = _applied(sources, new_wcs, flux, reference, matched)
    calibration = {
        **_photometric_values(flux, settings.exposure_s),
        **_astrometric_values(table, reference, matched, matches, scale),
        **_image_values(sources, pixel_scale_arcsec(new_wcs), settings.exposure_s),
        "wcs": wcs_card_values(new_wcs),
    }
    return CalibratedCatalogue(table, calibration)


def _column(table: Table, name: str) -> NDArray[np.float64]:
    """Return a column as bare float64."""
    import numpy as np

    return np.asarray(table[name], dtype=np.float64)


def _error(sources: Table) -> NDArray[np.float64]:
    """Position error of sources in one axis [pixel]."""
    import numpy as np

    squares = _column(sources, "x_err") ** 2 + _column(sources, "y_err") ** 2
    return np.asarray(np.sqrt(0.5 * squares))


def _in_pixels(reference: Table, wcs: WCS, scale: float) -> Places:
    """Return where the WCS puts the reference stars; NaN-free."""
    import numpy as np

    ra, dec = (np.degrees(_column(reference, name)) for name in ("coord_ra", "coord_dec"))
    x, y = wcs.wcs_world2pix(ra, dec, 0) if wcs.sip is None else wcs.all_world2pix(ra, dec, 0)
    return Places(x, y, _reference_error_arcsec(reference) / scale)


def _reference_error_arcsec(reference: Table) -> NDArray[np.float64]:
    """Position error of reference stars in one axis [arcsec]."""
    import numpy as np

    squares = sum(_column(reference, name) ** 2 for name in ("coord_raErr", "coord_decErr"))
    return np.asarray(np.degrees(np.sqrt(0.5 * squares)) * 3600.0)


def _flux_calibration(
    sources: Table,
    reference: Table,
    matched: tuple[NDArray[np.int64], NDArray[np.int64]],
    settings: Settings,
) -> FluxCalibration:
    """Fit the flux of one electron to the profile fluxes of matched stars."""
    import numpy as np

    ours, theirs = matched
    known = _column(reference, settings.flux_column)[theirs]
    known_error = _column(reference, f"{settings.flux_column}Err")[theirs]
    usable = np.isfinite(known) & (known > 0.0) & np.isfinite(known_error) & (known_error > 0.0)
    usable &= _column(sources, "snr")[ours] > settings.zero_point_least_snr
    return calibrate_flux(
        _column(sources, "psf_flux")[ours][usable],
        _column(sources, "psf_flux_err")[ours][usable],
        known[usable],
        known_error[usable],
        fewest=settings.fewest_stars,
    )


def _applied(
    sources: Table,
    wcs: WCS,
    flux: FluxCalibration,
    reference: Table,
    matched: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Table:
    """Return the catalogue with new positions, fluxes in nJy, and matched ids."""
    import numpy as np

    table = sources.copy()
    ra, dec = wcs.all_pix2world(_column(sources, "x"), _column(sources, "y"), 0)
    table["ra"][:], table["dec"][:] = ra, dec
    table["ra"].description = "right ascension by the corrected WCS, ICRS"
    table["dec"].description = "declination by the same"
    for name in _FLUXES:
        calibrated = _column(sources, name) * flux.njy_per_electron
        table[f"{name}_njy"] = calibrated
        table[f"{name}_njy"].unit = "nJy"
        table[f"{name}_njy"].description = f"{name}, without the zero point's error"
    ids = np.zeros(len(sources), dtype=np.int64)
    ids[matched[0]] = np.asarray(reference["id"])[matched[1]]
    table["reference_id"] = ids
    table["reference_id"].description = "id of the reference star it calibrated by; 0 for none"
    return table


def _photometric_values(flux: FluxCalibration, exposure_s: float) -> dict[str, Any]:
    """Plain values about the flux scale."""
    return {
        "zero_point": flux.zero_point_mag(exposure_s),
        "zero_point_err": flux.zero_point_error_mag,
        "photometry": asdict(flux),
    }


def _astrometric_values(
    table: Table,
    reference: Table,
    matched: tuple[NDArray[np.int64], NDArray[np.int64]],
    matches: Matches,
    scale: float,
) -> dict[str, Any]:
    """Plain values about the positions."""
    import numpy as np

    ours, theirs = matched
    found = np.column_stack([_column(table, "ra")[ours], _column(table, "dec")[ours]])
    known = np.degrees(
        np.column_stack([_column(reference, "coord_ra"), _column(reference, "coord_dec")])[theirs]
    )
    error = np.hypot(_error(table)[ours] * scale, _reference_error_arcsec(reference)[theirs])
    summary = residuals(found, known, error)
    centre = np.array([np.mean(_column(table, "x")), np.mean(_column(table, "y"))])
    moved = (matches.transform.apply(centre[None, :])[0] - centre) * scale
    return {
        "astrometric_rms_arcsec": summary.rms_arcsec,
        "astrometry": {
            **asdict(summary),
            "shift_arcsec": [float(value) for value in moved],
            "rotation_deg": matches.transform.rotation_deg,
            "scale_change": matches.transform.scale - 1.0,
        },
    }


def _image_values(sources: Table, scale: float, exposure_s: float) -> dict[str, Any]:
    """Plain values about the image."""
    return {
        "pixel_scale_arcsec": scale,
        "exposure_s": exposure_s,
        "seeing_arcsec": float(sources.meta["psf_fwhm_pix"]) * scale,
        "sky_electrons_per_s": float(sources.meta["sky_electrons"]) / exposure_s,
        "n_sources": len(sources),
    }
