"""``butler query-data-ids``: the data IDs over some dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.dimensions.group import DimensionGroup


@click.command("query-data-ids", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "dimensions",
    "DIMENSIONS are names such as exposure, detector or tract; those they need come with them. May "
    "be left out if --datasets is given, and is then what all those dataset types share.",
    nargs=-1,
    callback=parameters.split_commas,
)
@parameters.collections_option("Collections to search for the --datasets; all if not given.")
@parameters.names_option(
    "--datasets",
    help="Keep data IDs that have a dataset of each of these types, names or patterns.",
)
@parameters.where_option()
@parameters.order_by_option()
@parameters.limit_option()
@parameters.offset_option()
@parameters.format_option()
def query_data_ids(
    repo: str,
    dimensions: tuple[str, ...],
    collections: tuple[str, ...],
    datasets: tuple[str, ...],
    where: str,
    order_by: tuple[str, ...],
    limit: int,
    offset: int,
    form: str,
) -> None:
    """List the data IDs in a repository."""
    from butler_core.cli.opening import collection_names, open_for_reading, rows_to_fetch
    from butler_core.cli.printing import print_limited
    from butler_core.cli.row_order import column_order, default_order
    from butler_core.queries.explain import EmptyQuestion

    with open_for_reading(repo) as butler:
        types = dataset_type_names(butler, datasets)
        searched = collection_names(butler, collections) if types else ()
        group = _group_of(butler, dimensions, types)
        found = butler.query_data_ids(
            group,
            datasets=types,
            collections=searched,
            where=where,
            order_by=order_by or default_order(group),
            limit=rows_to_fetch(limit),
            offset=offset,
        )
        shown = found.to_columns()
        columns: dict[str, list[Any]] = {name: shown[name] for name in column_order(group)}
        pairs = [(name, collections or searched) for name in types]
        question = EmptyQuestion(group.names, where, datasets=pairs)
        print_limited(butler, columns, form, limit, question)


def dataset_type_names(butler: Butler, expression: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of dataset types given by name or pattern.

    Raises
    ------
    click.UsageError
        If a pattern fits none.
    """
    if not expression:
        return ()
    found = butler.repository.registry.dataset_types.resolve(expression)
    if not found:
        raise click.UsageError(f"no dataset type matches {', '.join(map(repr, expression))}")
    return tuple(registered.dataset_type.name for registered in found)


def _group_of(
    butler: Butler, dimensions: tuple[str, ...], types: tuple[str, ...]
) -> DimensionGroup:
    if dimensions:
        return butler.dimensions.conform(dimensions)
    groups = [butler.get_dataset_type(name).dimensions for name in types]
    if not groups:
        raise click.UsageError("give DIMENSIONS, or --datasets to take them from")
    shared = groups[0]
    for group in groups[1:]:
        shared &= group
    if not shared.names:
        raise click.UsageError(f"the dataset types {', '.join(types)} have no dimension in common")
    return shared
