"""Results of rows, kept as one JSON file each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from row import Row
from runner import medians_of

_MACHINE = "machine.json"
_FOLDER = "rows"


def save(folder: Path, row: Row, scale: str, results: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Write what a row's cases gave, with what was required, and return it."""
    medians = medians_of(results)
    written = {
        "name": row.name,
        "group": row.group,
        "title": row.title,
        "backend": row.backend,
        "scale": scale,
        "cases": [
            {
                "name": case.name,
                "side": case.step.side,
                "workload": case.step.workload,
                "parameters": dict(case.step.parameters),
                "shows": case.shows or row.shows,
                "medians": medians[case.name],
                "runs": results[case.name],
            }
            for case in row.cases
        ],
        "requirements": _requirements(row, medians),
    }
    path = folder / _FOLDER / f"{row.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return written


def _requirements(row: Row, medians: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for requirement in row.requirements:
        number = requirement.found(medians)
        found.append(
            {
                "value": requirement.value,
                "text": requirement.text,
                "at_least": requirement.at_least,
                "at_most": requirement.at_most,
                "found": number,
                "is_met": requirement.is_met(number),
            }
        )
    return found


def load(folder: Path, names: list[str]) -> list[dict[str, Any]]:
    """Return the last results of rows, in the order of their names; some may have none."""
    paths = [folder / _FOLDER / f"{name}.json" for name in names]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def save_machine(folder: Path, facts: dict[str, str]) -> None:
    """Write what the machine is; what was known before and is not now stays."""
    path = folder / _MACHINE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(load_machine(folder) | facts, indent=1) + "\n", encoding="utf-8")


def load_machine(folder: Path) -> dict[str, str]:
    """Return what the machine is, or nothing if that was never written."""
    path = folder / _MACHINE
    if not path.exists():
        return {}
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return known
