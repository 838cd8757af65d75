"""``butler associate`` and ``certify-calibrations``: datasets named by further collections."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.collection import CollectionType
from butler_core.errors import DatasetNotFoundError

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler

_LOG = logging.getLogger(__name__)


@click.command("associate", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "collection", "COLLECTION is the TAGGED collection; it is made if it is not there."
)
@parameters.names_option(
    "-d", "--dataset-type", help="Dataset types, or patterns for them; all if not given."
)
@parameters.collections_option()
@parameters.where_option()
@parameters.find_first_option()
@parameters.limit_option(default=0)
def associate(
    repo: str,
    collection: str,
    dataset_type: tuple[str, ...],
    collections: tuple[str, ...],
    where: str,
    find_first: bool,
    limit: int,
) -> None:
    """Add existing datasets to a TAGGED collection."""
    from butler_core.cli.dataset_sheets import DatasetSearch, FoundDatasets
    from butler_core.cli.opening import open_for_writing, warn_of_limit
    from butler_core.cli.printing import print_reasons

    search = DatasetSearch(dataset_type, collections, where, find_first, limit=limit)
    with open_for_writing(repo) as butler:
        registry = butler.repository.registry
        found = FoundDatasets(butler, search)
        count = 0
        with butler.transaction():
            butler.collections.register(collection, CollectionType.TAGGED)
            tag = registry.collections.get(collection)
            for result in found:
                registered = registry.dataset_types.get(result.dataset_type.name)
                registry.memberships.associate(registered, tag, result.columns["dataset_key"])
                count += len(result)
        if found.is_cut:
            warn_of_limit(limit)
        if not count:
            print_reasons(found.why_empty())
        _LOG.info("associated %d datasets with %r", count, collection)


@click.command("certify-calibrations", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("input_collection", "INPUT_COLLECTION is where the calibrations are.")
@parameters.argument(
    "output_collection",
    "OUTPUT_COLLECTION is the CALIBRATION collection; it is made if it is not there.",
)
@parameters.argument(
    "dataset_type_name", "DATASET_TYPE_NAME is the type of the calibrations, such as bias."
)
@click.option(
    "--begin-date", help="Begin of their validity, ISO 8601, TAI; from ever on if not given."
)
@click.option("--end-date", help="End of their validity, exclusive; for ever if not given.")
@click.option(
    "--search-all-inputs",
    is_flag=True,
    help="Search all that INPUT_COLLECTION leads to, if it is a chain, not its first child alone.",
)
def certify_calibrations(
    repo: str,
    input_collection: str,
    output_collection: str,
    dataset_type_name: str,
    begin_date: str | None,
    end_date: str | None,
    search_all_inputs: bool,
) -> None:
    """Declare calibrations valid for a time."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.timespan import Timespan

    timespan = Timespan(*_bounds(begin_date, end_date))
    with open_for_writing(repo) as butler:
        registry = butler.repository.registry
        registered = registry.dataset_types.get(dataset_type_name)
        searched = [found.name for found in registry.collections.flatten([input_collection])]
        if not search_all_inputs:
            searched = searched[:1]
        keys = _keys_of(butler, dataset_type_name, searched)
        with butler.transaction():
            butler.collections.register(output_collection, CollectionType.CALIBRATION)
            target = registry.collections.get(output_collection)
            registry.memberships.certify(registered, target, keys, timespan)
        _LOG.info(
            "certified %d %r in %r for %s",
            len(keys),
            dataset_type_name,
            output_collection,
            timespan,
        )


def _bounds(begin: str | None, end: str | None) -> tuple[int, int]:
    from butler_core.timespan import MAX_NS, MIN_NS, iso_to_ns

    first = MIN_NS if begin is None else iso_to_ns(begin)
    last = MAX_NS if end is None else iso_to_ns(end)
    if first >= last:
        raise click.UsageError(f"--begin-date {begin} does not lie before --end-date {end}")
    return first, last


def _keys_of(butler: Butler, dataset_type: str, collections: list[str]) -> list[int]:
    found = (
        butler.query_datasets(dataset_type, collections, find_first=True) if collections else None
    )
    if not found:
        where = ", ".join(map(repr, collections)) or "an empty chain"
        raise DatasetNotFoundError(
            f"there is no {dataset_type!r} to certify in {where}; `butler query-datasets` shows "
            "where there are some"
        )
    return list(found.columns["dataset_key"])
