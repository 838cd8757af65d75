"""``pipetask purge`` and ``pipetask cleanup``: old runs and what they belonged to."""

from __future__ import annotations

import click

from butler_core.cli.parameters import confirm_option
from butler_core.cli.subcommand import DocumentedArgument, Subcommand
from pipetask.cli import options

_DOC = "COLLECTION is the name of a CHAINED collection."


@click.command("purge", cls=Subcommand)
@options.repository_option(required=True)
@confirm_option()
@click.option(
    "--recursive",
    is_flag=True,
    help="Go into CHAINED children whose names begin with COLLECTION too.",
)
@click.argument("collection", cls=DocumentedArgument, doc=_DOC)
def purge(repo: str, confirm: bool, recursive: bool, collection: str) -> None:
    """Remove a CHAINED collection and the collections in it.

    Children must be in no other chain, and their names must begin with
    COLLECTION; others stay.
    """
    from butler_core.cli.opening import open_for_writing
    from pipetask.execution.tidying import plan_purge, remove_planned

    with open_for_writing(repo) as butler:
        plan = plan_purge(butler.repository, collection, recursive=recursive)
        _show(plan.names, confirm=confirm)
        click.echo(f"{remove_planned(butler.repository, plan)} datasets removed.")


@click.command("cleanup", cls=Subcommand)
@options.repository_option(required=True)
@confirm_option()
@click.argument("collection", cls=DocumentedArgument, doc=_DOC)
def cleanup(repo: str, confirm: bool, collection: str) -> None:
    """Remove what a CHAINED collection once had and has no more.

    Removes the collections whose names begin with COLLECTION and a slash, and
    that are not in the chain.
    """
    from butler_core.cli.opening import open_for_writing
    from pipetask.execution.tidying import plan_cleanup, remove_planned

    with open_for_writing(repo) as butler:
        plan = plan_cleanup(butler.repository, collection)
        if not plan.names:
            click.echo(
                f"Nothing to remove: all collections {collection + '/*'!r} are in the chain."
            )
            return
        _show(plan.names, confirm=confirm)
        click.echo(f"{remove_planned(butler.repository, plan)} datasets removed.")


def _show(names: tuple[str, ...], *, confirm: bool) -> None:
    click.echo("These collections will be removed, with all datasets of RUN collections:")
    for name in names:
        click.echo(f"  {name}")
    if confirm:
        click.confirm("Continue?", abort=True)
