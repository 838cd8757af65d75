"""Repositories for the tests of butler_core: an empty one, and one with a small world in it."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from butler_core import Butler, CollectionType, DatasetType, Timespan


@pytest.fixture(scope="session")
def world() -> SimpleNamespace:
    """Return the plain rows of ``small_world.py``."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "small_world.py")))


def native_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a plain row with its region and timespan as objects."""
    from butler_core.region import polygon

    row = dict(row)
    if row.get("region") is not None:
        row["region"] = polygon(row["region"])
    if "timespan" in row:
        row["timespan"] = Timespan.from_times(*row["timespan"])
    return row


def fill_records(butler: Butler, world: SimpleNamespace) -> None:
    for element, rows in world.elements().items():
        butler.insert_dimension_data(element, *map(native_row, rows))


def fill_datasets(butler: Butler, world: SimpleNamespace) -> None:
    """Register the world's datasets, which have no files, and its collections."""
    registry = butler.repository.registry
    for name, dimensions, is_calibration in world.DATASET_TYPES:
        butler.register_dataset_type(
            DatasetType.of(
                name, dimensions, "StructuredDataDict", universe=butler.dimensions,
                is_calibration=is_calibration,
            )
        )  # fmt: skip
    keys: dict[tuple[str, str], list[int]] = {}
    for name, run, data_ids in [*world.datasets(), ("refcat", "refcats", reference_pixels(world))]:
        butler.collections.register(run)
        registered = registry.dataset_types.get(name)
        columns = {n: [d[n] for d in data_ids] for n in registered.dataset_type.dimensions.required}
        keys[name, run] = registry.datasets.insert(
            registered, registry.collections.get(run), columns
        ).keys
    for name, kind in world.COLLECTIONS:
        butler.collections.register(name, CollectionType[kind])
    for name, children in world.CHAINS.items():
        butler.collections.redefine_chain(name, children)
    for name, run, step in world.TAGGED:
        registry.memberships.associate(
            registry.dataset_types.get(name),
            registry.collections.get("tag"),
            keys[name, run][::step],
        )
    for collection, name, run, below, (begin, end) in world.CERTIFIED:
        registry.memberships.certify(
            registry.dataset_types.get(name),
            registry.collections.get(collection),
            keys[name, run][:below],
            Timespan.from_times(begin, end),
        )


def reference_pixels(world: SimpleNamespace) -> list[dict[str, int]]:
    from butler_core.region import circle, skypix_envelope

    pixels = {
        pixel
        for lon, lat in world.REFERENCE_POINTS
        for pixel in skypix_envelope(circle(lon, lat, 0.5), "htm", 7).tolist()
    }
    return [{"htm7": pixel} for pixel in sorted(pixels)]


@pytest.fixture(scope="session")
def filled_root(
    tmp_path_factory: pytest.TempPathFactory, world: SimpleNamespace, registries: Any
) -> Path:
    """Return a closed repository with the small world in it; copy it before writing to it."""
    root = tmp_path_factory.mktemp("filled") / "repo"
    with registries.create(root) as butler:
        fill_records(butler, world)
        fill_datasets(butler, world)
    return root


@pytest.fixture(scope="session")
def records_root(
    tmp_path_factory: pytest.TempPathFactory, world: SimpleNamespace, registries: Any
) -> Path:
    """Return a closed repository with the small world's records and nothing else."""
    root = tmp_path_factory.mktemp("records") / "repo"
    with registries.create(root) as butler:
        fill_records(butler, world)
    return root


@pytest.fixture(scope="session")
def filled(
    filled_root: Path, tmp_path_factory: pytest.TempPathFactory, registries: Any
) -> Iterator[Butler]:
    """Return a butler of the small world, for reading."""
    root = tmp_path_factory.mktemp("read") / "repo"
    registries.copy(filled_root, root)
    with Butler(root) as butler:
        yield butler


@pytest.fixture
def writeable_world(filled_root: Path, tmp_path: Path, registries: Any) -> Iterator[Butler]:
    """Return a butler of a copy of the small world."""
    registries.copy(filled_root, tmp_path / "repo")
    with Butler(tmp_path / "repo", writeable=True) as butler:
        yield butler


@pytest.fixture(scope="session")
def types_root(
    tmp_path_factory: pytest.TempPathFactory, records_root: Path, registries: Any
) -> Path:
    """Return a closed repository with the small world's records and dataset types to put."""
    root = tmp_path_factory.mktemp("types") / "repo"
    registries.copy(records_root, root)
    with Butler(root, writeable=True) as butler:
        for name, dimensions, is_calibration in (
            ("metric", ("instrument", "visit", "detector"), False),
            ("frame", ("instrument", "exposure", "detector"), False),
            ("bias", ("instrument", "detector"), True),
            ("summary", (), False),
        ):
            butler.register_dataset_type(
                DatasetType.of(
                    name, dimensions, "StructuredDataDict", universe=butler.dimensions,
                    is_calibration=is_calibration,
                )
            )  # fmt: skip
    return root


@pytest.fixture
def make_butler(
    records_root: Path, tmp_path: Path, registries: Any
) -> Iterator[Callable[..., Butler]]:
    """Return a function that opens a copy of the repository with records and nothing else."""
    yield from _opener(registries, records_root, tmp_path / "repo")


def _opener(registries: Any, template: Path, root: Path) -> Iterator[Callable[..., Butler]]:
    registries.copy(template, root)
    opened: list[Butler] = []

    def make(**kwargs: Any) -> Butler:
        opened.append(Butler(root, **{"writeable": True, **kwargs}))
        return opened[-1]

    yield make
    for butler in opened:
        butler.close()


@pytest.fixture
def open_butler(
    types_root: Path, tmp_path: Path, registries: Any
) -> Iterator[Callable[..., Butler]]:
    """Return a function that opens a copy of the repository with records and dataset types."""
    yield from _opener(registries, types_root, tmp_path / "repo")


@pytest.fixture
def butler(open_butler: Callable[..., Butler]) -> Butler:
    """Return a butler that writes to ``run/1``."""
    return open_butler(run="run/1")
