"""``butler query-collections``: collections as a tree, a table or a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.collection import CollectionType, matches

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.cli.collection_rows import CollectionMap, CollectionRow
    from butler_core.cli.table_text import Sheet

_CHAINS = ("table", "inverse-table", "tree", "inverse-tree", "flatten", "no-children")
_RELATED = {"table": "Children", "inverse-table": "Parents"}


@click.command("query-collections", cls=Subcommand)
@parameters.repo_argument()
@parameters.globs_argument("collections")
@click.option(
    "--collection-type",
    type=click.Choice([kind.name.lower() for kind in CollectionType], case_sensitive=False),
    multiple=True,
    help="Show collections of this type only; may be given several times.",
)
@click.option(
    "--chains",
    type=click.Choice(_CHAINS, case_sensitive=False),
    default="tree",
    show_default=True,
    help="What to show of chains. table: their children, in a column; inverse-table: the chains "
    "that name a collection, in a column; tree: children below them; inverse-tree: those chains "
    "below a collection; flatten: what they lead to instead of them; no-children: them alone.",
)
@click.option(
    "-t", "--show-dataset-types", is_flag=True, help="Show the dataset types that each holds, too."
)
@click.option(
    "--exclude-dataset-types",
    default="*_config,*_log,*_metadata,packages",
    show_default=True,
    help="Dataset types, or patterns for them, that --show-dataset-types leaves out.",
)
@parameters.format_option()
def query_collections(
    repo: str,
    glob: tuple[str, ...],
    collection_type: tuple[str, ...],
    chains: str,
    show_dataset_types: bool,
    exclude_dataset_types: str,
    form: str,
) -> None:
    """List the collections in a repository."""
    from butler_core.cli.collection_rows import CollectionMap
    from butler_core.cli.opening import open_for_reading
    from butler_core.cli.printing import print_reasons, print_sheet

    types = [CollectionType[name.upper()] for name in collection_type] or list(CollectionType)
    with open_for_reading(repo) as butler:
        known = CollectionMap.of(butler.repository.registry.collections.all())
        rows = _rows(butler, glob, types, chains.lower(), known)
        held = _types_held(butler, exclude_dataset_types) if show_dataset_types else None
        sheet = _sheet(rows, chains.lower(), known, held, is_text=form == "table")
        print_sheet(sheet, form)
        if not rows:
            kinds = f" of type {' or '.join(collection_type)}" if collection_type else ""
            print_reasons([f"no collection{kinds} matches {', '.join(map(repr, glob or ('*',)))}"])


def _rows(
    butler: Butler,
    glob: tuple[str, ...],
    types: list[CollectionType],
    chains: str,
    known: CollectionMap,
) -> list[CollectionRow]:
    from butler_core.cli import collection_rows as as_rows

    found = butler.collections.query_info(
        glob or "*", types, flatten_chains=chains == "flatten", include_chains=chains != "flatten"
    )
    if chains != "flatten":
        found = sorted(found, key=lambda collection: collection.name)
    match chains:
        case "tree":
            return list(as_rows.tree_rows(found, known))
        case "inverse-tree":
            return list(as_rows.inverse_tree_rows(found, known))
        case "inverse-table":
            return list(as_rows.inverse_table_rows(found, known))
    return list(as_rows.table_rows(found))


def _types_held(butler: Butler, exclude: str) -> dict[str, set[str]]:
    from butler_core.queries.holdings import dataset_types_by_collection

    patterns = [part.strip() for part in exclude.split(",") if part.strip()]
    held = dataset_types_by_collection(butler.repository.registry)
    return {
        collection: {name for name in names if not any(matches(name, p) for p in patterns)}
        for collection, names in held.items()
    }


def _sheet(
    rows: list[CollectionRow],
    chains: str,
    known: CollectionMap,
    held: dict[str, set[str]] | None,
    *,
    is_text: bool,
) -> Sheet:
    from butler_core.cli.table_text import Sheet

    indent = "  " if is_text else ""
    columns: dict[str, list[Any]] = {
        "Name": [indent * row.depth + row.name for row in rows],
        "Type": [row.type.name for row in rows],
    }
    if chains in _RELATED:
        columns[_RELATED[chains]] = [list(row.related) for row in rows]
    elif not is_text and chains.endswith("tree"):
        columns["Depth"] = [row.depth for row in rows]
    if held is not None:
        opens_chains = not chains.endswith("tree")
        columns["Dataset Types"] = [_types_of(row, known, held, opens_chains) for row in rows]
    if not is_text:
        columns = {name.lower().replace(" ", "_"): values for name, values in columns.items()}
    return Sheet(columns, is_left_aligned=True)


def _types_of(
    row: CollectionRow,
    known: CollectionMap,
    held: dict[str, set[str]],
    opens_chains: bool,
) -> list[str]:
    if row.type is CollectionType.CHAINED and not opens_chains:
        return []
    return sorted({name for leaf in known.leaves(row.name) for name in held[leaf]})
