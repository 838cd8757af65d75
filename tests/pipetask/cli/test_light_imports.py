"""Building a graph of the real pipelines pays for no science library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pipelines

#: Libraries that tasks compute with; each takes a second or two to import.
SCIENCE = ("ccdproc", "photutils", "reproject", "scipy", "matplotlib", "astropy.modeling")

CODE = f"""
import sys
from butler_core import Butler
from pipetask.cli import main

repo, pipeline = sys.argv[1:]
Butler.create(repo).close()
sys.argv = ["pipetask", "qgraph", "-b", repo, "-p", pipeline, "-i", "none", "-o", "out"]
from butler_core import CollectionType
with Butler(repo, writeable=True) as butler:
    butler.collections.register("none", CollectionType.RUN)
try:
    main()
except SystemExit as end:
    assert end.code == 1, end.code
print([name for name in {SCIENCE!r} if name in sys.modules])
"""


def test_a_graph_is_asked_for_without_science_libraries(tmp_path: Path) -> None:
    pipeline = Path(next(iter(pipelines.__path__))) / "latiss/night.yaml"

    result = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "repo"), str(pipeline)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    # The tasks were imported and the graph came out empty: there are no data.
    assert "the graph has no quanta" in result.stderr
    assert result.stdout == "[]\n"
