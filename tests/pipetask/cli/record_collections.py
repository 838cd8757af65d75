"""Records what the peer's ``pipetask`` makes of the steps in ``collection_steps.py``.

Not a test; run once by hand, with the peer's Python: ``python record_collections.py``. Writes
``recorded_collections.json``: for each step whether it went well, and all collections after it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from collection_steps import CHAINS, RUNS, STORIES, TIDYING

FRAME = ("instrument", "detector")


def make_task() -> None:
    import lsst.pipe.base as pb
    from lsst.pipe.base import connectionTypes as ct

    declared = {
        "frame": ct.Input("frame", storageClass="StructuredDataDict", dimensions=FRAME, doc="-"),
        "made": ct.Output("copy", storageClass="StructuredDataDict", dimensions=FRAME, doc="-"),
    }
    connections = types.new_class(
        "CopyConnections",
        (pb.PipelineTaskConnections,),
        {"dimensions": FRAME},
        lambda body: body.update(declared),
    )
    config = types.new_class(
        "CopyConfig", (pb.PipelineTaskConfig,), {"pipelineConnections": connections}
    )
    members = {
        "ConfigClass": config,
        "_DefaultName": "copy",
        "run": lambda self, frame: pb.Struct(made=frame),
    }
    module = types.ModuleType("peer_tasks")
    module.CopyTask = type("CopyTask", (pb.PipelineTask,), members)  # type: ignore[attr-defined]
    module.CopyTask.__module__ = "peer_tasks"
    config.__module__ = connections.__module__ = "peer_tasks"
    sys.modules["peer_tasks"] = module


def make_repository(root: Path) -> Any:
    from lsst.daf.butler import Butler, CollectionType, DatasetType

    Butler.makeRepo(str(root))
    butler = Butler.from_config(str(root), writeable=True)
    camera = {"name": "Cam", "visit_max": 9, "exposure_max": 9, "detector_max": 9}
    butler.registry.insertDimensionData("instrument", {**camera, "class_name": "no.such.Camera"})
    for i in (0, 1):
        butler.registry.insertDimensionData(
            "detector", {"instrument": "Cam", "id": i, "full_name": f"D{i}", "purpose": "SCIENCE"}
        )
    butler.registry.registerDatasetType(
        DatasetType("frame", FRAME, "StructuredDataDict", universe=butler.dimensions)
    )
    for run in RUNS:
        put_frames(butler, run)
    for name, children in CHAINS.items():
        butler.collections.register(name, CollectionType.CHAINED)
        butler.collections.redefine_chain(name, children)
    return butler


def put_frames(butler: Any, run: str) -> None:
    butler.collections.register(run)
    for i in (0, 1):
        butler.put({"run": run}, "frame", instrument="Cam", detector=i, run=run)


def state(root: Path) -> dict[str, Any]:
    """Return collections: a chain's children, or a run's number of copies, and of copies stored."""
    from lsst.daf.butler import Butler

    butler = Butler.from_config(str(root))
    found: dict[str, Any] = {}
    for info in butler.collections.query_info("*", include_chains=True):
        if info.type.name == "CHAINED":
            found[info.name] = list(info.children)
            continue
        refs = []
        if butler.registry.queryDatasetTypes("copy"):
            refs = list(butler.registry.queryDatasets("copy", collections=info.name))
        found[info.name] = [len(refs), sum(butler.stored_many(refs).values())]
    butler.close()
    return found


def run_peer(args: list[str]) -> tuple[bool, str]:
    from click.testing import CliRunner
    from lsst.ctrl.mpexec.cli.pipetask import cli

    result = CliRunner().invoke(cli, args)
    return result.exit_code == 0, result.output.strip().rpartition("\n")[2]


def record_story(steps: list[str]) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repo"
        make_repository(root).close()
        recorded = []
        for step in steps:
            args = ["run", "-b", str(root), "-t", "peer_tasks.CopyTask:copy"]
            went_well, message = run_peer([*args, "--register-dataset-types", *step.split()])
            recorded.append({"step": step, "went_well": went_well, "after": state(root)})
            print(step, went_well, "" if went_well else message, file=sys.stderr)
    return recorded


def record_tidying(made: dict[str, list[str] | None], steps: list[str]) -> list[Any]:
    from lsst.daf.butler import CollectionType

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repo"
        butler = make_repository(root)
        for name, children in made.items():
            if children is None:
                put_frames(butler, name)
            else:
                butler.collections.register(name, CollectionType.CHAINED)
                butler.collections.redefine_chain(name, children)
        butler.close()
        recorded = []
        for step in steps:
            command, *rest = step.split()
            went_well, message = run_peer([command, "-b", str(root), "--no-confirm", *rest])
            recorded.append({"step": step, "went_well": went_well, "after": state(root)})
            print(step, went_well, "" if went_well else message, file=sys.stderr)
    return recorded


if __name__ == "__main__":
    make_task()
    answers = {name: record_story(steps) for name, steps in STORIES.items()}
    answers |= {name: record_tidying(*what) for name, what in TIDYING.items()}
    text = json.dumps(answers, indent=1, sort_keys=True)
    (Path(__file__).parent / "recorded_collections.json").write_text(text + "\n")
