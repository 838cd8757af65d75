"""What the tasks that make calibrations have in common.

Checks the exposures and dresses the result; combines nothing (see
``combining``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.tasks.calibration import FrameFacts
from pipelines.tasks.errors import UnusableExposureError

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import Header
    from numpy.typing import NDArray

    from butler_core.formatters.exposure import Exposure

#: Header cards that the calibrations made here carry, and what they say.
CALIBRATION_CARDS = {
    "OBSTYPE": "kind of calibration",
    "NCOMBINE": "number of exposures combined",
    "DARKTIME": "mean dark time of those exposures [s]",
    "FILTER": "filter of those exposures",
    "BIASCRC": "checksum of the bias subtracted from them",
}

#: Cards that are the same for all exposures of one detector, and are kept.
_KEPT_CARDS = ("TIMESYS", "INSTRUME", "TELESCOP", "DETECTOR", "LSST_NUM", "RAFTBAY", "CCDSLOT")


def type_fault(facts: FrameFacts, wanted: str) -> str | None:
    """Say that an exposure is not of the type wanted, if it says so itself.

    Parameters
    ----------
    facts
        The exposure.
    wanted
        ``"bias"``, ``"dark"`` or ``"flat"``.
    """
    if facts.observation_type in {None, wanted}:
        return None
    return f"{facts.name} is of type {facts.observation_type!r}, not {wanted!r}"


def check_exposures(what: str, n_exposures: int, fewest: int, faults: list[str]) -> None:
    """Raise unless there are enough exposures, and all are usable.

    Parameters
    ----------
    what
        What is to be made: ``"bias"``, ``"dark"`` or ``"flat"``.
    n_exposures
        How many there are.
    fewest
        How many are needed.
    faults
        One phrase an unusable exposure.

    Raises
    ------
    UnusableExposureError
        If not.
    """
    if n_exposures < fewest:
        faults = [*faults, f"at least {fewest} are needed"]
    if faults:
        raise UnusableExposureError(
            f"no {what} can be made of these {n_exposures} exposures: {'; '.join(faults)}. Choose "
            f"others by -d \"exposure.observation_type='{what}'\" and further conditions."
        )


def make_calibration(
    data: NDArray[Any],
    variance: NDArray[Any],
    *,
    like: Exposure,
    unit: str,
    is_bad: NDArray[np.bool_],
    cards: dict[str, Any],
) -> Exposure:
    """Make a calibration exposure; pixels without a value become 0 and BAD.

    Parameters
    ----------
    data, variance
        Shape (ny, nx).
    like
        One of the exposures combined, for the place and the header.
    unit
        Of the pixels.
    is_bad
        Pixels not to be trusted.
    cards
        For `calibration_header`.
    """
    import numpy as np

    from butler_core.formatters.exposure import Exposure
    from pipelines.tasks.masking import set_plane

    made = Exposure(
        np.nan_to_num(data, nan=0.0).astype(np.float32),
        unit=unit,
        variance=np.nan_to_num(variance, nan=0.0).astype(np.float32),
        mask=np.zeros(data.shape, dtype=np.int32),
        xy0=like.xy0,
        meta=calibration_header(like.meta, cards),
    )
    assert made.mask is not None
    set_plane(made.mask, made.mask_planes, "BAD", is_bad | ~np.isfinite(data))
    return made


def statistics(combined: Exposure, n_combined: int, rejected_fraction: float) -> dict[str, Any]:
    """Summarize a calibration for the task's metadata.

    Parameters
    ----------
    combined
        The calibration.
    n_combined
        Number of exposures.
    rejected_fraction
        Part of their pixels that was clipped.

    Returns
    -------
    dict
        ``level`` (median) and ``scatter`` (robust standard deviation) of the
        good pixels, ``noise`` (median error of a pixel), in the calibration's
        unit; ``n_combined``, ``rejected_fraction``, ``bad_fraction``.
    """
    import numpy as np
    from astropy.stats import mad_std

    is_bad = combined.is_masked("BAD")
    good = combined.data[~is_bad]
    assert combined.variance is not None
    return {
        "level": float(np.median(good)),
        "scatter": float(mad_std(good)),
        "noise": float(np.sqrt(np.median(combined.variance[~is_bad]))),
        "n_combined": n_combined,
        "rejected_fraction": rejected_fraction,
        "bad_fraction": float(is_bad.mean()),
    }


def calibration_header(raw_header: Any, cards: dict[str, Any]) -> Header:
    """Make the header of a calibration.

    Parameters
    ----------
    raw_header
        Header of one of the exposures.
    cards
        Values of `CALIBRATION_CARDS`.
    """
    from astropy.io.fits import Header

    header = Header()
    for keyword in _KEPT_CARDS:
        if raw_header.get(keyword) is not None:
            header[keyword] = raw_header[keyword]
    for keyword, value in cards.items():
        header[keyword] = (value, CALIBRATION_CARDS[keyword])
    return header
