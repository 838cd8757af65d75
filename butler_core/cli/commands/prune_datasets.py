"""``butler prune-datasets``: takes datasets out of tags, storage, or the repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.collection import CollectionType
from butler_core.errors import CollectionTypeError

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.cli.dataset_sheets import FoundDatasets
    from butler_core.queries.results import DatasetResult


@dataclass(frozen=True, slots=True)
class PruneAction:
    """What is to happen to the datasets."""

    #: TAGGED collections that they leave.
    tags: tuple[str, ...]
    #: A RUN collection, if they are to be forgotten altogether.
    purge: str | None
    unstore: bool

    def require_sense(self) -> None:
        """Raise a usage error if there is nothing to do, or what excludes each other."""
        if not (self.tags or self.purge or self.unstore):
            raise click.UsageError(
                "nothing to do: give one of --purge, --unstore and --disassociate"
            )
        if self.tags and self.purge:
            raise click.UsageError(
                "--disassociate and --purge cannot go together: --purge takes datasets out of all "
                "TAGGED collections, --disassociate out of those given"
            )

    def announcement(self) -> str:
        """Return what a dry run says of the datasets."""
        parts = []
        if self.tags:
            parts.append(f"disassociated from {', '.join(self.tags)}")
        if self.purge:
            parts.append("removed from the repository, with their files")
        elif self.unstore:
            parts.append("removed from any datastores in which they are present")
        return f"The following datasets will be {' and '.join(parts)}:"


@click.command("prune-datasets", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "collections",
    "COLLECTIONS are searched, in order; patterns need --find-all. If there are none, those of "
    "--purge or --disassociate are searched.",
    nargs=-1,
    callback=parameters.split_commas,
)
@parameters.names_option(
    "--datasets", help="Dataset types, or patterns for them; all if not given."
)
@click.option(
    "--find-all",
    is_flag=True,
    help="Prune what any of COLLECTIONS holds of a data ID, not only what the first of them does.",
)
@parameters.where_option()
@parameters.names_option("--disassociate", help="TAGGED collections that the datasets leave.")
@click.option(
    "--purge",
    metavar="RUN",
    help="Forget the datasets, remove their files, and take them out of all collections. RUN is "
    "searched if there are no COLLECTIONS.",
)
@click.option("--unstore", is_flag=True, help="Remove the datasets' files; they stay registered.")
@click.option("--dry-run", is_flag=True, help="Show what would be pruned; change nothing.")
@parameters.confirm_option()
@click.option("--quiet", is_flag=True, help="Print nothing and do not ask.")
def prune_datasets(
    repo: str,
    collections: tuple[str, ...],
    datasets: tuple[str, ...],
    find_all: bool,
    where: str,
    disassociate: tuple[str, ...],
    purge: str | None,
    unstore: bool,
    dry_run: bool,
    confirm: bool,
    quiet: bool,
) -> None:
    """Remove datasets from collections or from storage."""
    from butler_core.cli.dataset_sheets import DatasetSearch, FoundDatasets
    from butler_core.cli.opening import open_for_reading, open_for_writing

    if quiet and dry_run:
        raise click.UsageError("--quiet and --dry-run cannot go together")
    action = PruneAction(disassociate, purge, unstore)
    action.require_sense()
    searched = collections or ((purge,) if purge else disassociate)
    if not searched:
        raise click.UsageError("COLLECTIONS must say where to search for the datasets to prune")
    with (open_for_reading if dry_run else open_for_writing)(repo) as butler:
        _require_types(butler, action)
        search = DatasetSearch(datasets, searched, where, find_first=not find_all)
        found = FoundDatasets(butler, search)
        results = list(found)
        if not results and not quiet:
            from butler_core.cli.printing import print_reasons

            click.echo("Did not find any datasets.")
            print_reasons(found.why_empty())
        elif dry_run:
            _show(action.announcement(), found, results)
        elif results:
            _prune(butler, action, found, results, asks=confirm and not quiet, is_quiet=quiet)


def _require_types(butler: Butler, action: PruneAction) -> None:
    """Raise CollectionTypeError if a collection is not of the type that its option asks for."""
    asked = [("--disassociate", tag, CollectionType.TAGGED) for tag in action.tags]
    if action.purge:
        asked.append(("--purge", action.purge, CollectionType.RUN))
    for option, name, wanted in asked:
        kind = butler.collections.get_info(name).type
        if kind is not wanted:
            raise CollectionTypeError(f"{option} needs a {wanted} collection; {name!r} is {kind}")


def _show(text: str, found: FoundDatasets, results: list[DatasetResult]) -> None:
    from butler_core.cli.printing import print_sheets

    click.echo(text)
    print_sheets((found.sheet(result) for result in results), "table", [])


def _prune(
    butler: Butler,
    action: PruneAction,
    found: FoundDatasets,
    results: list[DatasetResult],
    *,
    asks: bool,
    is_quiet: bool,
) -> None:
    if asks:
        from butler_core.cli.confirmation import is_confirmed

        _show("The following datasets will be removed:", found, results)
        if not is_confirmed():
            click.echo("Did not remove the datasets.")
            return
    butler.prune_datasets(
        [ref for result in results for ref in result],
        disassociate=bool(action.tags or action.purge),
        tags=action.tags,
        unstore=action.unstore or action.purge is not None,
        purge=action.purge is not None,
    )
    if asks:
        click.echo("The datasets were removed.")
    elif not is_quiet:
        _show("Removed the following datasets:", found, results)
