"""``butler write-curated-calibrations``: an instrument's camera and defects."""

from __future__ import annotations

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand


@click.command("write-curated-calibrations", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("instrument", "INSTRUMENT is its name or class name; it must be registered.")
@click.option(
    "--collection",
    help="CALIBRATION collection that says when each is valid; INSTRUMENT/calib, with the labels "
    "behind it, if not given.",
)
@parameters.names_option("--label", help="Words for the names of the collections.")
@click.option(
    "--defects",
    multiple=True,
    metavar="FILE ...",
    help="Table of a detector's defects (ECSV or FITS); one without such gets an empty table.",
)
def write_curated_calibrations(
    repo: str,
    instrument: str,
    collection: str | None,
    label: tuple[str, ...],
    defects: tuple[str, ...],
) -> None:
    """Add an instrument's curated calibrations."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.curated_calibrations import write_curated_calibrations as write

    with open_for_writing(repo) as butler:
        report = write(butler, instrument, collection=collection, labels=label, defects=defects)
    there = f"; {len(report.existing)} were there already" if report.existing else ""
    click.echo(f"Wrote {len(report.written)} calibrations into {report.collection}{there}.")
