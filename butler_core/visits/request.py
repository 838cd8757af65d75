"""What may be asked of a definition of visits, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

#: Rubin's default margin around detectors [pixel]; object loaders must not look further out.
DEFAULT_PADDING_PIXELS = 250


class VisitSystem(IntEnum):
    """A rule that makes visits of exposures; the numbers are those of the records."""

    #: Each exposure is a visit.
    ONE_TO_ONE = 0
    #: Exposures of one group are a visit.
    BY_GROUP_METADATA = 1
    #: Exposures of one run of the day's counter are a visit.
    BY_SEQ_START_END = 2

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class VisitRequest:
    """Which exposures are to become visits, and how."""

    #: Collections whose raws' exposures are taken; ``{instrument}/raw/all`` if empty.
    collections: Sequence[str] = ()
    #: Further condition on the exposures, in the ``where`` language.
    where: str = ""
    #: Values of the identifiers in ``where``.
    bind: Mapping[str, Any] = field(default_factory=dict)
    #: Whether records of visits that exist are replaced (not their exposures).
    update_records: bool = False
    #: Whether visits that exist may gain exposures that came later.
    incremental: bool = False
    #: Margin around each detector, to allow for pointing errors [pixel].
    padding_pixels: int = DEFAULT_PADDING_PIXELS


@dataclass(frozen=True, slots=True)
class VisitReport:
    """What came of a definition of visits."""

    #: Number of exposures that were looked at.
    exposures: int = 0
    #: Number of those that are not on the sky: no pointing, no rotation, or it cannot be seen.
    off_sky: int = 0
    #: Number of visits that were new.
    new: int = 0
    #: Number of visits that were there already and stayed as they were.
    unchanged: int = 0
    #: Number of visits whose records were replaced.
    updated: int = 0
    #: Reasons why some exposures make no visit, in sentences.
    warnings: tuple[str, ...] = ()

    @property
    def visits(self) -> int:
        """Number of visits that the exposures make."""
        return self.new + self.unchanged + self.updated
