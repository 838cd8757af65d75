"""What tests of the program do time and again, and a chain of three tasks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from click.testing import Result

from butler_core import Butler

CHAIN = """\
description: Tasks that follow one another
instrument: Cam
tasks:
  clean: chain_tasks.CleanTask
  find: chain_tasks.FindTask
  sum: chain_tasks.SumTask
"""
EVERY = {"clean": 4, "find": 4, "sum": 2}


def ran(result: Result | str) -> dict[str, int]:
    """Return how many quanta of each task succeeded in a run."""
    lines = (result if isinstance(result, str) else result.stdout).splitlines()
    begin = next((n for n, line in enumerate(lines) if line.split()[:1] == ["task"]), len(lines))
    found = {}
    for line in lines[begin + 2 :]:
        words = line.split()
        if len(words) < 3 or not words[1].isdigit():
            break
        found[words[0]] = int(words[1])
    return found


def reasons(result: Result | str) -> list[str]:
    """Return what was said of why quanta run."""
    lines = (result if isinstance(result, str) else result.stdout).splitlines()
    begin = lines.index("Why quanta run:") + 1 if "Why quanta run:" in lines else len(lines)
    return [line.strip() for line in lines[begin:] if re.match(r"  \w+: ", line)]


def numbers(repo: Path, name: str, collections: str = "out") -> dict[Any, int]:
    """Return the numbers in datasets of a type, as they are found in a chain, by data ID."""
    with Butler(repo) as butler:
        found = butler.query_datasets(name, [collections], find_first=True)
        return {tuple(ref.data_id.required.values()): butler.get(ref)["number"] for ref in found}


def runs_of(repo: Path, name: str) -> set[str]:
    with Butler(repo) as butler:
        return {ref.run for ref in butler.query_datasets(name, ["out"], find_first=True)}


def replace_raw(repo: Path, exposure: int, detector: int, counts: int) -> None:
    """Put another frame in the place of one, or where there was none."""
    data_id = {"instrument": "Cam", "exposure": exposure, "detector": detector}
    with Butler(repo, writeable=True) as butler:
        found = butler.find_dataset("raw", data_id, collections="Cam/raw/all")
        if found is not None:
            butler.prune_datasets([found], unstore=True, purge=True)
        butler.put({"exposure": exposure, "counts": counts}, "raw", data_id, run="Cam/raw/all")


def one_error(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert "This is a bug" not in result.output
    said = " ".join(result.stderr.split())
    for part in parts:
        assert part in said


def well(result: Result) -> Result:
    """Require that a command went well; return its result."""
    assert result.exit_code == 0, result.output
    return result


def n_datasets(repo: Path, name: str) -> int:
    with Butler(repo) as butler:
        return len(list(butler.query_datasets(name, ["out/1"])))
