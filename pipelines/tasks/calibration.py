"""What exposures say of themselves, and calibrations that fit them.

Reads headers, checks and cuts; applies nothing and makes no calibration (see
``calibration_making``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.tasks.errors import CalibrationMismatchError

if TYPE_CHECKING:
    from butler_core.formatters.exposure import Exposure


@dataclass(frozen=True)
class FrameFacts:
    """What a raw header says of its exposure, as far as tasks need it."""

    #: Name of the exposure, for messages.
    name: str
    #: Kind of exposure in lower case; None if the header does not say.
    observation_type: str | None
    #: Time the shutter was open [s]; 0 if not given.
    exposure_s: float
    #: Time during which dark current gathered [s]; the exposure time if not given.
    dark_s: float
    #: Filter, None if not given.
    filter_name: str | None


def frame_facts(raw: Exposure) -> FrameFacts:
    """Read what a raw exposure's header says of it.

    Parameters
    ----------
    raw
        A raw exposure.
    """
    from butler_core.formatters.observation_facts import filter_label, visit_info

    facts = visit_info(raw.meta)
    exposure_s = float(facts.get("exposure_time_s", 0.0))
    kind = facts.get("observation_type")
    label = filter_label(raw.meta)
    return FrameFacts(
        name=str(raw.meta.get("OBSID", facts.get("id", "an exposure"))),
        observation_type=None if kind is None else str(kind).strip().lower(),
        exposure_s=exposure_s,
        dark_s=float(facts.get("dark_time_s", exposure_s)),
        filter_name=None if label is None else str(label),
    )


def fitted_calibration(calibration: Exposure, raw: Exposure, name: str) -> Exposure:
    """Cut a calibration to the part of the detector that an exposure has read.

    Parameters
    ----------
    calibration
        A bias, dark or flat.
    raw
        The exposure.
    name
        Which, for the message.

    Raises
    ------
    CalibrationMismatchError
        If it does not cover the exposure, or has no variance.
    """
    if not calibration.bbox.contains(raw.bbox):
        raise CalibrationMismatchError(
            f"the {name} covers {calibration.bbox} of the detector, the exposure {raw.bbox}. Make "
            f"a {name} from exposures with the same or a larger window."
        )
    if calibration.variance is None:
        raise CalibrationMismatchError(
            f"the {name} has no variance, so that the exposure's would be wrong. Make it again "
            "with `pipetask run -p pipelines/latiss/calibrations.yaml`."
        )
    same = calibration.bbox == raw.bbox
    return calibration if same else calibration.cutout(raw.bbox)


def bias_checksum(bias: Exposure) -> int:
    """Return a checksum by which a bias is known again: CRC-32 of its float32 pixels.

    Parameters
    ----------
    bias
        The bias, as a task reads it: the same window gives the same checksum.
    """
    import numpy as np

    return zlib.crc32(np.ascontiguousarray(bias.data, dtype="<f4").tobytes())
