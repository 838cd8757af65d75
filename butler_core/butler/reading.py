"""The butler's reading side: finding datasets and getting them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from butler_core.butler.deferred import DeferredDatasetHandle
from butler_core.butler.querying import ButlerQueries, given_values, name_of, values_of
from butler_core.datasets.collection import Collection, as_names
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.datastore.file_record import FileRecord
from butler_core.errors import DatasetNotFoundError, NoCollectionsError, UnknownCollectionError
from butler_core.registry.dataset_lookup import FoundDataset
from butler_core.repository import lookup
from butler_core.timespan import Timespan


class ButlerReading(ButlerQueries):
    """Finds and reads datasets; changes nothing."""

    #: The run that datasets are put into, if any.
    run: str | None

    def find_dataset(
        self,
        dataset_type: DatasetType | str,
        data_id: Mapping[str, Any] | None = None,
        *,
        collections: str | Iterable[str] | None = None,
        timespan: Timespan | None = None,
        **kwargs: Any,
    ) -> DatasetRef | None:
        """Return the first dataset of a type and data ID, or None.

        Parameters
        ----------
        timespan
            The time for which a calibration is wanted; taken from the data ID
            (its exposure, visit or day) if None.
        """
        found = self._find(dataset_type, data_id, kwargs, collections, timespan)
        return None if found is None else found[0]

    def _find(
        self,
        dataset_type: DatasetType | str,
        data_id: Mapping[str, Any] | None,
        more: Mapping[str, Any],
        collections: str | Iterable[str] | None,
        timespan: Timespan | None = None,
    ) -> tuple[DatasetRef, FoundDataset] | None:
        name = name_of(dataset_type)
        registry = self.repository.registry
        registered = registry.dataset_types.get(name)
        found = lookup.find_dataset(
            registry,
            registered,
            self._search_path(collections),
            given_values(data_id, more),
            defaults=self._defaults,
            timespan=timespan,
        )
        if found is not None and "." in name:
            return self.component_ref(found[0], name.partition(".")[2]), found[1]
        return found

    def _search_path(self, collections: str | Iterable[str] | None) -> list[Collection]:
        names = self.collections.defaults if collections is None else as_names(collections)
        if not names:
            raise NoCollectionsError(
                "no collections to search: give collections=, or open the butler with some"
            )
        table = self.repository.registry.collections
        try:
            return table.flatten(names)
        except UnknownCollectionError:
            # The run that puts go to is made by the first of them.
            is_unmade = self.run is not None and not table.find([self.run])
            if collections is not None or self.run not in names or not is_unmade:
                raise
            return table.flatten([name for name in names if name != self.run])

    def component_ref(self, ref: DatasetRef, component: str) -> DatasetRef:
        """Return the reference to a component, with its storage class."""
        whole = self.repository.datastore.storage_class(ref.dataset_type.storage_class)
        return ref.make_component_ref(component, whole.component(component))

    def get_dataset_type(self, name: str) -> DatasetType:
        """Return a dataset type, or that of a component."""
        registered = self.repository.registry.dataset_types.get(name).dataset_type
        if "." not in name:
            return registered
        whole = self.repository.datastore.storage_class(registered.storage_class)
        component = name.partition(".")[2]
        return registered.make_component(component, whole.component(component))

    def get_dataset(self, id: uuid.UUID | str) -> DatasetRef | None:  # noqa: A002 - Rubin's name
        """Return the dataset with an id, or None."""
        key = (id if isinstance(id, uuid.UUID) else uuid.UUID(id)).bytes
        found = self.repository.registry.datasets.find_ids([key]).get(key)
        return None if found is None else found[0]

    # ---------------------------------------------------------------- reading
    def get(
        self,
        dataset_type: DatasetRef | DatasetType | str,
        data_id: Mapping[str, Any] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        collections: str | Iterable[str] | None = None,
        storageClass: str | None = None,  # noqa: N803 - the spelling of existing notebooks
        timespan: Timespan | None = None,
        dataId: Mapping[str, Any] | None = None,  # noqa: N803 - the spelling of existing notebooks
        **kwargs: Any,
    ) -> Any:
        """Read a dataset, or a component of it (``raw.wcs``).

        Raises
        ------
        DatasetNotFoundError
            If there is none, or its file is not recorded.
        ReadFileError
            If its file cannot be read.
        """
        ref, record = self._locate(
            dataset_type, data_id if data_id is not None else dataId, kwargs, collections, timespan
        )
        return self.repository.datastore.read(
            record,
            ref,
            component=ref.dataset_type.component,
            parameters=parameters,
            storage_class=storageClass,
        )

    def getDeferred(  # noqa: N802 - the spelling of existing notebooks
        self,
        dataset_type: DatasetRef | DatasetType | str,
        data_id: Mapping[str, Any] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        collections: str | Iterable[str] | None = None,
        storageClass: str | None = None,  # noqa: N803 - as above
        timespan: Timespan | None = None,
        **kwargs: Any,
    ) -> DeferredDatasetHandle:
        """Return a handle that reads the dataset when asked to."""
        ref, _ = self._locate(dataset_type, data_id, kwargs, collections, timespan)
        return DeferredDatasetHandle(self, ref, parameters or {}, storageClass)

    get_deferred = getDeferred

    def _locate(
        self,
        dataset_type: DatasetRef | DatasetType | str,
        data_id: Mapping[str, Any] | None,
        more: Mapping[str, Any],
        collections: str | Iterable[str] | None,
        timespan: Timespan | None = None,
    ) -> tuple[DatasetRef, FileRecord]:
        """Return a dataset and where its file is, or raise DatasetNotFoundError."""
        registry = self.repository.registry
        if isinstance(dataset_type, DatasetRef):
            ref = dataset_type
            registered = registry.dataset_types.find(ref.dataset_type.name)
            row = registry.lookup.find_id(registered, ref.id.bytes) if registered else None
            if row is None:
                raise DatasetNotFoundError(f"{ref} does not exist in {str(self.repository.root)!r}")
        else:
            found = self._find(dataset_type, data_id, more, collections, timespan)
            if found is None:
                raise self._not_found(dataset_type, {**values_of(data_id), **more}, collections)
            ref, row = found
        if row.record is None:
            raise DatasetNotFoundError(f"{ref} is registered, but has no file in the datastore")
        return ref, row.record

    def _not_found(
        self,
        dataset_type: DatasetType | str,
        values: Mapping[str, Any],
        collections: str | Iterable[str] | None,
    ) -> DatasetNotFoundError:
        name = name_of(dataset_type)
        registry = self.repository.registry
        path = self._search_path(collections)
        if not path:
            return DatasetNotFoundError(
                f"no {name!r} for {dict(values)}: nothing was put into run {self.run!r} yet"
            )
        holds = registry.datasets.holds(registry.dataset_types.get(name), path)
        where = ", ".join(repr(c.name) for c in path[:5]) + (", ..." if len(path) > 5 else "")
        hint = (
            f"{', '.join(map(repr, sorted(holds)[:3]))} has others; "
            "`butler query-datasets` lists them."
            if holds
            else "None of them holds any."
        )
        return DatasetNotFoundError(f"no {name!r} for {dict(values)} in {where}. {hint}")

    def get_uri(
        self,
        dataset_type: DatasetRef | DatasetType | str,
        data_id: Mapping[str, Any] | None = None,
        *,
        collections: str | Iterable[str] | None = None,
        **kwargs: Any,
    ) -> str:
        """Return where a dataset's file is, as a URI."""
        _, record = self._locate(dataset_type, data_id, kwargs, collections)
        return self.repository.datastore.uri(record)

    getURI = get_uri  # noqa: N815 - the spelling of existing notebooks

    def exists(
        self,
        dataset_type: DatasetRef | DatasetType | str,
        data_id: Mapping[str, Any] | None = None,
        *,
        collections: str | Iterable[str] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Return whether a dataset is registered and its file is there."""
        try:
            _, record = self._locate(dataset_type, data_id, kwargs, collections)
        except DatasetNotFoundError:
            return False
        return self.repository.datastore.exists(record)
