from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    text: str = runpy.run_path(str(DOCS / "make_cli_reference.py"))["reference"]()
    return text


def test_reference_is_current(page: str) -> None:
    written = (DOCS / "cli.md").read_text(encoding="utf-8")

    assert written == page, "run `python docs/make_cli_reference.py`"


def test_reference_says_something_of_every_option(page: str) -> None:
    lines = [line for line in page.splitlines() if line.startswith("- `")]

    assert not [line for line in lines if line.endswith(":")]
