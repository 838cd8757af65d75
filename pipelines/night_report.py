"""``python -m pipelines.night_report REPO COLLECTION``: what a night came to.

Reads the visit summaries, the notes that quanta left and, for a picture, the
images of one visit; prints tables. Measures nothing and changes nothing. The
same collection gives the same report, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from butler_core.cli.table_text import Sheet, aligned_lines
from butler_core.datasets.collection import CollectionType
from butler_core.errors import ButlerError, DatasetNotFoundError

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler
    from pipelines.night_picture import NightPicture

_SUMMARY, _CATALOGUE = "visitSummary", "calibratedSrc"


@dataclass(frozen=True)
class VisitRow:
    """One detector of one visit."""

    #: Instrument, visit and detector.
    data_id: dict[str, Any]
    band: str
    #: Full width at half maximum of the PSF [arcsec].
    seeing_arcsec: float
    #: AB magnitude of one electron per second, and its error [mag].
    zero_point_mag: float
    zero_point_err_mag: float
    #: Median sky of a pixel [electron/s].
    sky_electrons_per_s: float
    n_sources: int
    #: Residual to the reference in one axis [arcsec].
    astrometric_rms_arcsec: float


@dataclass(frozen=True)
class TaskCount:
    """How many quanta of a task have run."""

    label: str
    #: Those that left metadata: what they did, they did to the end.
    n_succeeded: int
    #: Those that left a log and no metadata.
    n_failed: int


def read_visits(butler: Butler, collection: str) -> list[VisitRow]:
    """Return a row for each detector of each visit, by visit and detector.

    Raises
    ------
    DatasetNotFoundError
        If the collection has no visit summary.
    """
    rows = [
        _visit_row(dict(ref.data_id.mapping), row)
        for ref in butler.query_datasets(_SUMMARY, collection)
        for row in butler.get(ref)
    ]
    if not rows:
        raise DatasetNotFoundError(
            f"no {_SUMMARY!r} in {collection!r}: did visit_summary run? `butler query-collections` "
            "lists the collections there are."
        )
    return sorted(rows, key=lambda row: tuple(row.data_id.values()))


def _visit_row(data_id: dict[str, Any], row: Any) -> VisitRow:
    return VisitRow(
        data_id={
            "instrument": data_id["instrument"],
            "visit": data_id["visit"],
            "detector": int(row["detector"]),
        },
        band=str(row["band"]),
        seeing_arcsec=float(row["seeing_arcsec"]),
        zero_point_mag=float(row["zero_point"]),
        zero_point_err_mag=float(row["zero_point_err"]),
        sky_electrons_per_s=float(row["sky_electrons_per_s"]),
        n_sources=int(row["n_sources"]),
        astrometric_rms_arcsec=float(row["astrometric_rms_arcsec"]),
    )


def count_quanta(butler: Butler, collection: str) -> list[TaskCount]:
    """Count the quanta whose notes are in a collection, by task in the order they can run.

    A quantum that was blocked or cancelled leaves no note, and is not counted.
    """
    runs = butler.collections.query(collection, CollectionType.RUN, flatten_chains=True)
    counts = []
    for label in _labels(butler, runs):
        done = _data_ids(butler, f"{label}_metadata", runs)
        logged = _data_ids(butler, f"{label}_log", runs)
        if done or logged:
            counts.append(TaskCount(label, len(done), len(logged - done)))
    return counts


def _labels(butler: Butler, runs: list[str]) -> list[str]:
    """Return the labels of all tasks known: of those in the runs' graphs in order, then others."""
    from pipetask.quantum_graph import QuantumGraph

    labels: dict[str, None] = {}
    for run in runs:
        folder = butler.repository.datastore.root / run / "graphs"
        for path in sorted(folder.glob("*.qg")):
            with QuantumGraph.open(path) as graph:
                labels.update(dict.fromkeys(task.label for task in graph.tasks))
    names = [known.dataset_type.name for known in butler.repository.registry.dataset_types.all()]
    notes = [name for name in sorted(names) if name.endswith(("_metadata", "_log"))]
    return list(labels | dict.fromkeys(name.rpartition("_")[0] for name in notes))


def _data_ids(butler: Butler, name: str, runs: list[str]) -> set[Any]:
    if butler.repository.registry.dataset_types.find(name) is None:
        return set()
    return {ref.data_id for ref in butler.query_datasets(name, runs)}


def quanta_sheet(counts: list[TaskCount]) -> Sheet:
    """Lay out the counts of quanta."""
    return Sheet(
        {
            "task": [count.label for count in counts],
            "quanta": [count.n_succeeded + count.n_failed for count in counts],
            "succeeded": [count.n_succeeded for count in counts],
            "failed": [count.n_failed for count in counts],
        }
    )


