"""What the peer's butler says of a repository that is not its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from butler_core import Butler

_SCRIPT = "import sys; from lsst.daf.butler import Butler; Butler.from_config(sys.argv[1])"


def test_the_peer_names_the_class_it_does_not_know(tmp_path: Path) -> None:
    Butler.create(tmp_path / "repo").close()

    done = subprocess.run(
        [os.environ["BUTLER_PEER_PYTHON"], "-c", _SCRIPT, str(tmp_path / "repo")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "unknown Butler class butler_core.Butler" in done.stderr
