"""``butler ingest-raws``: raw files become exposures and raw datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.ingest_config import config_options
from butler_core.cli.subcommand import Subcommand
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import IngestError

if TYPE_CHECKING:
    from butler_core.raw_ingest.request import RawIngestReport

_FAILURES_SHOWN = 20
#: Rubin's pattern of the names of FITS files.
_FITS_PATTERN = r"\.fit[s]?\b"


@click.command("ingest-raws", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "locations",
    "LOCATIONS are raw files, or directories to search for some with all that is below them.",
    nargs=-1,
    required=True,
)
@click.option(
    "--regex",
    default=_FITS_PATTERN,
    show_default=True,
    help="Regular expression found in the names of raw files, for the search of directories.",
)
@config_options
@click.option(
    "--output-run", help="RUN collection that gets the raws; INSTRUMENT/raw/all if not given."
)
@parameters.transfer_option()
@click.option(
    "-j",
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of processes that read headers.",
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Pass over raws that the run holds already; else they fail.",
)
@click.option(
    "--fail-fast",
    is_flag=True,
    help="Stop at the first file that cannot be ingested; else such are listed at the end.",
)
@parameters.track_file_attrs_option()
@click.option(
    "--update-records/--no-update-records",
    default=False,
    help="Replace exposure records that differ from what headers say now; else such files fail.",
)
def ingest_raws(
    repo: str,
    locations: tuple[str, ...],
    regex: str,
    config: tuple[str, ...],
    config_file: tuple[str, ...],
    output_run: str | None,
    transfer: TransferMode,
    processes: int,
    skip_existing: bool,
    fail_fast: bool,
    track_file_attrs: bool,
    update_records: bool,
) -> None:
    """Ingest raw frames."""
    from butler_core.cli.ingest_config import ingest_settings
    from butler_core.cli.opening import open_for_writing
    from butler_core.cli.progress import progress_bar
    from butler_core.raw_ingest.ingest import ingest_raws as ingest
    from butler_core.raw_ingest.request import RawIngestRequest

    settings = ingest_settings(config_file, config)
    request = RawIngestRequest(
        locations=locations,
        regex=regex,
        output_run=output_run,
        transfer=settings.get("transfer", transfer),
        processes=processes,
        skip_existing=skip_existing,
        fail_fast=settings.get("fail_fast", fail_fast),
        update_records=update_records,
        track_file_attrs=track_file_attrs,
    )
    with open_for_writing(repo) as butler, progress_bar("Ingesting raws"):
        report = ingest(butler, request)
    click.echo(_summary(report))
    if report.failures:
        raise IngestError(_failures(report))


def _summary(report: RawIngestReport) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.exposures_by_type.items())
    text = f"Ingested {report.ingested} files of {report.exposures} exposures"
    text += f" ({kinds})" if kinds else ""
    text += f" into {', '.join(report.runs)}" if report.runs else ""
    skipped = f"; {len(report.skipped)} were there already" if report.skipped else ""
    return f"{text}{skipped}."


def _failures(report: RawIngestReport) -> str:
    count = len(report.failures)
    total = count + report.ingested + len(report.skipped)
    lines = [f"{count} of {total} files were not ingested:"]
    lines += [
        f"  {failure.path}: {failure.reason}" for failure in report.failures[:_FAILURES_SHOWN]
    ]
    if count > _FAILURES_SHOWN:
        lines.append(f"  ... and {count - _FAILURES_SHOWN} more")
    return "\n".join(lines)
