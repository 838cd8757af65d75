"""References to datasets: an id, what it is of, and where it lives."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from butler_core.dimensions.data_coordinate import DataCoordinate
from butler_core.errors import DatasetTypeError

if TYPE_CHECKING:
    from butler_core.datasets.dataset_type import DatasetType

DatasetId = uuid.UUID


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """One dataset: it may or may not exist yet. Equal if id and type are."""

    dataset_type: DatasetType
    data_id: DataCoordinate = field(compare=False)
    #: Name of the RUN collection that holds it.
    run: str = field(compare=False)
    id: DatasetId

    def __str__(self) -> str:
        return f"{self.dataset_type.name}@{self.data_id} [{self.run}] ({self.id})"

    def make_component_ref(self, component: str, storage_class: str) -> DatasetRef:
        """Return the reference to one component of this dataset."""
        if self.dataset_type.component is not None:
            raise DatasetTypeError(f"{self.dataset_type.name!r} is a component already")
        component_type = self.dataset_type.make_component(component, storage_class)
        return replace(self, dataset_type=component_type)

    # The spellings of existing notebooks.
    @property
    def dataId(self) -> DataCoordinate:  # noqa: N802 - the spelling of existing notebooks
        """The data ID."""
        return self.data_id

    @property
    def datasetType(self) -> DatasetType:  # noqa: N802 - the spelling of existing notebooks
        """The dataset type."""
        return self.dataset_type
