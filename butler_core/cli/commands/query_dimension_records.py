"""``butler query-dimension-records``: what is known of exposures, detectors and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand

if TYPE_CHECKING:
    from butler_core.queries.results import RecordResult


@click.command("query-dimension-records", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "element", "ELEMENT is the dimension, or combination of some, whose records are wanted."
)
@parameters.names_option(
    "--datasets",
    help="Keep records for which there is a dataset of each of these types, names or patterns.",
)
@parameters.collections_option("Collections to search for the --datasets; all if not given.")
@parameters.where_option()
@parameters.order_by_option()
@parameters.limit_option()
@parameters.offset_option()
@click.option(
    "--no-check",
    is_flag=True,
    expose_value=False,
    help="Has no effect: no query is refused for being like a common mistake.",
)
@parameters.format_option()
def query_dimension_records(
    repo: str,
    element: str,
    datasets: tuple[str, ...],
    collections: tuple[str, ...],
    where: str,
    order_by: tuple[str, ...],
    limit: int,
    offset: int,
    form: str,
) -> None:
    """List the records of a dimension."""
    from butler_core.cli.commands.query_data_ids import dataset_type_names
    from butler_core.cli.opening import collection_names, open_for_reading, rows_to_fetch
    from butler_core.cli.printing import print_limited
    from butler_core.queries.explain import EmptyQuestion

    with open_for_reading(repo) as butler:
        types = dataset_type_names(butler, datasets)
        searched = collection_names(butler, collections) if types else ()
        required = butler.dimensions[element].required
        found = butler.query_dimension_records(
            element,
            datasets=types,
            collections=searched,
            where=where,
            order_by=order_by or required,
            limit=rows_to_fetch(limit),
            offset=offset,
        )
        pairs = [(name, collections or searched) for name in types]
        question = EmptyQuestion(required, where, datasets=pairs)
        columns = _table_columns(found) if form == "table" else found.to_columns()
        print_limited(butler, columns, form, limit, question)


def _table_columns(found: RecordResult) -> dict[str, list[Any]]:
    """Return columns as people read them: a timespan as one, regions only mentioned."""
    columns: dict[str, list[Any]] = {
        name: [f"0x{value.hex()}" if isinstance(value, bytes) else value for value in values]
        for name, values in found.columns.items()
        if name not in ("region", "begin_ns", "end_ns")
    }
    if found.element.has_region:
        columns["region"] = [None if one is None else "(elided)" for one in found.columns["region"]]
    if found.element.has_timespan:
        columns["timespan (TAI)"] = [str(record.timespan) for record in found]
    return columns
