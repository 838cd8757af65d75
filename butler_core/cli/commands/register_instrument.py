"""``butler register-instrument``: an instrument's records, its detectors' and filters'."""

from __future__ import annotations

import logging

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand

_LOG = logging.getLogger(__name__)


@click.command("register-instrument", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "instrument",
    "INSTRUMENT is its class name (lsst.obs.lsst.Latiss), its name (LATISS), or the YAML file of a "
    "camera of your own; several may be given.",
    nargs=-1,
    required=True,
)
@click.option("--update", is_flag=True, help="Replace records that differ from those to be stored.")
def register_instrument(repo: str, instrument: tuple[str, ...], update: bool) -> None:
    """Add an instrument to a repository."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.instruments import register_instrument as register

    with open_for_writing(repo) as butler:
        for name in instrument:
            camera = register(butler, name, update=update)
            _LOG.info("registered %s with %d detectors", camera.name, len(camera.detectors))
