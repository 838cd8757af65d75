"""The ``butler`` command lines that are timed, as both programs take them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import world
from actor import Setting, program
from clock import time_program

#: What each line of the table has but its heading: the name of a run.
_ROW = re.compile(r"\brun\d")


def query_collections(setting: Setting, repository: Path) -> dict[str, Any]:
    """List the collections of an empty repository."""
    run = time_program([program("butler"), "query-collections", str(repository)], setting.folder)
    return run.facts(n=1)


def query_datasets(setting: Setting, repository: Path) -> dict[str, Any]:
    """List all datasets of a chain, shadowed ones too."""
    run = time_program(
        [
            *(program("butler"), "query-datasets", str(repository), "raw"),
            *("--collections", world.CHAIN, "--limit", "0"),
        ],
        setting.folder,
    )
    n_rows = sum(_ROW.search(line) is not None for line in run.output.splitlines())
    return run.facts(n=n_rows, n_rows=n_rows)
