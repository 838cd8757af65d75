"""What a function's parameters and annotations say about it as a task.

Reads signatures; makes no class.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from butler_core.errors import near_misses
from pipetask.connections.kinds import Connection, Input, Output, PrerequisiteInput
from pipetask.errors import TaskConnectionError


@dataclass(frozen=True)
class FunctionField:
    """A parameter that becomes a field of the configuration."""

    #: The parameter's name.
    name: str
    #: Its type; Any if it has no annotation.
    annotation: Any
    #: Its default.
    default: Any


@dataclass(frozen=True)
class FunctionSignature:
    """A function's parameters and results, sorted by what they are to a task."""

    #: Input and prerequisite connections by parameter.
    inputs: dict[str, Connection]
    #: Output connections by name, in the order of the results.
    outputs: dict[str, Connection]
    #: The other parameters.
    fields: tuple[FunctionField, ...]


def read_signature(
    function: Callable[..., Any],
    *,
    inputs: Mapping[str, Connection] | None,
    outputs: Mapping[str, Output] | None,
) -> FunctionSignature:
    """Sort a function's parameters and results.

    Parameters
    ----------
    function
        The function.
    inputs
        Connections by parameter; they win over annotations.
    outputs
        Connections by name; they replace the return annotation.

    Returns
    -------
    FunctionSignature
        What each parameter is.

    Raises
    ------
    TaskConnectionError
        If a parameter is neither an input nor has a default, or a connection
        has no parameter; every fault together.
    """
    given, faults = dict(inputs or {}), []
    found: dict[str, Connection] = {}
    fields: list[FunctionField] = []
    parameters = inspect.signature(function).parameters
    for name, parameter in parameters.items():
        annotation = _evaluated(parameter.annotation, function)
        connection = given.pop(name, None) or _connection_in(annotation)
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            faults.append(f"parameter '*{name}' cannot be an input; name each one")
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            faults.append(f"parameter {name!r} cannot be given by name; remove the '/'")
        elif isinstance(connection, (Input, PrerequisiteInput)):
            found[name] = connection
        elif connection is not None:
            faults.append(f"parameter {name!r} is declared as {type(connection).__name__}")
        elif parameter.default is parameter.empty:
            faults.append(f"parameter {name!r} is no input and has no default")
        else:
            is_bare = annotation is parameter.empty
            fields.append(FunctionField(name, Any if is_bare else annotation, parameter.default))
    faults += [f"no parameter {n!r} for that input.{near_misses(n, parameters)}" for n in given]
    results: dict[str, Connection] = {**outputs} if outputs is not None else _results_of(function)
    faults += [f"{name!r} is both a parameter and an output" for name in results if name in found]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise TaskConnectionError(f"The function {function.__qualname__!r} is no task:\n{listed}")
    return FunctionSignature(found, results, tuple(fields))


def _evaluated(annotation: Any, function: Callable[..., Any]) -> Any:
    """Return an annotation as an object, where it is written as text."""
    if not isinstance(annotation, str):
        return annotation
    names = inspect.getclosurevars(function).nonlocals
    try:
        return eval(annotation, {**function.__globals__, **names})  # noqa: S307 - source code
    except NameError as error:
        raise TaskConnectionError(
            f"An annotation of {function.__qualname__!r}, {annotation!r}, names what its module "
            f"does not have when it is imported ({error}). Annotate with Any or a quoted name "
            "what is imported for type checking only."
        ) from error


def _connection_in(annotation: Any) -> Connection | None:
    """Return the connection in an ``Annotated`` type, if there is one."""
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, Connection):
            return extra
    return None


def _results_of(function: Callable[..., Any]) -> dict[str, Connection]:
    """Return the outputs in a return annotation, called by their dataset types."""
    annotation = _evaluated(inspect.signature(function).return_annotation, function)
    single = _connection_in(annotation)
    found = [single] if single is not None else []
    if typing.get_origin(annotation) is tuple:
        found = [c for part in typing.get_args(annotation) if (c := _connection_in(part))]
    return {re.sub(r"\W", "", connection.name): connection for connection in found}
