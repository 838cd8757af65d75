"""``butler migrate``: brings a repository's tables up to this program's version."""

from __future__ import annotations

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand


@click.command("migrate", cls=Subcommand)
@parameters.repo_argument()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def migrate(repo: str, dry_run: bool) -> None:
    """Upgrade the registry's tables of an older repository."""
    from butler_core.repository.repository import Repository

    steps = Repository.migrate(repo, dry_run=dry_run)
    if not steps:
        click.echo("The tables are of this program's version; there is nothing to do.")
        return
    click.echo("Would be done:" if dry_run else "Done:")
    for step in steps:
        click.echo(f"  version {step.version}: {step.what}")
