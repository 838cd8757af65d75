"""``butler define-visits``: exposures become visits with regions on the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand

if TYPE_CHECKING:
    from butler_core.visits.request import VisitReport


@click.command("define-visits", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("instrument", "INSTRUMENT is its name or class name.")
@parameters.collections_option(
    "Collections of the raws whose exposures are taken; INSTRUMENT/raw/all if not given."
)
@parameters.where_option()
@click.option(
    "--update-records/--no-update-records",
    default=False,
    help="Replace the records of visits that exist; their exposures stay as they are.",
)
@click.option(
    "--incremental/--no-incremental",
    default=False,
    help="Let visits that exist gain exposures that came later.",
)
def define_visits(
    repo: str,
    instrument: str,
    collections: tuple[str, ...],
    where: str,
    update_records: bool,
    incremental: bool,
) -> None:
    """Define visits from exposures."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.cli.progress import progress_bar
    from butler_core.visits.define import define_visits as define
    from butler_core.visits.request import VisitRequest

    request = VisitRequest(
        collections=collections,
        where=where,
        update_records=update_records,
        incremental=incremental,
    )
    with open_for_writing(repo) as butler, progress_bar("Defining visits"):
        report = define(butler, instrument, request)
    click.echo(_summary(report))


def _summary(report: VisitReport) -> str:
    details = [f"{report.new} new", f"{report.unchanged} unchanged"]
    if report.updated:
        details.append(f"{report.updated} updated")
    off_sky = f"; {report.off_sky} of them not on the sky" if report.off_sky else ""
    return (
        f"Defined {report.visits} visits ({', '.join(details)}) from {report.exposures} exposures"
        f"{off_sky}."
    )
