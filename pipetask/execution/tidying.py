"""Finds and removes old runs and the chains around them."""

from __future__ import annotations

from dataclasses import dataclass

from butler_core.datasets.collection import Collection, CollectionType
from butler_core.errors import CollectionInUseError, CollectionTypeError
from butler_core.repository.removal import remove_runs
from butler_core.repository.repository import Repository


@dataclass(frozen=True)
class RemovalPlan:
    """Collections to remove, chains before what is in them."""

    chains: tuple[str, ...]
    #: TAGGED and CALIBRATION collections.
    others: tuple[str, ...]
    runs: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return self.chains + self.others + self.runs


def plan_purge(repository: Repository, name: str, *, recursive: bool) -> RemovalPlan:
    """Decide what goes with a chain.

    Parameters
    ----------
    recursive
        Whether chains in it go with what they have.

    Raises
    ------
    CollectionTypeError
        If the collection is no chain.
    CollectionInUseError
        If another chain has it, or one of its own children.
    """
    collections = repository.registry.collections
    chain = _chain(repository, name)
    outside = collections.parents(name)
    if outside:
        raise CollectionInUseError(
            f"{name!r} is part of {', '.join(map(repr, outside))}; take it out first"
        )
    found: list[Collection] = [chain]
    queue = list(chain.children)
    while queue:
        child = collections.get(queue.pop(0))
        if not child.name.startswith(f"{name}/"):
            continue
        inside = {c.name for c in found if c.type is CollectionType.CHAINED}
        strangers = sorted(set(collections.parents(child.name)) - inside)
        if strangers:
            raise CollectionInUseError(
                f"{child.name!r} is part of {', '.join(map(repr, strangers))} too, so it cannot "
                f"go with {name!r}"
            )
        found.append(child)
        if recursive and child.type is CollectionType.CHAINED:
            queue += child.children
    return _sorted(found)


def plan_cleanup(repository: Repository, name: str) -> RemovalPlan:
    """Decide which collections named after a chain are not in it."""
    collections = repository.registry.collections
    _chain(repository, name)
    members = {c.name for c in collections.flatten([name])} | set(_chains_in(repository, name))
    found = [
        c
        for c in collections.resolve([f"{name}/*"])
        if c.name not in members and not collections.parents(c.name)
    ]
    return _sorted(found)


def _chains_in(repository: Repository, name: str) -> list[str]:
    queue, found = [name], []
    while queue:
        chain = repository.registry.collections.get(queue.pop())
        found.append(chain.name)
        queue += chain.children
    return found


def _chain(repository: Repository, name: str) -> Collection:
    found = repository.registry.collections.get(name)
    if found.type is not CollectionType.CHAINED:
        raise CollectionTypeError(f"{name!r} is a {found.type} collection, not CHAINED")
    return found


def _sorted(found: list[Collection]) -> RemovalPlan:
    by_type: dict[CollectionType, list[str]] = {}
    for collection in found:
        by_type.setdefault(collection.type, []).append(collection.name)
    others = by_type.get(CollectionType.TAGGED, []) + by_type.get(CollectionType.CALIBRATION, [])
    return RemovalPlan(
        tuple(by_type.get(CollectionType.CHAINED, [])),
        tuple(others),
        tuple(by_type.get(CollectionType.RUN, [])),
    )


def remove_planned(repository: Repository, plan: RemovalPlan) -> int:
    """Remove collections in one transaction; return how many datasets went."""
    with repository.transaction():
        for name in (*plan.chains, *plan.others):
            repository.registry.collections.remove(name)
        return remove_runs(repository, plan.runs)
