"""Which collections come of a run: compared with what the peer's program made of the same steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from butler_core import Butler, CollectionType

HERE = Path(__file__).parent
RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    (HERE / "recorded_collections.json").read_text()
)

Run = Callable[..., Result]


def test_it(repo, run):
    import runpy
    st = runpy.run_path(str(HERE / "collection_steps.py"))
    import conftest
