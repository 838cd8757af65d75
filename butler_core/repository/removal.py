"""Removes datasets and runs: rows first, in one transaction; files after its commit."""

from __future__ import annotations

from collections.abc import Iterable

from butler_core.datasets.collection import CollectionType
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.errors import CollectionInUseError, CollectionTypeError
from butler_core.repository.repository import Repository
from butler_core.repository.run_folders import GRAPHS


def purge_datasets(repository: Repository, refs: Iterable[DatasetRef]) -> int:
    """Forget datasets, their tags and validity ranges, and remove their files; return how many."""
    with repository.transaction() as journal:
        keys = list(repository.registry.datasets.keys_of(refs).values())
        journal.condemn(repository.registry.files.delete(keys))
        return repository.registry.datasets.delete(keys)


def unstore_datasets(repository: Repository, refs: Iterable[DatasetRef]) -> int:
    """Remove the files of datasets that stay registered; return how many there were."""
    with repository.transaction() as journal:
        keys = list(repository.registry.datasets.keys_of(refs).values())
        condemned = repository.registry.files.delete(keys)
        journal.condemn(condemned)
        return len(condemned)


def remove_runs(
    repository: Repository, names: Iterable[str], *, unlink_from_chains: bool = False
) -> int:
    """Remove RUN collections with all their datasets and files; return how many datasets went.

    Parameters
    ----------
    unlink_from_chains
        Whether to take the runs out of the chains that name them.

    Raises
    ------
    CollectionInUseError
        If a chain names a run and ``unlink_from_chains`` is False.
    CollectionTypeError
        If a collection is no run.
    """
    registry = repository.registry
    removed = 0
    with repository.transaction() as journal:
        for name in names:
            run = registry.collections.get(name)
            if run.type is not CollectionType.RUN:
                raise CollectionTypeError(
                    f"{name!r} is a {run.type} collection, not a RUN; `butler remove-collections` "
                    "removes those"
                )
            chains = registry.collections.parents(name)
            if chains and not unlink_from_chains:
                raise CollectionInUseError(
                    f"run {name!r} is part of the chains {', '.join(map(repr, chains))}; remove it "
                    "from them first, or with --force"
                )
            for chain in chains:
                registry.collections.change_chain(chain, remove=[name])
            for columns in registry.datasets.in_run(run).values():
                keys = columns["dataset_key"]
                journal.condemn(registry.files.delete(keys))
                removed += registry.datasets.delete(keys)
            registry.collections.remove(name)
            journal.condemn_tree(repository.datastore.root / name / GRAPHS)
    return removed
