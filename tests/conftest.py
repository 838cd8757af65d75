"""Fixtures shared by every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of real files named by ``BUTLER_TEST_DATA``."""
    folder = os.environ.get("BUTLER_TEST_DATA")
    if not folder:
        pytest.skip("BUTLER_TEST_DATA does not name the folder of real test files")
    path = Path(folder)
    assert path.is_dir(), f"BUTLER_TEST_DATA={folder!r} is not a directory"
    return path.resolve()
