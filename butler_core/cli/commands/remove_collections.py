"""``butler remove-collections``: removes collections that own no datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.collection import Collection, CollectionType
from butler_core.errors import CollectionInUseError

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler


@click.command("remove-collections", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "collection", "COLLECTION is a collection that is no RUN, or a pattern for some."
)
@parameters.confirm_option()
@click.option(
    "--remove-from-parents",
    is_flag=True,
    help="Take them out of the chains that name them; without it, such are not removed.",
)
def remove_collections(
    repo: str, collection: str, confirm: bool, remove_from_parents: bool
) -> None:
    """Remove CHAINED, TAGGED and CALIBRATION collections."""
    from butler_core.cli.confirmation import is_confirmed
    from butler_core.cli.opening import open_for_writing

    with open_for_writing(repo) as butler:
        found = sorted(butler.collections.query_info(collection), key=lambda one: one.name)
        runs = [one for one in found if one.type is CollectionType.RUN]
        others = [one for one in found if one.type is not CollectionType.RUN]
        if runs:
            click.echo(
                "\nThese are RUN collections, which `butler remove-runs` removes; they stay:"
            )
            _print_table(runs)
        if not others:
            click.echo("\nNo non-RUN collections were found.")
            return
        outside = _parents_outside(butler, others)
        if outside and not remove_from_parents:
            raise CollectionInUseError(_in_use(outside))
        if confirm:
            click.echo("\nThe following collections will be removed:")
            _print_table(others)
            if not is_confirmed():
                click.echo("\nAborted.\n")
                return
        _remove(butler, others, outside)
        click.echo("\nRemoved collections:\n")
        _print_table(others)


def _parents_outside(butler: Butler, collections: list[Collection]) -> dict[str, list[str]]:
    """Return the chains that name each collection and are not to be removed themselves."""
    gone = {one.name for one in collections}
    table = butler.repository.registry.collections
    outside = {name: [p for p in table.parents(name) if p not in gone] for name in sorted(gone)}
    return {name: parents for name, parents in outside.items() if parents}


def _remove(butler: Butler, collections: list[Collection], outside: dict[str, list[str]]) -> None:
    """Remove all of them as one step, a chain before what it names."""
    with butler.transaction():
        for name, parents in outside.items():
            for parent in parents:
                butler.collections.remove_from_chain(parent, [name])
        for one in collections:
            if one.type is CollectionType.CHAINED:
                butler.collections.redefine_chain(one.name, [])
        for one in collections:
            butler.collections.remove(one.name)


def _in_use(outside: dict[str, list[str]]) -> str:
    lines = [
        f"  {name!r} is in {', '.join(map(repr, parents))}" for name, parents in outside.items()
    ]
    return "\n".join(
        ["collections that chains name are removed with --remove-from-parents only:", *lines]
    )


def _print_table(collections: list[Collection]) -> None:
    from butler_core.cli.printing import print_sheet
    from butler_core.cli.table_text import Sheet

    columns = {
        "Collection": [one.name for one in collections],
        "Collection Type": [one.type.name for one in collections],
    }
    print_sheet(Sheet(columns, is_left_aligned=True), "table")
