"""Builds quantum graphs with the peer middleware; run by its own Python.

``peer_graphs.py CASE [FOLDER OF REAL FILES]`` prints one JSON list: for each graph of the case the
quanta and edges as texts, or the error that the peer refuses it with.
"""

from __future__ import annotations

import json
import sys
import tempfile
import types
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pipetask" / "importable"))

from graph_cases import Build, Case, case, edge_of, text_of
from graph_specs import Connection, Task
from graph_world import World


def main() -> None:
    warnings.simplefilter("ignore")
    data = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    found = case(sys.argv[1], data)
    with tempfile.TemporaryDirectory() as folder:
        butler = _filled(found, str(Path(folder) / "peer"))
        answers = []
        for number, build in enumerate(found.builds):
            try:
                answers.append(_answer(butler, build, number))
            except Exception as error:  # noqa: BLE001 - whatever the peer raises is its answer
                answers.append({"error": f"{type(error).__name__}: {error}"})
    print(json.dumps(answers))


# -------------------------------------------------------------------- repository
def _filled(found: Case, root: str):
    from lsst.daf.butler import Butler
    from lsst.daf.butler.transfers import YamlRepoImportBackend

    Butler.makeRepo(root)
    butler = Butler.from_config(root, writeable=True)
    for export in found.exports:
        with export.open(encoding="utf-8") as stream:
            backend = YamlRepoImportBackend(stream, butler)
            backend.register()
            backend.load(datastore=None)
    for element, rows in found.world.records.items():
        butler.registry.insertDimensionData(element, *map(_native, rows))
    _insert_datasets(butler, found.world)
    return butler


def _insert_datasets(butler, world: World) -> None:
    from lsst.daf.butler import CollectionType, DatasetType

    refs = {}
    for one in world.datasets:
        dataset_type = DatasetType(
            one.name, one.dimensions, one.storage_class, universe=butler.dimensions,
            isCalibration=one.is_calibration,
        )  # fmt: skip
        butler.registry.registerDatasetType(dataset_type)
        butler.collections.register(one.run)
        for ref in butler.registry.insertDatasets(dataset_type, one.data_ids, run=one.run):
            refs[one.name, one.run, tuple(sorted(ref.dataId.required.items()))] = ref
    for collection, name, run, data_id, begin, end in world.certified:
        butler.collections.register(collection, CollectionType.CALIBRATION)
        ref = refs[name, run, tuple(sorted(data_id.items()))]
        butler.registry.certify(collection, [ref], _timespan(begin, end))
    for name, children in world.chains.items():
        butler.collections.register(name, CollectionType.CHAINED)
        butler.collections.redefine_chain(name, children)


def _native(row: dict) -> dict:
    from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

    row = dict(row)
    if "region" in row:
        row["region"] = ConvexPolygon(
            [UnitVector3d(LonLat.fromDegrees(*corner)) for corner in row["region"]]
        )
    if "timespan" in row:
        row["timespan"] = _timespan(*row["timespan"])
    return row


def _timespan(begin: int, end: int):
    from lsst.daf.butler import Timespan

    return Timespan(None, None, _nsec=(begin, end))


# ------------------------------------------------------------------------ graphs
def _answer(butler, build: Build, number: int) -> dict:
    from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder
    from lsst.pipe.base.pipeline_graph import PipelineGraph

    pipeline = PipelineGraph()
    for task in build.tasks:
        pipeline.add_task(task.label, _task_class(f"{task.label}_{number}", task))
    builder = AllDimensionsQuantumGraphBuilder(
        pipeline, butler, where=build.where, input_collections=build.inputs,
        output_run=f"u/out{number}",
    )  # fmt: skip
    graph = builder.build(attach_datastore_records=False)
    quanta, edges = [], set()
    for node in graph:
        label, data_id = node.taskDef.label, dict(node.quantum.dataId.required)
        quanta.append(text_of(label, data_id))
        for side, groups in (("in", node.quantum.inputs), ("out", node.quantum.outputs)):
            for dataset_type, refs in groups.items():
                if dataset_type.name in (f"{label}_metadata", f"{label}_log"):
                    continue
                for ref in refs:
                    run = "made" if ref.run == f"u/out{number}" else ref.run
                    edges.add(
                        edge_of(
                            label, data_id, side, dataset_type.name, dict(ref.dataId.required), run
                        )
                    )
    return {"quanta": sorted(quanta), "edges": sorted(edges)}


def _task_class(name: str, task: Task) -> type:
    import lsst.pipe.base as peer
    import lsst.pipe.base.connectionTypes as kinds

    def shared(c: Connection) -> dict:
        return {"name": c.name, "doc": "d", "storageClass": c.storage_class, "dimensions": c.dimensions,
                "multiple": c.multiple}  # fmt: skip

    body = {"__module__": __name__}
    for key, c in task.inputs.items():
        body[key] = kinds.Input(**shared(c), minimum=c.minimum)
    for key, c in task.prerequisites.items():
        body[key] = kinds.PrerequisiteInput(
            **shared(c), minimum=c.minimum, isCalibration=c.is_calibration
        )
    for key, c in task.outputs.items():
        body[key] = kinds.Output(**shared(c))
    connections = types.new_class(
        f"{name}Connections", (peer.PipelineTaskConnections,),
        {"dimensions": set(task.dimensions)}, lambda space: space.update(body),
    )  # fmt: skip
    config = types.new_class(
        f"{name}Config", (peer.PipelineTaskConfig,), {"pipelineConnections": connections},
        lambda space: space.update({"__module__": __name__}),
    )  # fmt: skip
    made = type(name, (peer.PipelineTask,),
                {"__module__": __name__, "ConfigClass": config, "_DefaultName": task.label})  # fmt: skip
    globals()[name] = made
    return made


if __name__ == "__main__":
    main()
