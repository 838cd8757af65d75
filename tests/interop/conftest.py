"""The peer middleware, in a Python of its own, asked through a pipe.

Collected only when named: ``pytest tests/interop``.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from butler_core import Butler

HERE = Path(__file__).parent
_VARIABLE = "BUTLER_PEER_PYTHON"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests out unless the command line names them."""
    return None if any("interop" in argument for argument in config.args) else True


class PeerError(Exception):
    """The peer refused a question; the first argument is its error's class."""


@pytest.fixture(scope="session")
def peer() -> Iterator[Callable[[str, Any], Any]]:
    """Return a function that asks the peer: what, and the question's data."""
    python = os.environ.get(_VARIABLE)
    if not python:
        pytest.fail(
            f"{_VARIABLE} is not set: these tests need the Python of an environment in which "
            "lsst-daf-butler is installed",
            pytrace=False,
        )
    process = subprocess.Popen(
        [python, str(HERE / "peer_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(what: str, question: Any) -> Any:
        process.stdin.write(json.dumps([what, question]) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "error" in answer:
            raise PeerError(answer["error"], answer["message"])
        return answer["ok"]

    yield ask
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()


@pytest.fixture(scope="session")
def peer_error() -> type[PeerError]:
    """Return the class of the peer's refusals."""
    return PeerError


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Butler]:
    """Return our butler of the wide world that the peer has too."""
    shared = SimpleNamespace(**runpy.run_path(str(HERE.parent / "butler_core" / "conftest.py")))
    world = SimpleNamespace(**runpy.run_path(str(HERE.parent / "wide_world.py")))
    with Butler.create(tmp_path_factory.mktemp("ours") / "repo") as butler:
        shared.fill_records(butler, world)
        shared.fill_datasets(butler, world)
        yield butler
