"""Repositories to be disturbed, and what an undisturbed run makes of them."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from butler_core import Butler, DatasetType
from tests.faults.campaign import IMPORTABLE, PIPELINE, Campaign
from tests.registries import PostgresqlRegistries, Registries, SqliteRegistries

sys.path.insert(0, str(IMPORTABLE))

#: Set to ``all``, it asks for the whole suite rather than a sample.
VARIABLE = "FAULTS"


def is_whole() -> bool:
    """Return whether the whole suite is asked for."""
    return os.environ.get(VARIABLE) == "all"


def kinds() -> list[str]:
    """Return the kinds of databases to try."""
    return ["sqlite", "postgresql"] if is_whole() else ["sqlite"]


@dataclass(frozen=True)
class Undisturbed:
    """What comes of the pipeline if nothing happens."""

    results: dict[str, str]
    datasets: set[tuple[str, str]]


def make_world(registries: Registries, root: Path) -> None:
    """Make a repository with raws."""
    from graph_world import insert_records, make_world

    with registries.create(root) as butler:
        insert_records(butler, make_world(5, n_detectors=2, n_exposures=3))
        _put_raws(butler)


def _put_raws(butler: Butler) -> None:
    butler.register_dataset_type(
        DatasetType.of(
            "raw", ("exposure", "detector"), "StructuredDataDict", universe=butler.dimensions
        )
    )
    with butler.transaction():
        for exposure in (1, 2, 3):
            for detector in (0, 1):
                butler.put(
                    {"number": 10 * exposure + detector}, "raw", instrument="Cam",
                    exposure=exposure, detector=detector, run="raw/all",
                )  # fmt: skip


@pytest.fixture(scope="session")
def registries_by_kind(request: pytest.FixtureRequest) -> Callable[[str], Registries]:
    """Return a function that gives the registries of a kind; a server starts when first asked."""
    known: dict[str, Registries] = {"sqlite": SqliteRegistries()}

    def get(kind: str) -> Registries:
        if kind not in known:
            known[kind] = PostgresqlRegistries(request.getfixturevalue("postgres_server"))
        return known[kind]

    return get


@pytest.fixture(scope="session")
def worlds(
    tmp_path_factory: pytest.TempPathFactory, registries_by_kind: Callable[[str], Registries]
) -> Callable[[str], Path]:
    """Return a function that gives a repository of a kind, to be copied."""
    known: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in known:
            known[kind] = tmp_path_factory.mktemp("world") / "repo"
            make_world(registries_by_kind(kind), known[kind])
        return known[kind]

    return get


MakeCampaign = Callable[..., Campaign]


@pytest.fixture
def new_campaign(
    tmp_path: Path,
    worlds: Callable[[str], Path],
    registries_by_kind: Callable[[str], Registries],
) -> Iterator[MakeCampaign]:
    """Return a function that makes a campaign in a repository of its own."""

    def make(kind: str = "sqlite", *arguments: str, sleep_s: float = 0.0) -> Campaign:
        registries_by_kind(kind).copy(worlds(kind), tmp_path / "repo")
        pipeline = tmp_path / "pipeline.yaml"
        pipeline.write_text(PIPELINE % {"sleep_s": sleep_s}, encoding="utf-8")
        return Campaign(tmp_path / "repo", pipeline, arguments or ("-j", "2"))

    yield make
    shutil.rmtree(tmp_path / "repo", ignore_errors=True)


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, worlds: Callable[[str], Path]
) -> Undisturbed:
    """Return what an undisturbed run gives."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(worlds("sqlite"), folder / "repo")
    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(PIPELINE % {"sleep_s": 0.0}, encoding="utf-8")
    campaign = Campaign(folder / "repo", pipeline, ("-j", "1"))
    code, said = campaign.run()
    assert code == 0, said
    assert campaign.state_faults(is_done=True) == []
    return Undisturbed(campaign.results(), campaign.datasets())


@pytest.fixture
def require_done(undisturbed: Undisturbed) -> Callable[[Campaign], None]:
    """Return a function that continues a campaign and requires an undisturbed one's result."""

    def require(campaign: Campaign) -> None:
        assert campaign.state_faults(is_done=False) == []
        code, said = campaign.run()
        assert code == 0, said
        assert campaign.state_faults(is_done=True) == []
        assert campaign.results() == undisturbed.results
        assert campaign.datasets() == undisturbed.datasets

    return require


# ---------------------------------------------------------------------- counts
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often what was done to a run, and how often it ended as it should."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            if "/faults/" not in report.nodeid or getattr(report, "when", "call") != "call":
                continue
            function = report.nodeid.partition("::")[2]
            name, _, parameters = function.partition("[")
            database = "postgresql" if "postgres" in f"{parameters}{report.nodeid}" else "sqlite"
            counts[name, database, outcome] += 1
    if not counts:
        return
    terminalreporter.section("faults")
    for line in _count_lines(counts):
        terminalreporter.write_line(line)


def _count_lines(counts: Counter[tuple[str, str, str]]) -> Iterator[str]:
    yield "| what happened | database | ended as it should | did not |"
    yield "|---|---|---|---|"
    for name, database in dict.fromkeys((name, database) for name, database, _ in counts):
        bad = counts[name, database, "failed"] + counts[name, database, "error"]
        said = name.removeprefix("test_").replace("_", " ")
        yield f"| {said} | {database} | {counts[name, database, 'passed']} | {bad} |"
