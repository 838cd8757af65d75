"""What a task's connections may change about a quantum before it runs."""

from __future__ import annotations

import uuid

import pytest

from butler_core import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse
from butler_core.datastore.file_record import FileRecord
from pipetask import (
    Input,
    NoWorkFound,
    Output,
    PipelineTaskConfig,
    PipelineTaskConnections,
)
from pipetask.execution import worker
from pipetask.execution.quantum_work import (
    InputConnectionWork,
    InputDataset,
    OutputConnectionWork,
    OutputDataset,
    QuantumWork,
)

DIMENSIONS = ("instrument", "detector")


class HalvingConnections(PipelineTaskConnections, dimensions=("instrument",)):
    frames = Input("frame", "StructuredDataDict", dimensions=DIMENSIONS, multiple=True)
    sum = Output("sum", "StructuredDataDict", dimensions=("instrument",))

    def adjust_quantum(self, inputs, outputs, label, data_id):
        super().adjust_quantum(inputs, outputs, label, data_id)
        connection, refs = inputs["frames"]
        return {"frames": (connection, [r for r in refs if r.data_id["detector"] % 2 == 0])}, {}


class HalvingConfig(PipelineTaskConfig, connections=HalvingConnections):
    pass


def ref(name: str, **values: object) -> DatasetRef:
    universe = DimensionUniverse.default()
    data_id = DataCoordinate.standardize(values, universe=universe)
    dataset_type = DatasetType(name, data_id.group, "StructuredDataDict")
    return DatasetRef(dataset_type, data_id, "run", uuid.uuid4())


def work(n_frames: int) -> QuantumWork:
    frames = tuple(
        InputDataset(
            ref("frame", instrument="Cam", detector=i),
            FileRecord("x", "json", "StructuredDataDict"),
        )
        for i in range(n_frames)
    )
    total = ref("sum", instrument="Cam")
    return QuantumWork(
        0,
        uuid.uuid4(),
        "halve",
        total.data_id,
        (InputConnectionWork("frames", frames, "StructuredDataDict", None, True, False, 1, False),),
        (OutputConnectionWork("sum", (OutputDataset(total, "sum"),), "StructuredDataDict", False),),
    )


def test_connections_can_leave_inputs_out() -> None:
    connections = HalvingConnections(config=HalvingConfig())

    inputs, outputs = worker._refs(connections, work(5))

    assert [r.data_id["detector"] for r in inputs.frames] == [0, 2, 4]
    assert outputs.sum.dataset_type.name == "sum"


def test_too_few_inputs_are_no_work() -> None:
    connections = HalvingConnections(config=HalvingConfig())

    with pytest.raises(NoWorkFound, match="needs 1 and 0 were found"):
        worker._refs(connections, work(0))
