"""What is taken in the simulated night, and when.

Pure: decides the list of exposures. Draws no random number, opens no file and
knows nothing of pixels.

Sequence numbers tell the kinds apart: 1-99 bias, 101-199 dark, 201-249 flat in
g, 251-299 flat in r, 300-399 science. So the exposure ids of the science
exposures, and only theirs, begin with ``20210707003``.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from butler_core.errors import ConfigError

#: Observing day of the whole night, as in the file names and DAYOBS.
DAY_OBS = 20210707

#: Start of that observing day, TAI: noon, as Rubin's days begin [h].
#: The zone is there only because Python asks for one; these times are TAI.
DAY_BEGIN_TAI = datetime(2021, 7, 7, 12, tzinfo=UTC)

#: The same instant as a Modified Julian Date, TAI [d].
DAY_BEGIN_MJD = 59402.5

#: Centre of the field, ICRS [deg]. An edge of the HTM level 7 grid runs through the field, so
#: that the reference catalogue has more than one shard.
FIELD_RA_DEG = 230.022
FIELD_DEC_DEG = -32.4

#: Position angle of the focal plane's +Y, from north through east, by the header [deg].
ROTATION_DEG = 25.0

#: The name of the field, as in OBJECT.
FIELD_NAME = "SIM_FIELD_1"

#: Physical filter of each band that is observed.
PHYSICAL_FILTERS = {"g": "SDSSg_65mm~empty", "r": "SDSSr_65mm~empty"}

#: Flat lamp exposure times by band [s].
FLAT_EXPOSURE_S = {"g": 8.0, "r": 5.0}

#: Exposure times of the other kinds [s].
DARK_EXPOSURE_S = 60.0
SCIENCE_EXPOSURE_S = 30.0

#: Time from the shutter's closing to the frame's being read [s].
READ_OUT_S = 2.0

#: The dither pattern, in steps; longer series repeat it half a step further out.
_DITHERS = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))

#: One dither step along the rows [pixel], and along the columns as a fraction of the rows read.
_STEP_X_PIX, _STEP_Y_FRACTION = 60.0, 0.1

#: Rows that may be read: enough for a star, and all that the detector has.
FEWEST_ROWS, MOST_ROWS = 32, 4000

_FIRST_SEQ_NUM = {"bias": 1, "dark": 101, "flat_g": 201, "flat_r": 251, "science": 300}
_MOST_CALIBRATIONS = 49
_MOST_SCIENCE = 100


class ImageType(enum.StrEnum):
    """The kinds of exposure, spelt as in IMGTYPE."""

    BIAS = "BIAS"
    DARK = "DARK"
    FLAT = "FLAT"
    SCIENCE = "OBJECT"


@dataclass(frozen=True)
class NightSettings:
    """What a night depends on: equal settings give the same bytes.

    Raises
    ------
    ConfigError
        If the values cannot make a night; the message lists every fault.
    """

    #: Root of every random number of the night.
    seed: int = 20210707
    #: Number of science exposures, g and r by turns.
    n_science: int = 12
    #: Number of biases, of darks, and of flats in each band.
    n_calibrations: int = 5
    #: Rows of the assembled image [pixel]; even.
    n_rows: int = 224

    def __post_init__(self) -> None:
        faults = []
        if self.seed < 0:
            faults.append(f"seed {self.seed} is negative; give 0 or more")
        if not 1 <= self.n_science <= _MOST_SCIENCE:
            faults.append(f"{self.n_science} science exposures; give 1 to {_MOST_SCIENCE}")
        if not 1 <= self.n_calibrations <= _MOST_CALIBRATIONS:
            faults.append(
                f"{self.n_calibrations} calibrations of each kind; give 1 to {_MOST_CALIBRATIONS}"
            )
        if self.n_rows % 2 or not FEWEST_ROWS <= self.n_rows <= MOST_ROWS:
            faults.append(
                f"{self.n_rows} rows; give an even number from {FEWEST_ROWS} to {MOST_ROWS}"
            )
        if faults:
            raise ConfigError("no night can be made of these settings: " + "; ".join(faults))


@dataclass(frozen=True)
class PlannedExposure:
    """One exposure of the plan."""

    #: Number within the observing day.
    seq_num: int
    #: Kind of exposure.
    image_type: ImageType
    #: Band of the filter in the beam.
    band: str
    #: Time the shutter is open [s]; 0 for a bias.
    exposure_s: float
    #: Time during which dark current gathers [s].
    dark_s: float
    #: Start, after the beginning of the observing day, TAI [s].
    begin_s: float
    #: Where the telescope says it points, ICRS [deg]; None where it looks at no sky.
    ra_deg: float | None = None
    #: Declination of the same [deg].
    dec_deg: float | None = None

    @property
    def exposure_id(self) -> int:
        """Rubin's exposure id: the observing day and five digits of sequence number."""
        return DAY_OBS * 100_000 + self.seq_num

    @property
    def obs_id(self) -> str:
        """The observation's name, as in OBSID."""
        return f"AT_O_{DAY_OBS}_{self.seq_num:06d}"

    @property
    def physical_filter(self) -> str:
        """The physical filter in the beam."""
        return PHYSICAL_FILTERS[self.band]

    @property
    def end_s(self) -> float:
        """End, after the beginning of the observing day, TAI [s]."""
        return self.begin_s + self.exposure_s

    @property
    def file_name(self) -> str:
        """Name of the raw file."""
        return f"{self.exposure_id}-R00-S00-det000.fits"


