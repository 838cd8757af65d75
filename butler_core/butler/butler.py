"""The facade that users meet first. Each method is a door to one lower module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from butler_core.butler.collections import ButlerCollections
from butler_core.butler.querying import given_values, name_of
from butler_core.butler.reading import ButlerReading
from butler_core.datasets.collection import as_names
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datasets.dataset_type import DatasetType
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import NoCollectionsError, ParameterError
from butler_core.repository import ingest, removal, writing
from butler_core.repository.repository import Repository


class Butler(ButlerReading):
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

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes made inside, or none; files are synced once, at its end."""
        with self.repository.transaction():
            yield

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
            name_of(dataset_type),
            given_values(data_id, kwargs),
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
