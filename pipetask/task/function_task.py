"""`@task`: a function with annotations, made into a `PipelineTask`.

Only makes classes. What it makes is a class like any other: it can be named in
a pipeline by its dotted path and travel to worker processes.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from pydantic import Field

from pipetask.config.task_config import PipelineTaskConfig
from pipetask.connections.kinds import Connection, Output
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.errors import TaskError
from pipetask.task.function_signature import FunctionSignature, read_signature
from pipetask.task.pipeline_task import PipelineTask
from pipetask.task.struct import Struct


def task(
    *,
    dimensions: Iterable[str],
    inputs: Mapping[str, Connection] | None = None,
    outputs: Mapping[str, Output] | None = None,
    name: str | None = None,
    default_templates: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], type[PipelineTask]]:
    """Make a task of the function below it.

    Inputs are the parameters annotated ``Annotated[<type>, Input(...)]``, or
    those named in ``inputs``; outputs likewise, by the return annotation or by
    ``outputs``. Any other parameter needs a default and becomes a field of the
    configuration::

        @task(dimensions=("instrument", "exposure", "detector"))
        def flatten(
            raw: Annotated[Any, Input("raw", "Exposure", dimensions=(...))],
            *,
            n_sigma: float = 3.0,
        ) -> Annotated[Any, Output("flattened", "Exposure", dimensions=(...))]: ...

    Parameters
    ----------
    dimensions
        The unit of work.
    inputs
        Input and prerequisite connections by parameter.
    outputs
        Output connections by name.
    name
        Default label of the task; the function's name if None.
    default_templates
        Values for templates in dataset type names.

    Returns
    -------
    callable
        Turns the function into a `PipelineTask` subclass of the same name.

    Raises
    ------
    TaskConnectionError
        If parameters and connections do not fit; every fault together.
    """

    def decorate(function: Callable[..., Any]) -> type[PipelineTask]:
        signature = read_signature(function, inputs=inputs, outputs=outputs)
        connections = _connections_class(function, signature, dimensions, default_templates)
        config = _config_class(function, signature, connections)
        return _task_class(function, signature, config, name or function.__name__)

    return decorate


def _connections_class(
    function: Callable[..., Any],
    signature: FunctionSignature,
    dimensions: Iterable[str],
    templates: Mapping[str, str] | None,
) -> type[PipelineTaskConnections]:
    """Make the connections class of a function."""
    namespace = _namespace(function, "ConfigClass.ConnectionsClass")
    return types.new_class(
        f"{function.__name__}_connections",
        (PipelineTaskConnections,),
        {"dimensions": dimensions, "default_templates": templates},
        lambda body: body.update({**namespace, **signature.inputs, **signature.outputs}),
    )


def _config_class(
    function: Callable[..., Any],
    signature: FunctionSignature,
    connections: type[PipelineTaskConnections],
) -> type[PipelineTaskConfig]:
    """Make the configuration class of a function."""
    annotations = {field.name: field.annotation for field in signature.fields}
    defaults = {
        field.name: Field(default=field.default, description=f"{field.name!r} of the function.")
        for field in signature.fields
    }
    namespace = _namespace(function, "ConfigClass")
    return types.new_class(
        f"{function.__name__}_config",
        (PipelineTaskConfig,),
        {"connections": connections},
        lambda body: body.update({**namespace, "__annotations__": annotations, **defaults}),
    )


def _task_class(
    function: Callable[..., Any],
    signature: FunctionSignature,
    config_class: type[PipelineTaskConfig],
    name: str,
) -> type[PipelineTask]:
    """Make the task class whose ``run`` calls the function."""
    field_names = [field.name for field in signature.fields]
    output_names = list(signature.outputs)

    def run(self: PipelineTask, **datasets: Any) -> Struct:
        settings = {field: getattr(self.config, field) for field in field_names}
        result = function(**datasets, **settings)
        return _as_struct(result, output_names, function.__qualname__)

    run.__doc__ = function.__doc__
    namespace = _namespace(function, "")
    namespace |= {"ConfigClass": config_class, "default_name": name, "run": run}
    # The plain function stays reachable, for tests and for calling it without a task.
    namespace["function"] = staticmethod(function)
    return type(function.__name__, (PipelineTask,), namespace)


def _namespace(function: Callable[..., Any], part: str) -> dict[str, Any]:
    """Say of a class made for a function where it is found again."""
    qualname = function.__qualname__ + (f".{part}" if part else "")
    return {
        "__module__": function.__module__,
        "__qualname__": qualname,
        "__doc__": function.__doc__,
    }


def _as_struct(result: Any, names: Collection[str], where: str) -> Struct:
    """Give a function's result the names of its output connections."""
    if isinstance(result, Struct):
        return result
    if isinstance(result, Mapping) and set(result) == set(names):
        return Struct(**result)
    if len(names) == 1:
        return Struct(**dict.fromkeys(names, result))
    if isinstance(result, tuple) and len(result) == len(names):
        return Struct(**dict(zip(names, result, strict=True)))
    if not names and result is None:
        return Struct()
    raise TaskError(
        f"{where} returned a {type(result).__name__}; return a Struct, a dict or a tuple of "
        f"{', '.join(names) or 'nothing'}."
    )