def plan_night(settings: NightSettings, plate_scale_arcsec: float) -> tuple[PlannedExposure, ...]:
    """List the exposures of a night, in the order they are taken.

    Parameters
    ----------
    settings
        How many of each kind, and the rows read.
    plate_scale_arcsec
        Size of a pixel on the sky [arcsec], which scales the dithers.

    Returns
    -------
    tuple of PlannedExposure
        By sequence number and time.
    """
    n = settings.n_calibrations
    afternoon_s = 8 * 3600.0
    plan = _series("bias", ImageType.BIAS, "r", 0.0, afternoon_s, n)
    plan += _series("dark", ImageType.DARK, "r", DARK_EXPOSURE_S, afternoon_s + 1800, n)
    for number, (band, exposure_s) in enumerate(FLAT_EXPOSURE_S.items()):
        begin_s = afternoon_s + 7200 + 1800 * number
        plan += _series(f"flat_{band}", ImageType.FLAT, band, exposure_s, begin_s, n)
    steps_arcsec = (
        _STEP_X_PIX * plate_scale_arcsec,
        _STEP_Y_FRACTION * settings.n_rows * plate_scale_arcsec,
    )
    return (*plan, *_science(settings.n_science, 15 * 3600.0, steps_arcsec))


def _series(
    name: str, image_type: ImageType, band: str, exposure_s: float, begin_s: float, n: int
) -> list[PlannedExposure]:
    """Plan ``n`` equal calibration exposures one after the other."""
    first = _FIRST_SEQ_NUM[name]
    cadence_s = exposure_s + READ_OUT_S + 1.0
    return [
        PlannedExposure(
            seq_num=first + i,
            image_type=image_type,
            band=band,
            exposure_s=exposure_s,
            dark_s=_dark_s(exposure_s),
            begin_s=begin_s + i * cadence_s,
        )
        for i in range(n)
    ]


def _science(n: int, begin_s: float, steps_arcsec: tuple[float, float]) -> list[PlannedExposure]:
    """Plan ``n`` dithered science exposures, both bands at each pointing."""
    cadence_s = SCIENCE_EXPOSURE_S + READ_OUT_S + 13.0
    bands = tuple(PHYSICAL_FILTERS)
    plan = []
    for i in range(n):
        ra_deg, dec_deg = _dithered_pointing(i // len(bands), steps_arcsec)
        plan.append(
            PlannedExposure(
                seq_num=_FIRST_SEQ_NUM["science"] + i,
                image_type=ImageType.SCIENCE,
                band=bands[i % len(bands)],
                exposure_s=SCIENCE_EXPOSURE_S,
                dark_s=_dark_s(SCIENCE_EXPOSURE_S),
                begin_s=begin_s + i * cadence_s,
                ra_deg=ra_deg,
                dec_deg=dec_deg,
            )
        )
    return plan


def _dark_s(exposure_s: float) -> float:
    """Time for which dark current gathers: the exposure and a little before the read-out."""
    return 0.0 if exposure_s == 0.0 else exposure_s + 0.25


def _dithered_pointing(index: int, steps_arcsec: tuple[float, float]) -> tuple[float, float]:
    """Return right ascension and declination of one dither position [deg].

    Steps are along the focal plane's axes, so that the strips overlap.
    """
    turn, place = divmod(index, len(_DITHERS))
    x_deg, y_deg = (
        step * (1 + 0.5 * turn) * arcsec / 3600.0
        for step, arcsec in zip(_DITHERS[place], steps_arcsec, strict=True)
    )
    angle = math.radians(ROTATION_DEG)
    east_deg = x_deg * math.cos(angle) + y_deg * math.sin(angle)
    north_deg = -x_deg * math.sin(angle) + y_deg * math.cos(angle)
    dec_deg = FIELD_DEC_DEG + north_deg
    ra_deg = FIELD_RA_DEG + east_deg / math.cos(math.radians(FIELD_DEC_DEG))
    return round(ra_deg, 9), round(dec_deg, 9)


def tai_text(seconds: float) -> str:
    """Write an instant of the night as FITS does, to the millisecond.

    Parameters
    ----------
    seconds
        After the beginning of the observing day, TAI [s].
    """
    instant = DAY_BEGIN_TAI + timedelta(seconds=seconds)
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds")


def tai_mjd(seconds: float) -> float:
    """Give an instant of the night as a Modified Julian Date, TAI [d].

    Parameters
    ----------
    seconds
        After the beginning of the observing day, TAI [s].
    """
    return round(DAY_BEGIN_MJD + seconds / 86400.0, 11)
