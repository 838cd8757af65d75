"""``butler create``: a new, empty repository."""

from __future__ import annotations

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand


@click.command("create", cls=Subcommand)
@parameters.argument(
    "repo", "REPO is the directory of the new repository; it is made if it is not there."
)
@click.option(
    "--seed-config", help="YAML file whose content goes into the repository's configuration."
)
@click.option("--dimension-config", help="YAML file with a dimension universe of your own.")
@click.option(
    "--standalone",
    is_flag=True,
    help="Write all defaults into the configuration, so that a later version's change nothing.",
)
@click.option(
    "--override",
    is_flag=True,
    help="Let --seed-config say where datasets' files go, too, instead of into the repository.",
)
@click.option(
    "-f",
    "--outfile",
    help="Where the configuration goes; butler.yaml in the repository if not given.",
)
@click.option(
    "--registry",
    metavar="URL",
    help="The registry's database, such as postgresql://HOST/NAME; a SQLite file in the repository "
    "if not given. Credentials come from ~/.lsst/db-auth.yaml or PG* variables, never from here.",
)
@click.option(
    "--schema",
    metavar="NAME",
    help="Schema of a PostgreSQL database for the registry's tables: one for each repository.",
)
def create(
    repo: str,
    seed_config: str | None,
    dimension_config: str | None,
    standalone: bool,
    override: bool,
    outfile: str | None,
    registry: str | None,
    schema: str | None,
) -> None:
    """Make an empty data repository."""
    from butler_core.repository.repository import Repository

    Repository.create(
        repo,
        seed_config=seed_config,
        dimension_config=dimension_config,
        standalone=standalone,
        override=override,
        outfile=outfile,
        registry=registry,
        schema=schema,
    ).close()
