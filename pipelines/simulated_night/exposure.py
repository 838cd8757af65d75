"""One exposure from plan to files.

Puts the parts together: sky, optics, detector, raw file, truth. Holds no physics of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from butler_core.cameras.camera import Camera
from butler_core.cameras.find import find_camera
from pipelines.simulated_night import optics
from pipelines.simulated_night.cosmic_rays import draw_cosmic_rays
from pipelines.simulated_night.detector import collect_electrons, read_out
from pipelines.simulated_night.night_plan import (
    FIELD_DEC_DEG,
    FIELD_RA_DEG,
    ROTATION_DEG,
    ImageType,
    NightSettings,
    PlannedExposure,
)
from pipelines.simulated_night.pointing import plate_scale_arcsec, wcs_cards, window_wcs
from pipelines.simulated_night.random_streams import pixel_stream
from pipelines.simulated_night.raw_file import primary_cards, write_raw_file
from pipelines.simulated_night.sensor import Sensor, make_sensor
from pipelines.simulated_night.sky import StarCatalogue, make_catalogue
from pipelines.simulated_night.truth import StarTruth, write_exposure_truth
from pipelines.simulated_night.window import make_window

if TYPE_CHECKING:
    import numpy as np
    from astropy.wcs import WCS
    from numpy.typing import NDArray

#: Flat lamp: electrons expected at the frame's centre, and its scatter, relative.
FLAT_ELECTRONS, FLAT_SCATTER = 28000.0, 0.02


@dataclass(frozen=True)
class Stage:
    """What all exposures of a night share."""

    #: The instrument.
    camera: Camera
    #: Its windowed detector.
    sensor: Sensor
    #: The true stars.
    stars: StarCatalogue

    @property
    def scale_arcsec(self) -> float:
        """Size of a pixel on the sky [arcsec]."""
        return plate_scale_arcsec(self.camera)


@lru_cache(maxsize=1)
def set_stage(settings: NightSettings) -> Stage:
    """Make what all exposures of a night share; each process does so once."""
    camera = find_camera("LATISS")
    window = make_window(camera.detectors[0], settings.n_rows)
    undithered = window_wcs(
        camera,
        window,
        ra_deg=FIELD_RA_DEG,
        dec_deg=FIELD_DEC_DEG,
        rotation_deg=ROTATION_DEG,
    )
    shape = (window.ny, window.nx)
    stars = make_catalogue(settings.seed, shape, undithered, plate_scale_arcsec(camera))
    return Stage(camera, make_sensor(settings, window), stars)


def take_exposure(settings: NightSettings, exposure: PlannedExposure, folder: Path) -> Path:
    """Simulate one exposure and write its raw file, and its truth if it is of the sky.

    Parameters
    ----------
    settings
        The night's.
    exposure
        Which.
    folder
        The night's folder, with ``raw/2021-07-07`` and ``truth`` in it.

    Returns
    -------
    Path
        The raw file.
    """
    stage = set_stage(settings)
    sensor = stage.sensor
    rng = pixel_stream(settings.seed, exposure.seq_num)
    cosmic_rays = draw_cosmic_rays(rng, (sensor.window.ny, sensor.window.nx), exposure.dark_s)
    view = look_at_sky(settings, exposure) if exposure.image_type is ImageType.SCIENCE else None
    light = lamp_light(exposure, stage, rng) if view is None else view.light
    electrons = collect_electrons(
        light, sensor, dark_s=exposure.dark_s, cosmic_rays=cosmic_rays.charge, rng=rng
    )
    if view is not None:
        write_exposure_truth(
            truth_path(folder, exposure),
            exposure,
            with_saturation(view.stars, electrons, sensor),
            conditions=view.conditions,
            wcs=view.wcs,
            cosmic_rays=cosmic_rays,
        )
    path = raw_path(folder, exposure)
    cards = primary_cards(
        exposure, sensor.window, _believed_wcs(exposure, stage), stage.camera.detectors[0].serial
    )
    write_raw_file(path, cards, sensor.window, read_out(electrons, sensor, rng))
    return path


def raw_path(folder: Path, exposure: PlannedExposure) -> Path:
    """Return where the raw file of an exposure goes."""
    return folder / "raw" / "2021-07-07" / exposure.file_name


def truth_path(folder: Path, exposure: PlannedExposure) -> Path:
    """Return where the truth of a science exposure goes."""
    return folder / "truth" / f"{exposure.exposure_id}.fits"


def _believed_wcs(exposure: PlannedExposure, stage: Stage) -> dict[str, object] | None:
    """Return the header's world coordinates, None where the telescope looks at no sky."""
    if exposure.ra_deg is None or exposure.dec_deg is None:
        return None
    return wcs_cards(
        window_wcs(
            stage.camera,
            stage.sensor.window,
            ra_deg=exposure.ra_deg,
            dec_deg=exposure.dec_deg,
            rotation_deg=ROTATION_DEG,
        )
    )


