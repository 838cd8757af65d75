"""What the science tasks raise on purpose.

The tree::

    ReductionError                      (TaskError)
    ├── OverscanError                   (ValueError)
    ├── UnusableExposureError           (ValueError)
    ├── CalibrationMismatchError        (ValueError)
    ├── PointSpreadError                (ValueError)
    └── TooFewStarsError                (ValueError)
"""

from __future__ import annotations

from pipetask.errors import TaskError


class ReductionError(TaskError):
    """Data cannot be reduced."""


class OverscanError(ReductionError, ValueError):
    """The overscan of an amplifier gives no bias level."""


class UnusableExposureError(ReductionError, ValueError):
    """Exposures are not what the task combines; the message lists them all."""


class CalibrationMismatchError(ReductionError, ValueError):
    """A calibration does not fit the exposure it is meant for."""


class PointSpreadError(ReductionError, ValueError):
    """No point-spread function could be fitted."""


class TooFewStarsError(ReductionError, ValueError):
    """Too few stars were measured, or matched, for a result."""
