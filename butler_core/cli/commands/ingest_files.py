"""``butler ingest-files``: takes existing files in as datasets, by a table of them."""

from __future__ import annotations

import logging

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.dataset_id import DatasetIdMode
from butler_core.datastore.transfer_mode import TransferMode

_LOG = logging.getLogger(__name__)


@click.command("ingest-files", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "dataset_type", "DATASET_TYPE is that of all the files; it must be registered."
)
@parameters.argument(
    "run", "RUN is the RUN collection that the datasets go to; it is made if it is not there."
)
@parameters.argument(
    "table_file",
    "TABLE_FILE is a table that astropy can read (ECSV, CSV, FITS, ...): files in its first "
    "column, values of dimensions in the others, which have the dimensions' names. The dimension "
    "records must be there already.",
)
@click.option(
    "--formatter", help="What reads the files, by name; the dataset type's own if not given."
)
@click.option(
    "--id-generation-mode",
    type=click.Choice([mode.value for mode in DatasetIdMode], case_sensitive=False),
    default=DatasetIdMode.UNIQUE.value,
    show_default=True,
    callback=lambda _, __, value: DatasetIdMode(value.lower()),
    help="How datasets get their ids: new ones, or such as follow from type and data ID, and run, "
    "and are the same in every repository.",
)
@parameters.names_option(
    "--data-id", help="DIMENSION=VALUE that holds for all files; wins over a column of the table."
)
@click.option(
    "--prefix", help="Where relative paths in the table start; the working directory if not given."
)
@parameters.track_file_attrs_option()
@parameters.transfer_option()
def ingest_files(
    repo: str,
    dataset_type: str,
    run: str,
    table_file: str,
    formatter: str | None,
    id_generation_mode: DatasetIdMode,
    data_id: tuple[str, ...],
    prefix: str | None,
    track_file_attrs: bool,
    transfer: TransferMode,
) -> None:
    """Ingest files listed in a table."""
    from butler_core.cli.file_table import parse_data_id, read_file_table
    from butler_core.cli.opening import open_for_writing
    from butler_core.repository import ingest

    with open_for_writing(repo) as butler:
        if formatter:
            butler.repository.datastore.formatter_named(formatter)
        wanted = butler.get_dataset_type(dataset_type)
        fixed = parse_data_id(data_id, butler.dimensions)
        table = read_file_table(table_file, wanted, fixed, prefix)
        ingest.ingest_files(
            butler.repository,
            ingest.IngestRequest(
                dataset_type=wanted.name,
                run=run,
                paths=table.paths,
                columns=table.columns,
                mode=transfer,
                id_mode=id_generation_mode,
                formatter=formatter,
                track_file_attrs=track_file_attrs,
            ),
        )
        _LOG.info(
            "ingested %d %r datasets from %d files into %r",
            len(table.paths), dataset_type, len(set(table.paths)), run,
        )  # fmt: skip
