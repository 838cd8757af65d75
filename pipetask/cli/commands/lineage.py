"""``butler lineage``: what a dataset was made from, and what was made from it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from butler_core.cli.parameters import split_commas
from butler_core.cli.subcommand import DocumentedArgument, Subcommand

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from pipetask.report.lineage import Lineage


@click.command("lineage", cls=Subcommand)
@click.argument(
    "repo", cls=DocumentedArgument, doc="REPO is a data repository: directory, file, or label."
)
@click.argument(
    "dataset", cls=DocumentedArgument, doc="DATASET is a dataset's id, or the name of its type."
)
@click.argument(
    "data_id",
    cls=DocumentedArgument,
    nargs=-1,
    metavar="[KEY=VALUE ...]",
    doc="KEY=VALUE are parts of its data ID, if DATASET is a type.",
)
@click.option(
    "--collections",
    multiple=True,
    callback=split_commas,
    metavar="COLLECTION ...",
    help="Where a dataset that is given by type is searched.",
)
@click.option("--back", "direction", flag_value="back", help="Only what it was made from.")
@click.option("--forward", "direction", flag_value="forward", help="Only what was made from it.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write everything as JSON to a file, or for - to stdout instead of the text.",
)
def lineage(
    repo: str,
    dataset: str,
    data_id: tuple[str, ...],
    collections: tuple[str, ...],
    direction: str | None,
    json_file: Path | None,
) -> None:
    """Say what a dataset was made from, back to the raws, and what was made from it."""
    from butler_core.butler.butler import Butler
    from pipetask.report.lineage import LineageFinder, all_runs

    with Butler(repo) as butler:
        start = _dataset_id(butler, dataset, data_id, collections)
        with LineageFinder(butler.repository, all_runs(butler.repository)) as finder:
            found = finder.find(start, back=direction != "forward", forward=direction != "back")
    if json_file is not None:
        with click.open_file(str(json_file), "w") as stream:
            stream.write(json.dumps(found.to_json(), indent=1) + "\n")
    if str(json_file) != "-":
        for line in _lines(found, direction):
            click.echo(line)


def _dataset_id(
    butler: Butler, dataset: str, parts: tuple[str, ...], collections: tuple[str, ...]
) -> uuid.UUID:
    """Return the id of the dataset that is meant.

    Raises
    ------
    DatasetNotFoundError
        If there is none.
    """
    from butler_core.errors import DatasetNotFoundError

    try:
        id_ = uuid.UUID(dataset)
    except ValueError:
        if not collections:
            raise click.UsageError(
                f"{dataset!r} is no dataset's id; for the name of a type, give --collections too"
            ) from None
        found = butler.find_dataset(dataset, _data_id(parts), collections=list(collections))
        if found is None:
            raise DatasetNotFoundError(
                f"there is no {dataset!r} for {_data_id(parts)} in {', '.join(collections)}"
            ) from None
        return found.id
    if parts:
        raise click.UsageError("KEY=VALUE goes with the name of a type, not with an id")
    if not butler.repository.registry.datasets.find_ids([id_.bytes]):
        raise DatasetNotFoundError(f"there is no dataset with the id {id_}")
    return id_


def _data_id(parts: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        name, mark, value = part.partition("=")
        if not mark:
            raise click.UsageError(f"a data ID takes KEY=VALUE, not {part!r}")
        found[name] = int(value) if value.lstrip("-").isdigit() else value
    return found


def _lines(found: Lineage, direction: str | None) -> Iterator[str]:
    """Return the lineage as two trees."""
    yield _name(found, found.start)
    if direction != "forward":
        yield "made from:" if found.sources.get(found.start) else "made from nothing that is known"
        yield from _tree(found, found.sources, found.start, 1, set())
    if direction != "back":
        yield "made into:" if found.products.get(found.start) else "nothing was made from it"
        yield from _tree(found, found.products, found.start, 1, set())


def _tree(
    found: Lineage,
    links: Mapping[uuid.UUID, tuple[uuid.UUID, ...]],
    id_: uuid.UUID,
    depth: int,
    shown: set[uuid.UUID],
) -> Iterator[str]:
    for other in links.get(id_, ()):
        is_known = other in shown and bool(links.get(other))
        yield "  " * depth + _name(found, other) + (" (as above)" if is_known else "")
        if other not in shown:
            shown.add(other)
            yield from _tree(found, links, other, depth + 1, shown)


def _name(found: Lineage, id_: uuid.UUID) -> str:
    ref, maker = found.refs[id_], found.makers.get(id_)
    values = ", ".join(f"{name}: {value!r}" for name, value in ref.data_id.required.items())
    by = f" by {maker.task_label}" if maker is not None else ""
    return f"{ref.dataset_type.name} {{{values}}} in {ref.run}{by}"
