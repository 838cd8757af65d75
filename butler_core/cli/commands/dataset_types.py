"""``butler register-dataset-type``, ``remove-dataset-type`` and ``query-dataset-types``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from butler_core.datasets.dataset_type import DatasetType


@click.command("register-dataset-type", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("dataset_type", "DATASET_TYPE is its name; components have none of their own.")
@parameters.argument(
    "storage_class", "STORAGE_CLASS is what its datasets are in memory, such as ArrowAstropy."
)
@parameters.argument(
    "dimensions",
    "DIMENSIONS are those of its data IDs; there may be none.",
    nargs=-1,
    callback=parameters.split_commas,
)
@click.option(
    "--is-calibration/--no-is-calibration",
    default=False,
    help="Whether its datasets may be certified into CALIBRATION collections.",
)
def register_dataset_type(
    repo: str,
    dataset_type: str,
    storage_class: str,
    dimensions: tuple[str, ...],
    is_calibration: bool,
) -> None:
    """Register a dataset type."""
    from butler_core.cli.opening import open_for_writing
    from butler_core.datasets.dataset_type import DatasetType

    with open_for_writing(repo) as butler:
        wanted = DatasetType.of(
            dataset_type,
            dimensions,
            storage_class,
            universe=butler.dimensions,
            is_calibration=is_calibration,
        )
        is_new = butler.register_dataset_type(wanted)
    click.echo(
        "Dataset type successfully registered."
        if is_new
        else "Dataset type already existed in identical form."
    )


@click.command("remove-dataset-type", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument(
    "dataset_type_name",
    "DATASET_TYPE_NAME is a name or a pattern; several may be given.",
    nargs=-1,
    required=True,
    callback=parameters.split_commas,
)
def remove_dataset_type(repo: str, dataset_type_name: tuple[str, ...]) -> None:
    """Forget dataset types of which no dataset exists."""
    from butler_core.cli.opening import open_for_writing

    with open_for_writing(repo) as butler:
        types = butler.repository.registry.dataset_types
        names = [found.dataset_type.name for found in types.resolve(dataset_type_name)]
        if not names:
            raise click.UsageError(
                f"no dataset type matches {', '.join(map(repr, dataset_type_name))}"
            )
        with butler.transaction():
            for name in names:
                types.remove(name)
    click.echo(
        f"Removed {'dataset type' if len(names) == 1 else 'dataset types'} {', '.join(names)}."
    )


@click.command("query-dataset-types", cls=Subcommand)
@parameters.repo_argument()
@parameters.globs_argument("dataset types")
@click.option("-v", "--verbose", is_flag=True, help="Show dimensions and storage class too.")
@parameters.collections_option("Show only types of which one of these collections has a dataset.")
@parameters.format_option()
def query_dataset_types(
    repo: str, glob: tuple[str, ...], verbose: bool, collections: tuple[str, ...], form: str
) -> None:
    """List the dataset types in a repository."""
    from butler_core.cli.opening import open_for_reading
    from butler_core.cli.printing import print_reasons, print_sheet
    from butler_core.cli.table_text import Sheet

    with open_for_reading(repo) as butler:
        types = [
            registered.dataset_type
            for registered in butler.repository.registry.dataset_types.resolve(glob or ("*",))
        ]
        if collections:
            held = _held_in(butler, collections)
            types = [dataset_type for dataset_type in types if dataset_type.name in held]
        columns: dict[str, list[Any]] = {"name": [dataset_type.name for dataset_type in types]}
        if verbose:
            columns |= _details(types, is_text=form == "table")
        print_sheet(Sheet(columns, is_left_aligned=True), form)
        if not types:
            where = f" in {', '.join(collections)}" if collections else ""
            print_reasons(
                [f"no dataset type{where} matches {', '.join(map(repr, glob or ('*',)))}"]
            )


def _held_in(butler: Butler, collections: tuple[str, ...]) -> set[str]:
    from butler_core.queries.holdings import dataset_types_by_collection

    registry = butler.repository.registry
    held = dataset_types_by_collection(registry)
    searched = registry.collections.flatten(collections)
    return {name for collection in searched for name in held[collection.name]}


def _details(types: list[DatasetType], *, is_text: bool) -> dict[str, list[Any]]:
    dimensions = [list(dataset_type.dimensions.names) for dataset_type in types]
    storage_classes = [dataset_type.storage_class for dataset_type in types]
    if is_text:
        return {
            "dimensions": [str(names) for names in dimensions],
            "storage class": storage_classes,
        }
    return {
        "dimensions": dimensions,
        "storage_class": storage_classes,
        "is_calibration": [dataset_type.is_calibration for dataset_type in types],
    }
