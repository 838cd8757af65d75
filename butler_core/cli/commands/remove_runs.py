"""``butler remove-runs``: removes RUN collections with all that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.collection import CollectionType
from butler_core.errors import CollectionInUseError


@click.command("remove-runs", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("collection", "COLLECTION is a RUN collection, or a pattern for some.")
@parameters.confirm_option()
@click.option(
    "--force",
    is_flag=True,
    help="Take the runs out of the chains that name them, with --no-confirm too.",
)
def remove_runs(repo: str, collection: str, confirm: bool, force: bool) -> None:
    """Remove RUN collections with their datasets and files."""
    from butler_core.cli.confirmation import is_confirmed
    from butler_core.cli.opening import open_for_writing
    from butler_core.queries.holdings import counts_in_runs

    with open_for_writing(repo) as butler:
        registry = butler.repository.registry
        runs = butler.collections.query(collection, CollectionType.RUN)
        if not runs:
            click.echo("No RUN collections were found.")
            return
        parents = {run: registry.collections.parents(run) for run in runs}
        if any(parents.values()) and not (confirm or force):
            raise CollectionInUseError(_must_unlink(parents))
        counts = counts_in_runs(registry, runs)
        if confirm:
            _show(parents, counts, "will be removed", "will be unlinked")
            if not is_confirmed():
                click.echo("Aborted.")
                return
        butler.remove_runs(runs, unlink_from_chains=True)
        if confirm:
            click.echo("Removed collections")
        else:
            _show(parents, counts, "were removed", "was removed and unlinked")


def _show(
    parents: Mapping[str, Sequence[str]], counts: Mapping[str, int], verb: str, unlink: str
) -> None:
    click.echo(f"The following RUN collections {verb}:")
    for run, chains in parents.items():
        click.echo(f"{run}: {unlink} from {_quoted(chains)}" if chains else run)
    click.echo(f"\nThe following datasets {verb}:")
    click.echo(", ".join(f"{name}({count})" for name, count in counts.items()))
    click.echo(f"Total number of datasets: {sum(counts.values())}")


def _must_unlink(parents: Mapping[str, Sequence[str]]) -> str:
    lines = [f"  {run!r} is in {_quoted(chains)}" for run, chains in parents.items() if chains]
    return "\n".join(
        [
            "runs that chains name are removed with confirmation, or with --force, only:",
            *lines,
        ]
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
