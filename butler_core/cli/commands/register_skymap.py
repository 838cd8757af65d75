"""``butler register-skymap``: a sky map's tracts and patches."""

from __future__ import annotations

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand


@click.command("register-skymap", cls=Subcommand)
@parameters.repo_argument()
@click.option(
    "-C",
    "--config-file",
    metavar="FILE",
    help="The sky map's configuration: lines 'config.FIELD = VALUE' in a .py file, or YAML.",
)
@click.option(
    "-c",
    "--config",
    multiple=True,
    metavar="FIELD=VALUE ...",
    help="A field of the configuration, such as name=rings_v1; wins over the file.",
)
def register_skymap(repo: str, config_file: str | None, config: tuple[str, ...]) -> None:
    """Add a sky map to a repository."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.cli.progress import progress_bar
    from butler_core.skymaps.config_file import load_config
    from butler_core.skymaps.register import register_skymap as register

    if config_file is None and not config:
        raise click.UsageError("give the sky map's configuration with -C FILE or -c FIELD=VALUE")
    with open_for_writing(repo) as butler, progress_bar("Storing tracts and patches"):
        report = register(butler, load_config(config_file, config))
    news = "Registered" if report.is_new else "There is already"
    click.echo(f"{news} {report.name} with {report.tracts} tracts, {report.patches} patches.")
