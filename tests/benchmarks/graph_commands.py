"""Command lines that build the survey's quantum graphs, as both programs take them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import world
from actor import Setting, program
from clock import time_program

PIPELINES = Path(__file__).parent / "pipelines"


def build_timed(
    setting: Setting, repository: Path, side: str, *, pipeline: str, n_exposures: int
) -> dict[str, Any]:
    """Build a graph by command line, start-up included, and count it in another process."""
    graph = setting.folder / "graph.qg"
    run = time_program(
        [
            *(program("pipetask"), "qgraph", "-b", str(repository)),
            *("-p", str(PIPELINES / f"{pipeline}.yaml"), "-i", world.RAW_RUN),
            *("--output-run", "u/bench", "-q", str(graph), "-d", condition(pipeline, n_exposures)),
        ],
        setting.folder,
    )
    counted = subprocess.run(
        [sys.executable, "-m", f"{side}.count_graph", str(graph)],
        check=True,
        capture_output=True,
        text=True,
    )
    n_quanta, n_edges = map(int, counted.stdout.split()[-2:])
    return run.facts(
        n=n_quanta, n_quanta=n_quanta, n_edges=n_edges, file_mb=graph.stat().st_size / 1e6
    )


def condition(pipeline: str, n_exposures: int) -> str:
    """Return the data query for so many exposures."""
    found = f"instrument='{world.CAMERA}' AND exposure <= {n_exposures}"
    return found + (f" AND skymap='{world.SKY_MAP}'" if pipeline == "full" else "")
