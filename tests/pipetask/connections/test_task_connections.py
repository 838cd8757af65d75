"""Connections classes: declaration, names, changes in ``__init__``, quanta."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from butler_core.errors import DatasetNotFoundError
from pipetask import connectionTypes as cT
from pipetask.connections import (
    InitOutput,
    Input,
    Output,
    PipelineTaskConnections,
    PrerequisiteInput,
    iter_connections,
)
from pipetask.errors import NoWorkFound, TaskConnectionError

DETECTOR = ("instrument", "exposure", "detector")


class IsrConnections(
    PipelineTaskConnections, dimensions=DETECTOR, default_templates={"coaddName": "deep"}
):
    raw = Input("raw", "Exposure", dimensions=DETECTOR)
    dark = PrerequisiteInput(
        "dark", "Exposure", dimensions=("instrument", "detector"), is_calibration=True
    )
    refs = PrerequisiteInput("gaia", "Table", dimensions=("htm7",), multiple=True, minimum=2)
    exposure = Output("{coaddName}ISR", "Exposure", dimensions=DETECTOR)
    schema = InitOutput("schema", "Table")

    def __init__(self, *, config: Any = None) -> None:
        if config is not None and not config.do_dark:
            del self.dark


def config(**names: str) -> SimpleNamespace:
    chosen = {n: c.name for n, c in IsrConnections.all_connections.items()}
    connections = SimpleNamespace(**{**chosen, "coaddName": "deep", **names})
    return SimpleNamespace(connections=connections, do_dark=True)


def test_groups_hold_names_in_the_order_of_declaration() -> None:
    assert list(IsrConnections.prerequisite_inputs) == ["dark", "refs"]
    assert list(IsrConnections().all_connections) == ["raw", "dark", "refs", "exposure", "schema"]
    assert IsrConnections.init_outputs == {"schema"}


def test_rubins_spellings_of_groups_are_the_same_groups() -> None:
    connections = IsrConnections()

    assert connections.prerequisiteInputs is connections.prerequisite_inputs
    assert IsrConnections.allConnections == IsrConnections.all_connections
    assert IsrConnections.defaultTemplates == {"coaddName": "deep"}


def test_class_written_with_rubins_spellings_is_equal() -> None:
    class Ported(
        PipelineTaskConnections, dimensions=DETECTOR, defaultTemplates={"coaddName": "deep"}
    ):
        raw = cT.Input(
            name="raw", doc="", storageClass="Exposure", dimensions=DETECTOR, deferLoad=True
        )
        dark = cT.PrerequisiteInput(
            name="dark", storageClass="Exposure", isCalibration=True, lookupFunction=min
        )

    assert Ported.raw == Input("raw", "Exposure", dimensions=DETECTOR, deferred=True)
    assert Ported.raw.deferLoad
    assert Ported.dark.lookupFunction is min


def test_names_are_filled_from_templates_and_configuration() -> None:
    assert IsrConnections().exposure.name == "deepISR"
    assert IsrConnections(config=config(coaddName="good")).exposure.name == "goodISR"
    assert IsrConnections(config=config(exposure="post_{coaddName}")).exposure.name == "post_deep"


def test_configured_name_with_unknown_template_is_refused() -> None:
    with pytest.raises(TaskConnectionError, match=r"no template 'coadName'. Did you mean 'coaddN"):
        IsrConnections(config=config(exposure="{coadName}", raw="{"))


def test_component_is_told_from_dataset_type() -> None:
    wcs = Input("raw.wcs", "Wcs", dimensions=DETECTOR)

    assert (wcs.dataset_type_name, wcs.component) == ("raw", "wcs")
    assert IsrConnections.raw.component is None


def test_deleted_connection_is_gone_from_the_instance_only() -> None:
    chosen = config()
    chosen.do_dark = False

    connections = IsrConnections(config=chosen)

    assert "dark" not in connections.prerequisite_inputs
    assert "dark" not in connections.all_connections
    assert IsrConnections.dark.name == "dark"
    with pytest.raises(AttributeError, match=r"'dark' of 'IsrConnections' has been removed"):
        _ = connections.dark


def test_connection_can_be_removed_through_its_group_or_replaced_or_added() -> None:
    class Changed(IsrConnections):
        def __init__(self, *, config: Any = None) -> None:
            self.prerequisiteInputs.remove("dark")
            self.raw = PrerequisiteInput("raw2", "Exposure", dimensions=DETECTOR)
            self.extra = Output("extra", "Table", dimensions=("exposure",))
            self.dimensions.remove("detector")

    connections = Changed()

    assert connections.inputs == set()
    assert connections.prerequisite_inputs == {"raw", "refs"}
    assert connections.outputs == {"exposure", "extra"}
    assert connections.raw.name == "raw2"
    assert list(connections.dimensions) == ["exposure", "instrument"]
    assert "detector" in Changed.dimensions


def test_instance_is_frozen_after_init() -> None:
    connections = IsrConnections()

    with pytest.raises(TaskConnectionError, match=r"change in __init__ only"):
        connections.raw = Input("x", "Y")
    with pytest.raises(TaskConnectionError, match=r"change in __init__ only"):
        del connections.raw
    with pytest.raises(AttributeError):
        connections.inputs.add("x")


def test_faulty_connection_set_in_init_is_reported() -> None:
    class Faulty(IsrConnections):
        def __init__(self, *, config: Any = None) -> None:
            self.more = Input("more", "Table", minimum=3)
            self.inputs.add("ghost")

    with pytest.raises(TaskConnectionError, match=r"(?s)minimum=3 needs.*names 'ghost'"):
        Faulty()


def test_every_fault_of_a_declaration_is_reported_at_once() -> None:
    with pytest.raises(TaskConnectionError) as caught:

        class Faulty(PipelineTaskConnections, dimensionz=("exposure",)):
            raw = Input("{coadd}raw", "", dimensions="exposure")
            inputs = Input("a", "B", minimum=2)
            out = Output("a.wcs", "B")
            bad = Input("{", "B", dimensions=("a", 3))

    text = str(caught.value)
    for fault in (
        "'dimensionz' is no class keyword. Did you mean 'dimensions'?",
        "dimensions are missing",
        "raw: storage_class must be the name",
        "raw: dimensions must be a collection of names, not 'exposure'",
        "template 'coadd', which default_templates gives no value",
        "inputs: minimum=2 needs multiple=True",
        "inputs: a connection cannot be called 'inputs'",
        "out: 'a.wcs' is a component",
        "bad: dimensions holds 3",
        "bad: '{' is no template",
    ):
        assert fault in text


def test_unknown_keyword_of_a_connection_names_the_near_one() -> None:
    with pytest.raises(TaskConnectionError, match=r"'is_calib'. Did you mean 'is_calibration'"):
        PrerequisiteInput("bias", "Exposure", is_calib=True)
    with pytest.raises(TaskConnectionError, match=r"'deferred' is given twice"):
        Input("raw", "Exposure", deferred=True, deferLoad=True)


def test_subclass_inherits_and_overrides_and_removes() -> None:
    class Child(IsrConnections, default_templates={"coaddName": "good"}):
        dark = None
        raw = Input("raw3", "Exposure", dimensions=DETECTOR)

    assert "dark" not in Child.all_connections
    assert Child().raw.name == "raw3"
    assert Child().exposure.name == "goodISR"
    assert Child.dimensions == set(DETECTOR)


def test_instance_survives_pickling() -> None:
    connections = pickle.loads(pickle.dumps(IsrConnections()))

    assert connections.inputs == {"raw"}
    assert connections.all_connections == IsrConnections().all_connections


def test_iter_connections_goes_through_the_groups_named() -> None:
    connections = IsrConnections()

    assert [n for n, _ in iter_connections(connections, "inputs", "outputs")] == ["raw", "exposure"]
    assert len(list(iter_connections(connections))) == 5


def test_quantum_without_regular_input_has_no_work() -> None:
    connections = IsrConnections()

    with pytest.raises(NoWorkFound, match=r"isr.raw .'raw'. of quantum .* needs 1 and 0"):
        connections.adjust_quantum({"raw": (connections.raw, [])}, {}, "isr", {"exposure": 3})


def test_quantum_without_prerequisite_fails() -> None:
    connections = IsrConnections()

    with pytest.raises(DatasetNotFoundError, match=r"isr.refs .* needs 2 and 1 were found"):
        connections.adjust_quantum({"refs": (connections.refs, ["a"])}, {}, "isr", {})


def test_quantum_with_several_datasets_for_one_is_refused() -> None:
    connections = IsrConnections()

    with pytest.raises(TaskConnectionError, match=r"takes one dataset and 2 were found: a, b"):
        connections.adjust_quantum({}, {"exposure": (connections.exposure, "ab")}, "isr", {})


@pytest.mark.parametrize("spelling", ["adjust_quantum", "adjustQuantum"])
def test_adjust_quantum_answers_to_both_spellings(spelling: str) -> None:
    def adjust(self: Any, inputs: Any, outputs: Any, label: str, data_id: Any) -> Any:
        getattr(super(Child, self), spelling)(inputs, outputs, label, data_id)
        return {"raw": inputs["raw"]}, {}

    Child = type(IsrConnections)("Child", (IsrConnections,), {spelling: adjust})
    connections = Child()
    inputs = {"raw": (connections.raw, ["a"])}

    assert connections.adjust_quantum(inputs, {}, "isr", {}) == (inputs, {})
    assert connections.adjustQuantum(inputs, {}, "isr", {}) == (inputs, {})


def test_deprecated_connection_warns_where_it_is_used() -> None:
    class Old(PipelineTaskConnections, dimensions=()):
        gone = Input("gone", "Table", deprecated="Use 'here', after v2.")

    with pytest.warns(FutureWarning, match=r"'gone' .* of 'Old': Use 'here'"):
        Old()
