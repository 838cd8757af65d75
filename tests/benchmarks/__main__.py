"""Runs benchmarks and writes their page: ``python tests/benchmarks [ROW ...]``.

A row is given by its name, its group (``graph``, ``ingest``, ...) or its backend (``sqlite``,
``postgresql``); without any, all are run. ``BUTLER_PEER_PYTHON`` names the Python of the peer's
environment, ``BUTLER_TEST_POSTGRES_URL`` a server to use instead of starting one.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import sys
from pathlib import Path

import machine
import report
import results
from row import Row
from rows import BACKENDS, all_rows
from runner import MeasurementError, Programs, Runner
from scale import SCALES, Scale
from servers import Server

ROOT = Path(__file__).parents[2]
_BUILD = ROOT / "build" / "benchmarks"
_PAGE = ROOT / "docs" / "performance.md"
_PEER = "BUTLER_PEER_PYTHON"


def main() -> int:
    """Do what the command line says; return 1 if a row could not be measured."""
    options = _parser().parse_args()
    scale = _scale(options)
    rows = all_rows(scale)
    if options.list:
        print("\n".join(f"{row.name:32} {row.group:10} {row.title}" for row in rows))
        return 0
    chosen = _chosen(rows, options.rows, options.backend)
    _require_peer(chosen)
    folder = options.results if scale.name == "full" else options.results / scale.name
    failed = _run(chosen, scale, folder, options)
    found = results.load(folder, [row.name for row in rows])
    place = options.page or (_PAGE if scale.name == "full" else folder / "performance.md")
    place.write_text(report.page(found, results.load_machine(folder)), encoding="utf-8")
    print(f"{place}: {len(found)} rows")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", help="names or groups of rows; all if none is given")
    parser.add_argument("--list", action="store_true", help="list the rows and run none")
    parser.add_argument("--scale", choices=SCALES, default="full", help="how large the work is")
    parser.add_argument("--backend", choices=BACKENDS, help="rows of one backend alone")
    parser.add_argument("--repeats", type=int, help="measure each case so often; 3 by default")
    parser.add_argument("--datasets", type=int, help="datasets of the row 'large'")
    parser.add_argument("--results", type=Path, default=_BUILD, help="where results are kept")
    parser.add_argument("--page", type=Path, help="where the page goes")
    parser.add_argument("--work", type=Path, help="where repositories are made, and kept")
    return parser


def _scale(options: argparse.Namespace) -> Scale:
    scale = SCALES[options.scale]
    return dataclasses.replace(scale, n_large=options.datasets) if options.datasets else scale


def _chosen(rows: list[Row], words: list[str], backend: str | None) -> list[Row]:
    unknown = [word for word in words if not any(row.is_called(word) for row in rows)]
    if unknown:
        sys.exit(f"no row is called {', '.join(unknown)}; --list shows all")
    return [
        row
        for row in rows
        if not words or any(row.is_called(word) for word in words)
        if backend is None or row.backend == backend
    ]


def _require_peer(rows: list[Row]) -> None:
    """Stop at once if the peer will be asked and is not known."""
    sides = {case.step.side for row in rows for case in row.cases}
    if "peer" in sides and not os.environ.get(_PEER):
        sys.exit(f"{_PEER} is not set: it names the Python of the peer's environment")


def _run(rows: list[Row], scale: Scale, folder: Path, options: argparse.Namespace) -> bool:
    """Run rows and keep their results; return whether any failed."""
    work = options.work or folder / "work"
    peer = os.environ.get(_PEER)
    server = Server()
    runner = Runner(work.absolute(), Programs(sys.executable, peer), server, _say)
    has_failed = False
    try:
        for row in rows:
            _say(row.name)
            wanted = dataclasses.replace(row, repeats=options.repeats or row.repeats)
            try:
                kept = results.save(folder, wanted, scale.name, runner.run(wanted))
            except MeasurementError as error:
                _say(f"  {error}")
                has_failed = True
                continue
            for requirement in kept["requirements"]:
                _say(f"  {report.requirement_text(requirement)}")
        results.save_machine(folder, machine.facts(peer, server.version()))
    finally:
        server.close()
        runner.close()
        # What was made on a server is gone with its schemas.
        shutil.rmtree(work / "postgresql" if options.work else work, ignore_errors=True)
    return has_failed


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