def lamp_light(
    exposure: PlannedExposure, stage: Stage, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the photo-electrons expected of the flat lamp; none for biases and darks.

    The lamp lights the pupil evenly, so that a flat shows the response alone.
    """
    response = stage.sensor.response[exposure.band]
    if exposure.image_type is not ImageType.FLAT:
        return 0.0 * response
    return response * FLAT_ELECTRONS * rng.normal(1.0, FLAT_SCATTER)


@dataclass(frozen=True)
class SkyView:
    """What the telescope sees in one science exposure."""

    #: Expected photo-electrons of stars and sky, shape (ny, nx) [electron].
    light: NDArray[np.float64]
    #: The stars whose centres are in the frame.
    stars: StarTruth
    #: The true conditions.
    conditions: optics.Conditions
    #: The true world coordinates.
    wcs: WCS


def look_at_sky(settings: NightSettings, exposure: PlannedExposure) -> SkyView:
    """Work out what a science exposure sees, before any noise of the detector."""
    import numpy as np

    stage = set_stage(settings)
    window = stage.sensor.window
    conditions = optics.draw_conditions(settings.seed, exposure, ROTATION_DEG, stage.scale_arcsec)
    wcs = window_wcs(
        stage.camera,
        window,
        ra_deg=conditions.ra_deg,
        dec_deg=conditions.dec_deg,
        rotation_deg=conditions.rotation_deg,
    )
    x, y = wcs.wcs_world2pix(stage.stars.ra_deg, stage.stars.dec_deg, 0)
    magnitude = stage.stars.magnitudes(exposure.band)
    electrons = optics.star_electrons(magnitude, conditions, exposure.exposure_s)
    image = np.full((window.ny, window.nx), conditions.sky_rate * exposure.exposure_s)
    fwhm_pix = conditions.seeing_arcsec / stage.scale_arcsec
    optics.paint_stars(image, x, y, electrons, fwhm_pix)
    stars = StarTruth(
        star_id=stage.stars.star_id,
        ra=stage.stars.ra_deg,
        dec=stage.stars.dec_deg,
        x=x,
        y=y,
        magnitude=magnitude,
        electrons=electrons,
        snr=_expected_snr(electrons, conditions, exposure, stage),
        saturated=np.zeros(x.size, dtype=bool),
        nearest=_nearest_pix(x, y) * stage.scale_arcsec,
    )
    inside = (x > -0.5) & (x < window.nx - 0.5) & (y > -0.5) & (y < window.ny - 0.5)
    light = image * stage.sensor.response[exposure.band]
    return SkyView(light, stars.where(inside), conditions, wcs)


def _expected_snr(
    electrons: NDArray[np.float64],
    conditions: optics.Conditions,
    exposure: PlannedExposure,
    stage: Stage,
) -> NDArray[np.float64]:
    """Return the signal to noise of ideal profile photometry, same shape as ``electrons``."""
    import numpy as np

    noise_e = [amplifier.read_noise_e for amplifier in stage.sensor.window.amplifiers]
    background = conditions.sky_rate * exposure.exposure_s + float(np.mean(np.square(noise_e)))
    area = optics.noise_pixels(conditions.seeing_arcsec / stage.scale_arcsec)
    snr: NDArray[np.float64] = electrons / np.sqrt(electrons + area * background)
    return snr


def _nearest_pix(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance from each star to its nearest neighbour, shape (n,) [pixel]."""
    import numpy as np

    distance = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    np.fill_diagonal(distance, np.inf)
    nearest: NDArray[np.float64] = distance.min(axis=1)
    return nearest


def with_saturation(stars: StarTruth, electrons: NDArray[np.float64], sensor: Sensor) -> StarTruth:
    """Mark the stars of which a pixel next to the centre holds its full well.

    Parameters
    ----------
    stars
        Stars whose centres are in the frame.
    electrons
        What the pixels hold, shape (ny, nx) [electron].
    sensor
        The detector.
    """
    import numpy as np

    is_full = np.zeros(electrons.shape, dtype=bool)
    for amplifier in sensor.window.amplifiers:
        place = amplifier.box.slices
        is_full[place] = electrons[place] >= amplifier.full_well_e
    padded = np.pad(is_full, 1)
    columns, rows = (np.rint(place).astype(np.int64) + 1 for place in (stars.x, stars.y))
    saturated = np.zeros(stars.x.size, dtype=bool)
    for step_y in (-1, 0, 1):
        for step_x in (-1, 0, 1):
            saturated |= padded[rows + step_y, columns + step_x]
    return replace(stars, saturated=saturated)