def visit_sheet(rows: list[VisitRow]) -> Sheet:
    """Lay out the visits; the header names the units."""
    columns: dict[str, list[Any]] = {"visit": [row.data_id["visit"] for row in rows]}
    if len({row.data_id["detector"] for row in rows}) > 1:
        columns["detector"] = [row.data_id["detector"] for row in rows]
    return Sheet(
        {
            **columns,
            "band": [row.band for row in rows],
            "seeing [arcsec]": [f"{row.seeing_arcsec:.3f}" for row in rows],
            "zero point [mag]": [
                f"{row.zero_point_mag:.4f} ± {row.zero_point_err_mag:.4f}" for row in rows
            ],
            "sky [electron/s]": [f"{row.sky_electrons_per_s:.3f}" for row in rows],
            "sources": [row.n_sources for row in rows],
            "astrometric rms [arcsec]": [f"{row.astrometric_rms_arcsec:.4f}" for row in rows],
        }
    )


def choose_row(rows: list[VisitRow], visit: int | None) -> VisitRow:
    """Return the visit to show: the one wanted, or the one with the best seeing.

    Raises
    ------
    DatasetNotFoundError
        If there is no such visit.
    """
    wanted = [row for row in rows if visit in (None, row.data_id["visit"])]
    if not wanted:
        known = ", ".join(str(row.data_id["visit"]) for row in rows)
        raise DatasetNotFoundError(f"no summary of visit {visit}; there are those of {known}")
    return min(wanted, key=lambda row: (row.seeing_arcsec, *row.data_id.values()))


def gather_picture(
    butler: Butler, collection: str, rows: list[VisitRow], shown: VisitRow
) -> NightPicture:
    """Read what the picture shows."""
    from pipelines.night_picture import NightPicture, VisitPoint

    return NightPicture(
        title=f"visit {shown.data_id['visit']}, detector {shown.data_id['detector']}, {shown.band}",
        raw=_first_raw(butler, collection, shown).data,
        reduced=butler.get("calexp", shown.data_id, collections=collection).data,
        sources=butler.get("src", shown.data_id, collections=collection),
        visits=tuple(
            VisitPoint(row.band, row.seeing_arcsec, row.zero_point_mag, row.zero_point_err_mag)
            for row in rows
        ),
        pulls_by_band={
            band: _pulls(butler, collection, [row for row in rows if row.band == band])
            for band in sorted({row.band for row in rows})
        },
    )


def _first_raw(butler: Butler, collection: str, shown: VisitRow) -> Any:
    """Return the raw exposure of a visit, the first if there are several."""
    found = butler.query_datasets("raw", collection, data_id=shown.data_id, order_by="exposure")
    if not found:
        raise DatasetNotFoundError(
            f"no 'raw' for {shown.data_id} in {collection!r}; name a chain that holds the raws, too"
        )
    return butler.get(next(iter(found)))


def _pulls(butler: Butler, collection: str, rows: list[VisitRow]) -> Any:
    from pipelines.night_picture import flux_pulls

    return flux_pulls([butler.get(_CATALOGUE, row.data_id, collections=collection) for row in rows])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("repo")
@click.argument("collection")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to draw one visit, raw and reduced, and the night's quality (PNG).",
)
@click.option(
    "--visit", type=int, help="The visit to draw; the one with the best seeing if left out."
)
@click.option(
    "--dpi",
    type=click.IntRange(min=20),
    default=150,
    show_default=True,
    help="Resolution of the picture [pixels per inch]; it is 14 inches wide.",
)
def main(repo: str, collection: str, *, picture: Path | None, visit: int | None, dpi: int) -> None:
    """Print what became of each task's quanta in COLLECTION, and what each visit is like."""
    from butler_core.butler.butler import Butler

    try:
        with Butler(repo, writeable=False) as butler:
            rows, counts = read_visits(butler, collection), count_quanta(butler, collection)
            _print(quanta_sheet(counts), visit_sheet(rows))
            if picture is not None:
                shown = choose_row(rows, visit)
                _draw(gather_picture(butler, collection, rows, shown), picture, dpi)
                click.echo(f"\n{picture} shows visit {shown.data_id['visit']}.")
    except ButlerError as error:
        raise click.ClickException(str(error)) from error


def _print(*sheets: Sheet) -> None:
    click.echo("\n\n".join("\n".join(aligned_lines(sheet)) for sheet in sheets))


def _draw(night: NightPicture, path: Path, dpi: int) -> None:
    from pipelines.night_picture import draw_night

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_night(night, path, dpi=dpi)
    except OSError as error:
        raise click.FileError(str(path), hint=str(error.strerror or error)) from error


if __name__ == "__main__":
    main(prog_name="python -m pipelines.night_report")
