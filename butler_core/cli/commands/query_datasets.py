"""``butler query-datasets``: a table of datasets for each dataset type."""

from __future__ import annotations

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand


@click.command("query-datasets", cls=Subcommand)
@parameters.repo_argument()
@parameters.globs_argument("dataset types")
@parameters.collections_option()
@parameters.where_option()
@parameters.find_first_option()
@parameters.limit_option()
@parameters.order_by_option()
@click.option("--show-uri", is_flag=True, help="Show where each dataset's file is.")
@parameters.format_option()
def query_datasets(
    repo: str,
    glob: tuple[str, ...],
    collections: tuple[str, ...],
    where: str,
    find_first: bool,
    limit: int,
    order_by: tuple[str, ...],
    show_uri: bool,
    form: str,
) -> None:
    """List the datasets in a repository."""
    from butler_core.cli.dataset_sheets import DatasetSearch, FoundDatasets
    from butler_core.cli.opening import open_for_reading, warn_of_limit
    from butler_core.cli.printing import print_reasons, print_sheets

    search = DatasetSearch(glob, collections, where, find_first, order_by, limit)
    with open_for_reading(repo) as butler:
        found = FoundDatasets(butler, search)
        sheets = (found.sheet(result, with_uri=show_uri) for result in found)
        rows = print_sheets(sheets, form, found.headers(with_uri=show_uri))
        if found.is_cut:
            warn_of_limit(limit)
        if not rows:
            print_reasons(found.why_empty())
