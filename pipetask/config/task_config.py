"""`PipelineTaskConfig`: the configuration every task has.

Adds to `Config` the part that names the task's connections. Knows no task.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, create_model

from pipetask.config.fields import Config
from pipetask.connections.task_connections import PipelineTaskConnections
from pipetask.errors import TaskConfigError


def _as_text(value: Any) -> Any:
    """Write a number as text: templates may be cycle counters."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value


#: A template's value: text, or a number that becomes text.
TemplateText = Annotated[str, BeforeValidator(_as_text)]


class ConnectionsConfig(Config):
    """Names of a task's connections and values of its templates.

    Made for each configuration class: one field per connection, holding its
    dataset type name, and one per template.
    """

    #: The connections class that the fields are made from.
    ConnectionsClass: ClassVar[type[PipelineTaskConnections]] = PipelineTaskConnections

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> str: ...


class PipelineTaskConfig(Config):
    """Configuration of a task.

    A subclass says which connections it names::

        class IsrConfig(PipelineTaskConfig, connections=IsrConnections):
            doFlat: bool = Field(True, description="Divide by the flat?")

    ``config.connections.<connection>`` is then a dataset type name, and
    ``config.connections.<template>`` the value of a template. A subclass of
    such a class inherits its connections unless it names others.
    """

    #: The connections class the configuration belongs to.
    ConnectionsClass: ClassVar[type[PipelineTaskConnections]] = PipelineTaskConnections
    #: Class of the part called ``connections``.
    ConnectionsConfigClass: ClassVar[type[ConnectionsConfig]] = ConnectionsConfig
    other_spellings: ClassVar[dict[str, str]] = {"saveLogOutput": "save_log_output"}

    connections: ConnectionsConfig = Field(
        default_factory=ConnectionsConfig,
        description="Dataset type names of the task's connections.",
    )
    save_log_output: bool = Field(default=True, description="Keep what the task logs as a dataset?")

    def __init_subclass__(
        cls,
        connections: type[PipelineTaskConnections] | None = None,
        pipelineConnections: type[PipelineTaskConnections] | None = None,  # noqa: N803 - Rubin's
        **keywords: Any,
    ) -> None:
        """Make the part that names the connections, before pydantic reads the fields."""
        super().__init_subclass__(**keywords)
        declared = connections or pipelineConnections
        if declared is None:
            return
        if not (isinstance(declared, type) and issubclass(declared, PipelineTaskConnections)):
            raise TaskConfigError(
                f"{cls.__qualname__} is given {declared!r} as connections; "
                "it takes a subclass of PipelineTaskConnections."
            )
        part = connections_config(declared, cls)
        cls.ConnectionsClass = declared
        cls.ConnectionsConfigClass = part
        cls.__annotations__["connections"] = part
        cls.connections = Field(
            default_factory=part, description="Dataset type names of the task's connections."
        )


def connections_config(
    declared: type[PipelineTaskConnections], owner: type[Config]
) -> type[ConnectionsConfig]:
    """Make the class of the ``connections`` part of a configuration class.

    Parameters
    ----------
    declared
        The connections class.
    owner
        The configuration class; the new class is its ``ConnectionsConfigClass``,
        by which it is found again when a configuration is unpickled.
    """
    fields: dict[str, Any] = {
        name: (str, Field(default=c.name, description=f"Dataset type of {name!r}: {c.doc}"))
        for name, c in declared.all_connections.items()
    }
    for name, default in declared.default_templates.items():
        text = f"Value of {{{name}}} in dataset type names."
        fields[name] = (TemplateText, Field(default=default, description=text))
    with warnings.catch_warnings():
        # A connection called 'schema' or 'copy' hides a method of the model, on purpose.
        warnings.filterwarnings("ignore", message="Field name .* shadows an attribute")
        part = create_model(
            f"{owner.__name__}Connections",
            __base__=ConnectionsConfig,
            __module__=owner.__module__,
            **fields,
        )
    part.__qualname__ = f"{owner.__qualname__}.ConnectionsConfigClass"
    part.ConnectionsClass = declared
    return part
