"""A dataset that is read when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.dimensions.data_coordinate import DataCoordinate

if TYPE_CHECKING:
    from butler_core.butler.reading import ButlerReading


@dataclass(frozen=True, slots=True)
class DeferredDatasetHandle:
    """Stands for a dataset until `get` is called."""

    butler: ButlerReading
    ref: DatasetRef
    parameters: Mapping[str, Any] = field(default_factory=dict)
    storage_class: str | None = None

    @property
    def data_id(self) -> DataCoordinate:
        """The dataset's data ID."""
        return self.ref.data_id

    dataId = data_id  # noqa: N815 - the spelling of existing notebooks

    def get(
        self,
        *,
        component: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        storageClass: str | None = None,  # noqa: N803 - the spelling of existing notebooks
    ) -> Any:
        """Read the dataset, or one component of it."""
        ref = self.ref
        if component is not None:
            ref = self.butler.component_ref(ref, component)
        return self.butler.get(
            ref,
            parameters={**self.parameters, **(parameters or {})},
            storageClass=storageClass or (self.storage_class if component is None else None),
        )
