"""Runs one workload of one side in this process, and prints its result as JSON.

A side is a package here (``ours``, ``peer``, ``floor``); a workload is a function of one of its
modules, named ``module.function``, that takes a `Setting` and its own parameters.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setting:
    """Where a workload works."""

    #: Its folder: empty at first. What a preparation leaves there is kept.
    folder: Path
    #: Folders of the preparations it needs, by name.
    needs: dict[str, Path]
    #: Schemas of these preparations on the server, by name.
    schemas: dict[str, str]
    #: URL of the PostgreSQL server, or None where repositories are to use SQLite.
    server: str | None
    #: Name of the schema that a new repository is to use on that server.
    schema: str

    @classmethod
    def parse(cls, written: dict[str, Any]) -> Setting:
        """Read what the runner wrote."""
        needs = {name: Path(place) for name, place in written["needs"].items()}
        return cls(
            Path(written["folder"]),
            needs,
            written["schemas"],
            written["server"],
            written["schema"],
        )


def main(side: str) -> None:
    """Run the workload that the command line names: ``module.function SETTING PARAMETERS``."""
    name, setting, parameters = sys.argv[1:]
    module, _, function = name.rpartition(".")
    workload = getattr(importlib.import_module(f"{side}.{module}"), function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = workload(Setting.parse(json.loads(setting)), **json.loads(parameters))
    print(json.dumps(result or {}))


def program(name: str) -> str:
    """Return the path of a program of this Python's environment."""
    return str(Path(sys.executable).with_name(name))
