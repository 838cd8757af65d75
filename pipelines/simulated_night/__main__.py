"""``python -m pipelines.simulated_night DIR``: the command line.

Parses options and prints a table. Everything else is ``night``'s.
"""

from __future__ import annotations

from pathlib import Path

import click

from butler_core.errors import ButlerError
from pipelines.simulated_night.night import NightReport, write_night
from pipelines.simulated_night.night_plan import NightSettings, PlannedExposure

_DEFAULTS = NightSettings()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=_DEFAULTS.seed, show_default=True, help="Root of all randomness.")
@click.option(
    "--science",
    default=_DEFAULTS.n_science,
    show_default=True,
    help="Number of science exposures, g and r by turns.",
)
@click.option(
    "--calibrations",
    default=_DEFAULTS.n_calibrations,
    show_default=True,
    help="Number of biases, of darks, and of flats in each band.",
)
@click.option(
    "--rows",
    default=_DEFAULTS.n_rows,
    show_default=True,
    help="Rows read about the detector's mid-line; even; 4000 for full frames.",
)
@click.option(
    "-j",
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of processes.",
)
def main(
    directory: Path, *, seed: int, science: int, calibrations: int, rows: int, processes: int
) -> None:
    """Write a simulated LATISS night into DIR.

    DIR/raw/2021-07-07 gets the raw files (science exposures match
    20210707003*), DIR/truth what they were made from, DIR/refcats a sharded
    reference catalogue and the table that `butler ingest-files` takes. The
    same options give the same bytes. DIR must be empty or hold this very night.
    """
    try:
        settings = NightSettings(
            seed=seed, n_science=science, n_calibrations=calibrations, n_rows=rows
        )
        report = write_night(directory, settings, n_processes=processes)
    except ButlerError as error:
        raise click.ClickException(str(error)) from error
    click.echo(_table(report))
    if report.was_there:
        click.echo(f"{directory} holds this night already; nothing was simulated.")


def _table(report: NightReport) -> str:
    """Summarize a night, one line a kind of exposure."""
    groups: dict[tuple[str, str, float], list[PlannedExposure]] = {}
    for exposure in report.exposures:
        key = (exposure.image_type.value, exposure.physical_filter, exposure.exposure_s)
        groups.setdefault(key, []).append(exposure)
    lines = [f"{'kind':<7}{'filter':<19}{'time/s':>6}{'frames':>8}  first to last"]
    for (kind, glass, exposure_s), members in groups.items():
        span = f"{members[0].exposure_id} to {members[-1].exposure_id}"
        lines.append(f"{kind:<7}{glass:<19}{exposure_s:>6.1f}{len(members):>8}  {span}")
    megabytes = sum(path.stat().st_size for path in report.raw_files()) / 1e6
    lines.append(f"{len(report.exposures)} raw files, {megabytes:.1f} MB, in {report.folder}/raw")
    trixels = ", ".join(map(str, report.trixels))
    lines.append(f"reference catalogue in {report.folder}/refcats, htm7 {trixels}")
    return "\n".join(lines)


if __name__ == "__main__":
    main(prog_name="python -m pipelines.simulated_night")
