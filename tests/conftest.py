"""Fixtures shared by every test."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

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
