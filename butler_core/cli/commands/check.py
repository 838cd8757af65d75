"""``butler check``: compares files with records, and puts in order what does not match."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from butler_core.repository.finding import Repair

#: Exit code where something is wrong.
_WRONG = 1


@click.command("check", cls=Subcommand)
@parameters.repo_argument()
@click.option(
    "--checksums", is_flag=True, help="Read all files, too, and compare with their checksums."
)
@click.option(
    "--repair",
    "is_repairing",
    is_flag=True,
    help="Delete leftovers, move orphans and damaged files to the folder lost+found, and remove "
    "the records of missing and damaged files; the datasets stay registered.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all findings to FILE; only the first of each kind are printed.",
)
@click.pass_context
def check(
    ctx: click.Context, repo: str, checksums: bool, is_repairing: bool, json_file: Path | None
) -> None:
    """Find files that are missing, damaged or unknown.

    Exits with 1 if anything is wrong and was not repaired. Without --repair nothing is changed.
    """
    from butler_core.cli.finding_sheets import counts_line, print_findings
    from butler_core.cli.opening import open_for_reading, open_for_writing
    from butler_core.cli.progress import progress_bar
    from butler_core.repository.checking import check_repository
    from butler_core.repository.finding import Repair
    from butler_core.repository.repairing import repair

    if json_file is not None and not json_file.parent.is_dir():
        raise click.UsageError(f"--json {str(json_file)!r}: there is no such folder")
    with (open_for_writing if is_repairing else open_for_reading)(repo) as butler:
        with progress_bar("Checking") as report:
            found = check_repository(butler.repository, with_checksums=checksums, report=report)
        outcomes = [Repair(finding, "", is_done=False) for finding in found.findings]
        if is_repairing and outcomes:
            outcomes = list(repair(butler.repository, found))
    if json_file is not None:
        _write(json_file, outcomes)
    print_findings(outcomes)
    n_left = sum(not outcome.is_done for outcome in outcomes)
    if is_repairing and outcomes:
        click.echo(f"\n{len(outcomes) - n_left} of {len(outcomes)} findings repaired")
    elif outcomes:
        click.echo()
    click.echo(counts_line(found.counts))
    if n_left:
        ctx.exit(_WRONG)


def _write(path: Path, outcomes: Sequence[Repair]) -> None:
    from butler_core.cli.finding_sheets import program_sheet
    from butler_core.cli.table_text import json_lines

    text = "\n".join(json_lines([program_sheet(outcomes)]))
    path.write_text(f"{text}\n", encoding="utf-8")
