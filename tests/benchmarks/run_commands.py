"""Command lines that run the survey's quantum graphs, as both programs take them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import graph_commands
import world
from actor import Setting, program
from clock import ProgramRun, time_program


def marginal(
    setting: Setting,
    repository: Path,
    *,
    few: int,
    many: int,
    command: tuple[str, ...] = ("run",),
    options: tuple[str, ...] = (),
    graph_options: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Run graphs of two sizes by command line; return what one more quantum costs, and the start.

    Parameters
    ----------
    few, many
        Exposures of the two graphs.
    command
        ``run``, or ``run-qbb``.
    """
    runs = {
        n: _timed(setting, repository, n, command[0], options, graph_options) for n in (few, many)
    }
    n_quanta = {n: n * world.N_DETECTORS for n in runs}
    more = n_quanta[many] - n_quanta[few]
    each_s = (runs[many].seconds - runs[few].seconds) / more
    return runs[many].facts(
        n=more, ms_each=1000 * each_s, start_s=runs[few].seconds - n_quanta[few] * each_s,
        n_quanta=n_quanta[many],
    )  # fmt: skip


def _timed(
    setting: Setting,
    repository: Path,
    n_exposures: int,
    command: str,
    options: tuple[str, ...],
    graph_options: tuple[str, ...],
) -> ProgramRun:
    graph = build(setting, repository, "isr", n_exposures, *graph_options)
    words = ["-b", str(repository), "-g", str(graph), "--register-dataset-types"]
    if command == "run-qbb":
        _call("pre-exec-init-qbb", repository, graph)
        words = [str(repository), str(graph)]
    return time_program([program("pipetask"), command, *words, *options], setting.folder)


def build(
    setting: Setting, repository: Path, pipeline: str, n_exposures: int, *options: str
) -> Path:
    """Build the graph of so many exposures, whose time is nobody's; return its file."""
    graph = setting.folder / f"{n_exposures}.qg"
    _call(
        "qgraph", "-b", repository, "-p", graph_commands.PIPELINES / f"{pipeline}.yaml",
        "-i", world.RAW_RUN, "--output-run", f"u/{setting.folder.name}/{n_exposures}", "-q", graph,
        "-d", graph_commands.condition(pipeline, n_exposures), *options,
    )  # fmt: skip
    return graph


def _call(*words: object) -> None:
    """Run a program whose time is nobody's."""
    done = subprocess.run(
        [program("pipetask"), *map(str, words)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"pipetask {' '.join(map(str, words))} failed:\n{done.stderr[-2000:]}")
