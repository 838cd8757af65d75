"""``butler import`` and ``export-calibs``: datasets from one repository to another by files."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datastore.transfer_mode import TransferMode

_LOG = logging.getLogger(__name__)


@click.command("import", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("directory", "DIRECTORY is where the datasets' files are.")
@parameters.transfer_option()
@click.option(
    "--export-file",
    default="export.yaml",
    show_default=True,
    help="The file that describes the datasets; looked for as it stands, then in DIRECTORY.",
)
@parameters.names_option(
    "-s",
    "--skip-dimensions",
    help="Dimensions whose records are not imported, since the repository has them.",
)
@parameters.track_file_attrs_option()
@click.option("--registry-only", is_flag=True, help="Register the datasets without their files.")
def import_datasets(
    repo: str,
    directory: str,
    transfer: TransferMode,
    export_file: str,
    skip_dimensions: tuple[str, ...],
    track_file_attrs: bool,
    registry_only: bool,
) -> None:
    """Import datasets that were exported from another repository."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.cli.progress import progress_bar
    from butler_core.transfer.import_file import ImportRequest, import_repository

    request = ImportRequest(
        directory=Path(directory),
        filename=Path(export_file),
        mode=transfer,
        skip_dimensions=frozenset(skip_dimensions),
        track_file_attrs=track_file_attrs,
        registry_only=registry_only,
    )
    with open_for_writing(repo) as butler:
        for name in skip_dimensions:
            _ = butler.dimensions[name]  # raises, with near misses, for a name that is none
        with progress_bar("Importing"):
            summary = import_repository(butler.repository, request)
    _LOG.info(
        "imported %d datasets with %d files, %d dimension records, %d collections, %d associations",
        summary.datasets,
        summary.files,
        sum(summary.records.values()),
        summary.collections,
        summary.associations,
    )


@click.command("export-calibs", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "directory", "DIRECTORY is a new or empty folder for the files and export.yaml."
)
@parameters.argument(
    "collections",
    "COLLECTIONS are CALIBRATION collections, chains that name some, or patterns; all if none are "
    "given.",
    nargs=-1,
    callback=parameters.split_commas,
)
@parameters.names_option(
    "-d",
    "--dataset-type",
    help="Dataset types, or patterns for them; all calibrations if not given.",
)
@parameters.transfer_option()
def export_calibs(
    repo: str,
    directory: str,
    collections: tuple[str, ...],
    dataset_type: tuple[str, ...],
    transfer: TransferMode,
) -> None:
    """Export certified calibrations for another repository."""
    from butler_core.cli.opening import open_for_reading
    from butler_core.cli.printing import print_sheet
    from butler_core.cli.progress import progress_bar
    from butler_core.cli.table_text import Sheet
    from butler_core.transfer.export_calibrations import export_calibs as export

    with open_for_reading(repo) as butler:
        with progress_bar("Exporting"):
            exported = export(
                butler.repository,
                Path(directory),
                collections,
                transfer=transfer,
                dataset_types=dataset_type,
            )
        print_sheet(Sheet(exported.columns), "table")
