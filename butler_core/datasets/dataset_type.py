"""Dataset types: a name, the dimensions of its data IDs, and how it is held in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from butler_core.errors import DatasetTypeError

if TYPE_CHECKING:
    from butler_core.dimensions.group import DimensionGroup
    from butler_core.dimensions.universe import DimensionUniverse

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


@dataclass(frozen=True, slots=True)
class DatasetType:
    """What datasets of one name have in common.

    ``raw.wcs`` is the dataset type of a component: it has its parent's
    dimensions and the component's storage class, and is never registered.
    """

    name: str
    dimensions: DimensionGroup
    #: Name of the storage class.
    storage_class: str
    is_calibration: bool = False

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise DatasetTypeError(
                f"{self.name!r} cannot name a dataset type: letters, digits and underscores only, "
                "with at most one '.' before a component"
            )

    @classmethod
    def of(
        cls,
        name: str,
        dimensions: object,
        storage_class: str,
        *,
        universe: DimensionUniverse,
        is_calibration: bool = False,
    ) -> DatasetType:
        """Make one from dimension names in any order."""
        return cls(name, universe.conform(dimensions), storage_class, is_calibration)  # type: ignore[arg-type] # conform checks

    def __str__(self) -> str:
        return f"{self.name} {self.dimensions} ({self.storage_class})"

    @property
    def parent_name(self) -> str:
        """The name without a component."""
        return self.name.partition(".")[0]

    @property
    def component(self) -> str | None:
        """The component's name, or None for a whole dataset."""
        return self.name.partition(".")[2] or None

    def make_component(self, component: str, storage_class: str) -> DatasetType:
        """Return the dataset type of one component."""
        return replace(self, name=f"{self.parent_name}.{component}", storage_class=storage_class)

    def with_storage_class(self, storage_class: str) -> DatasetType:
        """Return the same dataset type, read as another storage class."""
        return replace(self, storage_class=storage_class)

    # The spellings of existing notebooks.
    @property
    def isCalibration(self) -> bool:  # noqa: N802 - the spelling of existing notebooks
        """Return whether datasets of this type may be certified."""
        return self.is_calibration

    def nameAndComponent(self) -> tuple[str, str | None]:  # noqa: N802 - the spelling of existing notebooks
        """Return the parent's name and the component's."""
        return self.parent_name, self.component
