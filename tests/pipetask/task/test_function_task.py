"""`@task`: functions as tasks."""

from __future__ import annotations

import importlib
import pickle
from typing import Annotated, Any

import pytest

import pipetask.task
from pipetask import Input, Output, PipelineTask, PrerequisiteInput, Struct, task
from pipetask.config_overrides import ValueOverride, apply_overrides
from pipetask.errors import TaskConnectionError, TaskError

EXPOSURE = ("instrument", "exposure")


@task(dimensions=EXPOSURE)
def flatten(
    raw: Annotated[Any, Input("raw", "Array", dimensions=EXPOSURE)],
    flat: Annotated[Any, PrerequisiteInput("flat", "Array", is_calibration=True)],
    *,
    factor: float = 2.0,
    name="plain",
) -> Annotated[Any, Output("flattened", "Array", dimensions=EXPOSURE)]:
    """Divide by the flat."""
    return raw / flat * factor


@task(
    dimensions=EXPOSURE,
    inputs={"raw": Input("{kind}raw", "Array")},
    outputs={"low": Output("low", "Array"), "high": Output("high", "Array")},
    name="splitter",
    default_templates={"kind": "post"},
)
def split(raw: Any, at: int = 0) -> Any:
    return {"tuple": (at, raw), "dict": {"low": at, "high": raw}, "bad": 3}.get(raw, Struct(low=1))


def test_function_becomes_a_task_class_found_by_its_dotted_name() -> None:
    assert isinstance(flatten, type)
    assert issubclass(flatten, PipelineTask)
    assert pickle.loads(pickle.dumps(flatten)) is flatten
    assert getattr(importlib.import_module(flatten.__module__), flatten.__qualname__) is flatten
    assert flatten.default_name == "flatten"
    assert flatten.__doc__ == "Divide by the flat."


def test_annotations_become_connections_and_fields() -> None:
    connections = flatten.ConfigClass.ConnectionsClass

    assert connections.inputs == {"raw"}
    assert connections.prerequisite_inputs == {"flat"}
    assert connections.outputs == {"flattened"}
    assert connections.dimensions == set(EXPOSURE)
    assert flatten.ConfigClass().name == "plain"


def test_task_runs_with_its_configuration_and_its_result_is_named() -> None:
    config = flatten.ConfigClass()
    apply_overrides(config, [ValueOverride("factor", "3", "test")], label="flatten")

    assert flatten(config=config).run(raw=4, flat=2) == Struct(flattened=6.0)
    assert flatten.function(4, 2) == 4.0


def test_configuration_survives_pickling() -> None:
    config = flatten.ConfigClass(factor=5)
    config.connections.raw = "other"

    again = pickle.loads(pickle.dumps(config))

    assert again == config
    assert again.ConnectionsClass(config=again).raw.name == "other"


@pytest.mark.parametrize("raw", ["tuple", "dict"])
def test_several_results_are_told_apart(raw: str) -> None:
    assert split().run(raw=raw) == Struct(low=0, high=raw)
    assert split.default_name == "splitter"
    assert split.ConfigClass.ConnectionsClass().raw.name == "postraw"


def test_result_of_another_shape_is_refused() -> None:
    assert split().run(raw="struct") == Struct(low=1)
    with pytest.raises(TaskError, match=r"split returned a int; return a Struct, a dict"):
        split().run(raw="bad")


def test_tuple_annotation_names_results_by_dataset_type() -> None:
    @task(dimensions=(), default_templates={"kind": "x"})
    def both() -> tuple[Annotated[int, Output("{kind}_a", "I")], Annotated[int, Output("b", "I")]]:
        return 1, 2

    assert both().run() == Struct(kind_a=1, b=2)


def test_parameters_that_fit_nothing_are_reported_at_once() -> None:
    def faulty(a, /, b, c: Annotated[Any, Output("c", "I")], *d, raw=3):
        return a, b, c, d, raw

    with pytest.raises(TaskConnectionError) as caught:
        task(dimensions=(), inputs={"rw": Input("raw", "Array")}, outputs={"o": Output("o", "I")})(
            faulty
        )

    text = str(caught.value)
    for fault in (
        "parameter 'a' cannot be given by name",
        "parameter 'b' is no input and has no default",
        "parameter 'c' is declared as Output",
        "'*d' cannot be an input",
        "no parameter 'rw' for that input. Did you mean 'raw'?",
    ):
        assert fault in text


def test_annotation_for_type_checking_only_is_explained() -> None:
    def later(raw: CCDData) -> None:  # type: ignore[name-defined]  # noqa: F821
        return raw

    with pytest.raises(TaskConnectionError, match=r"'CCDData', names what its module does not"):
        task(dimensions=())(later)


def test_decorator_and_package_of_one_name_both_decorate() -> None:
    @pipetask.task(dimensions=())
    def nothing() -> None:
        return None

    assert nothing().run() == Struct()
    assert pipetask.task.PipelineTask is PipelineTask
