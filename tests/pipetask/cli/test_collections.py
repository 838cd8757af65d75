"""Which collections come of a run: compared with what the peer's program made of the same steps."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from butler_core import Butler, CollectionType

HERE = Path(__file__).parent
STEPS: dict[str, Any] = runpy.run_path(str(HERE / "collection_steps.py"))
RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    (HERE / "recorded_collections.json").read_text()
)

Run = Callable[..., Result]

#: Steps that end otherwise than the peer's, and whether they go well here. The chains that follow
#: in the same story are compared with the peer's all the same, unless these say otherwise.
DIFFERENT: dict[tuple[str, str], bool] = {
    # Nothing left to do is no failure.
    ("a run and no chain", "-i in/a --output-run alone --extend-run"): True,
    ("extending", "-o out --extend-run"): True,
    ("extending", "-i in/a -o out --extend-run"): True,
    ("extending", "-o out --output-run out/1 --extend-run"): True,
}


def put_frames(butler: Butler, run: str) -> None:
    """Make a run of two frames of no exposure."""
    for detector in (0, 1):
        butler.put({"run": run}, "frame", instrument="Cam", detector=detector, run=run)


def make_collections(butler: Butler, wanted: dict[str, list[str] | None]) -> None:
    for name, children in wanted.items():
        if children is None:
            put_frames(butler, name)
        else:
            butler.collections.register(name, CollectionType.CHAINED)
            butler.collections.redefine_chain(name, children)


def state(repo: Path) -> dict[str, Any]:
    """Return collections: a chain's children, or a run's number of copies, and of copies stored."""
    found: dict[str, Any] = {}
    with Butler(repo) as butler:
        is_known = butler.repository.registry.dataset_types.find("copy") is not None
        for info in butler.collections.query_info("*"):
            if info.type is CollectionType.CHAINED:
                found[info.name] = list(info.children)
                continue
            refs = list(butler.query_datasets("copy", [info.name])) if is_known else []
            found[info.name] = [len(refs), sum(butler.exists(ref) for ref in refs)]
    return {name: value for name, value in found.items() if name not in ("Cam/raw/all", "empty")}


@pytest.fixture(scope="module")
def repo_with_frames(pristine_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("collections") / "repo"
    shutil.copytree(pristine_repo, root)
    with Butler(root, writeable=True) as butler:
        make_collections(butler, {**dict.fromkeys(STEPS["RUNS"]), **STEPS["CHAINS"]})
    return root


@pytest.fixture
def own_repo(repo_with_frames: Path, tmp_path: Path) -> Path:
    root = tmp_path / "own"
    shutil.copytree(repo_with_frames, root)
    return root


def run_step(run: Run, repo: Path, step: str) -> Result:
    task = ["-t", "toy_tasks.CopyTask:copy", "--register-dataset-types"]
    return run("run", "-b", repo, *task, *step.split())


@pytest.mark.parametrize("story", sorted(STEPS["STORIES"]))
def test_runs_make_the_peers_collections(own_repo: Path, run: Run, story: str) -> None:
    before = state(own_repo)
    for recorded in RECORDED[story]:
        step = recorded["step"]

        result = run_step(run, own_repo, step)

        after = state(own_repo)
        assert (result.exit_code == 0) is DIFFERENT.get((story, step), recorded["went_well"]), (
            step,
            result.output,
        )
        assert after == recorded["after"], step
        assert result.exit_code == 0 or after == before
        before = after


@pytest.mark.parametrize("story", sorted(STEPS["TIDYING"]))
def test_tidying_leaves_the_peers_collections(own_repo: Path, run: Run, story: str) -> None:
    made, _ = STEPS["TIDYING"][story]
    with Butler(own_repo, writeable=True) as butler:
        make_collections(butler, made)

    for recorded in RECORDED[story]:
        command, *rest = recorded["step"].split()
        result = run(command, "-b", own_repo, "--no-confirm", *rest)

        assert (result.exit_code == 0) is recorded["went_well"], result.output
        assert state(own_repo) == recorded["after"]
