"""The facade that users meet first. Each method is a door to one lower module."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from butler_core.butler.collections import ButlerCollections
from butler_core.butler.deferred import DeferredDatasetHandle
from butler_core.datasets.collection import Collection, as_names
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.datastore.file_record import FileRecord
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import DatasetNotFoundError, NoCollectionsError, ParameterError
from butler_core.queries.query import Query
from butler_core.queries.results import DataIdResult, DatasetResult, RecordResult
from butler_core.repository import ingest, lookup, removal, writing
from butler_core.repository.repository import Repository
from butler_core.timespan import Timespan


class Butler:
    """A client of one data repository.

    Parameters
    ----------
    place
        The repository: a directory, a configuration file, or a label of the
        repository index.
    collections
        Searched where a method is given none.
    run
        The RUN collection that `put` and `ingest` write to; searched first if
        no collections are given.
    writeable
        Whether changes are allowed; a run allows them too.
    **kwargs
        Default values of governor dimensions, such as ``instrument="LATISS"``.
    """

    def __init__(
        self,
        place: str | Path | Repository,
        *,
        collections: str | Iterable[str] | None = None,
        run: str | None = None,
        writeable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(place, Repository):
            self.repository = place
        else:
            allowed = writeable if writeable is not None else run is not None
            self.repository = Repository.open(place, writeable=allowed)
        names = as_names(collections) or ((run,) if run else ())
        self.collections = ButlerCollections(self.repository, names)
        self.run = run
        self._defaults = {name: value for name, value in kwargs.items() if value is not None}

    @classmethod
    def from_config(cls, config: str | Path, **kwargs: Any) -> Butler:
        """Open a repository; the parameters are the constructor's."""
        return cls(config, **kwargs)

    @classmethod
    def create(cls, place: str | Path, **kwargs: Any) -> Butler:
        """Make an empty repository and open it; see `Repository.create`."""
        return cls(Repository.create(place, **kwargs))

    makeRepo = create  # noqa: N815 - the spelling of existing notebooks

    def clone(
        self,
        *,
        collections: str | Iterable[str] | None = None,
        run: str | None = None,
        **kwargs: Any,
    ) -> Butler:
        """Return a butler of the same repository, with other defaults."""
        return Butler(
            self.repository,
            collections=collections if collections is not None else self.collections.defaults,
            run=run or self.run,
            **{**self._defaults, **kwargs},
        )

    def close(self) -> None:
        """Close the repository's database."""
        self.repository.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        defaults = ", ".join(self.collections.defaults) or "none"
        return f"Butler({str(self.repository.root)!r}, collections: {defaults}, run: {self.run})"

    @property
    def dimensions(self) -> DimensionUniverse:
        """The repository's dimension universe."""
        return self.repository.registry.universe

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes made inside, or none; files are synced once, at its end."""
        with self.repository.transaction():
            yield

    # ---------------------------------------------------------------- finding
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
    ) -> tuple[DatasetRef, int] | None:
        name = _name_of(dataset_type)
        registry = self.repository.registry
        registered = registry.dataset_types.get(name)
        found = lookup.find_dataset(
            registry,
            registered,
            self._search_path(collections),
            {**_values_of(data_id), **more},
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
        return self.repository.registry.collections.flatten(names)

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
            key = registry.datasets.keys_of([ref]).get(ref.id.bytes)
            if key is None:
                raise DatasetNotFoundError(f"{ref} does not exist in {str(self.repository.root)!r}")
        else:
            found = self._find(dataset_type, data_id, more, collections, timespan)
            if found is None:
                raise self._not_found(dataset_type, {**_values_of(data_id), **more}, collections)
            ref, key = found
        record = registry.files.get(key)
        if record is None:
            raise DatasetNotFoundError(f"{ref} is registered, but has no file in the datastore")
        return ref, record

    def _not_found(
        self,
        dataset_type: DatasetType | str,
        values: Mapping[str, Any],
        collections: str | Iterable[str] | None,
    ) -> DatasetNotFoundError:
        name = _name_of(dataset_type)
        registry = self.repository.registry
        path = self._search_path(collections)
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

    # ---------------------------------------------------------------- writing
    def put(
        self,
        obj: Any,
        dataset_type: DatasetRef | DatasetType | str,
        data_id: Mapping[str, Any] | None = None,
        *,
        run: str | None = None,
        **kwargs: Any,
    ) -> DatasetRef:
        """Write an object as a dataset; it is durable when this returns.

        Raises
        ------
        DatasetExistsError
            If the run holds this dataset already.
        StorageClassMismatchError
            If the object is not what the dataset type's storage class asks for.
        """
        if isinstance(dataset_type, DatasetRef):
            ref = dataset_type
            return writing.put_dataset(
                self.repository,
                obj,
                ref.dataset_type.name,
                ref.data_id,
                ref.run,
                defaults={},
                id_=ref.id,
            )
        target = run or self.run
        if target is None:
            raise NoCollectionsError("no run to put into: give run=, or open the butler with one")
        return writing.put_dataset(
            self.repository,
            obj,
            _name_of(dataset_type),
            {**_values_of(data_id), **kwargs},
            target,
            defaults=self._defaults,
        )

    def ingest(
        self,
        *datasets: ingest.FileDataset,
        transfer: str | TransferMode = TransferMode.AUTO,
        record_validation_info: bool = True,
    ) -> list[DatasetRef]:
        """Take existing files in as datasets, all or none.

        Parameters
        ----------
        record_validation_info
            Whether to record the files' sizes.
        """
        return ingest.ingest_file_datasets(
            self.repository,
            datasets,
            mode=TransferMode.parse(transfer),
            track_file_attrs=record_validation_info,
        )

    def register_dataset_type(self, dataset_type: DatasetType) -> bool:
        """Register a dataset type; return False if it was there with the same definition."""
        self.repository.require_writeable()
        self.repository.datastore.storage_class(dataset_type.storage_class)
        return self.repository.registry.dataset_types.register(dataset_type)

    def insert_dimension_data(
        self, element: str, *records: Mapping[str, Any], skip_existing: bool = False
    ) -> int:
        """Insert dimension records given as mappings; return how many were new.

        A ``timespan`` may be a `Timespan`, a ``region`` an ``lsst.sphgeom``
        region.
        """
        from butler_core.transfer.record_columns import columns_of_records

        self.repository.require_writeable()
        found = self.dimensions[element]
        return self.repository.registry.records.insert(
            element,
            columns_of_records(found, records),
            on_conflict="skip" if skip_existing else "raise",
        )

    def import_(
        self,
        *,
        directory: str | Path | None = None,
        filename: str | Path | None = None,
        transfer: str | TransferMode = TransferMode.AUTO,
        skip_dimensions: Iterable[str] = (),
        record_validation_info: bool = True,
    ) -> None:
        """Import what an export file describes; see `butler_core.transfer.import_file`."""
        from butler_core.transfer.import_file import ImportRequest, import_repository

        import_repository(
            self.repository,
            ImportRequest(
                directory=None if directory is None else Path(directory),
                filename=Path(filename or "export.yaml"),
                mode=TransferMode.parse(transfer),
                skip_dimensions=frozenset(skip_dimensions),
                track_file_attrs=record_validation_info,
            ),
        )

    # --------------------------------------------------------------- removing
    def prune_datasets(
        self,
        refs: Iterable[DatasetRef],
        *,
        disassociate: bool = True,
        unstore: bool = False,
        tags: Iterable[str] = (),
        purge: bool = False,
    ) -> int:
        """Take datasets out of collections, out of the datastore, or out of the repository.

        Parameters
        ----------
        disassociate
            Whether to take them out of the collections in ``tags``; with
            ``purge``, out of everything.
        unstore
            Whether to remove their files.
        purge
            Whether to forget them altogether; needs the other two.

        Raises
        ------
        ParameterError
            If ``purge`` is given without the other two.
        """
        refs = list(refs)
        if purge:
            if not (disassociate and unstore):
                raise ParameterError("purge=True needs disassociate=True and unstore=True too")
            return removal.purge_datasets(self.repository, refs)
        with self.repository.transaction():
            if disassociate:
                for tag in tags:
                    self._disassociate(tag, refs)
            return removal.unstore_datasets(self.repository, refs) if unstore else len(refs)

    pruneDatasets = prune_datasets  # noqa: N815 - the spelling of existing notebooks

    def _disassociate(self, tag: str, refs: list[DatasetRef]) -> None:
        registry = self.repository.registry
        collection = registry.collections.get(tag)
        for registered, keys in self.keys_by_type(refs):
            registry.memberships.disassociate(registered, collection, keys)

    def keys_by_type(self, refs: Iterable[DatasetRef]) -> list[tuple[Any, list[int]]]:
        """Return registered types with the keys of those of the datasets that exist."""
        registry = self.repository.registry
        by_type: dict[str, list[DatasetRef]] = {}
        for ref in refs:
            by_type.setdefault(ref.dataset_type.parent_name, []).append(ref)
        return [
            (registry.dataset_types.get(name), list(registry.datasets.keys_of(members).values()))
            for name, members in by_type.items()
        ]

    def remove_runs(self, names: Iterable[str], *, unlink_from_chains: bool = False) -> int:
        """Remove RUN collections with all their datasets; return how many datasets went."""
        return removal.remove_runs(
            self.repository, as_names(names), unlink_from_chains=unlink_from_chains
        )

    removeRuns = remove_runs  # noqa: N815 - the spelling of existing notebooks

    # ---------------------------------------------------------------- queries
    def query(self) -> Query:
        """Return an empty query to constrain and ask."""
        return Query(
            self.repository.registry,
            default_collections=self.collections.defaults,
            default_data_id=self._defaults,
        )

    def query_datasets(
        self,
        dataset_type: DatasetType | str,
        collections: str | Iterable[str] | None = None,
        *,
        find_first: bool = True,
        data_id: Mapping[str, Any] | None = None,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> DatasetResult:
        """Return the datasets of one type in some collections.

        Parameters
        ----------
        find_first
            Whether to keep, of each data ID, only what the first collection
            that has it holds.
        """
        query = self._constrained(data_id, where, bind, order_by, limit, offset, kwargs)
        return query.datasets(_name_of(dataset_type), collections, find_first=find_first)

    def query_data_ids(
        self,
        dimensions: str | Iterable[str] | DimensionGroup,
        *,
        datasets: str | Iterable[str] = (),
        collections: str | Iterable[str] | None = None,
        data_id: Mapping[str, Any] | None = None,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> DataIdResult:
        """Return data IDs over some dimensions, those with datasets of some types if given."""
        query = self._constrained(data_id, where, bind, order_by, limit, offset, kwargs)
        for name in as_names(datasets):
            query = query.join_dataset_search(name, collections)
        return query.data_ids(dimensions)

    def query_dimension_records(
        self,
        element: str,
        *,
        datasets: str | Iterable[str] = (),
        collections: str | Iterable[str] | None = None,
        data_id: Mapping[str, Any] | None = None,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        **kwargs: Any,
    ) -> RecordResult:
        """Return the records of one dimension element."""
        query = self._constrained(data_id, where, bind, order_by, limit, offset, kwargs)
        for name in as_names(datasets):
            query = query.join_dataset_search(name, collections)
        return query.dimension_records(element)

    def _constrained(
        self,
        data_id: Mapping[str, Any] | None,
        where: str,
        bind: Mapping[str, Any] | None,
        order_by: str | Iterable[str] | None,
        limit: int | None,
        offset: int,
        values: Mapping[str, Any],
    ) -> Query:
        query = self.query().where(where, bind=bind, **{**_values_of(data_id), **values})
        return query.order_by(*as_names(order_by)).limit(limit, offset)


def _name_of(dataset_type: DatasetType | str) -> str:
    return dataset_type if isinstance(dataset_type, str) else dataset_type.name


def _values_of(data_id: Mapping[str, Any] | None) -> dict[str, Any]:
    if data_id is None:
        return {}
    known = getattr(data_id, "mapping", data_id)
    return dict(known)
