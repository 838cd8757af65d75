"""Fixtures shared by every test."""

from __future__ import annotations

import os
import runpy
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is slow, which is no fault of the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real files named by ``BUTLER_TEST_DATA``."""
    folder = os.environ.get("BUTLER_TEST_DATA")
    if not folder:
        pytest.skip("BUTLER_TEST_DATA does not name the folder of real test files")
    path = Path(folder)
    assert path.is_dir(), f"BUTLER_TEST_DATA={folder!r} is not a directory"
    return path.resolve()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """Return a PostgreSQL server."""
    module = runpy.run_path(str(Path(__file__).with_name("postgres_server.py")))
    server = module["PostgresServer"].start(module["FAST"])
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def registries(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return what makes registries, once in SQLite files and once in PostgreSQL."""
    module = runpy.run_path(str(Path(__file__).with_name("registries.py")))
    if request.param == "sqlite":
        yield module["SqliteRegistries"]()
        return
    found = module["PostgresqlRegistries"](request.getfixturevalue("postgres_server"))
    yield found
    found.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="a test that is skipped counts as failed"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
    return report
