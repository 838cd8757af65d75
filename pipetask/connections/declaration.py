"""What a connections class declares, gathered and checked when it is written.

Works on names and records only; makes no instance and reads no configuration.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from butler_core.errors import near_misses
from pipetask.connections.kinds import Connection, dimension_faults
from pipetask.errors import TaskConnectionError

#: Groups of connection names on an instance, and Rubin's spelling of each.
GROUPS = {
    "init_inputs": "initInputs",
    "prerequisite_inputs": "prerequisiteInputs",
    "inputs": "inputs",
    "init_outputs": "initOutputs",
    "outputs": "outputs",
}

#: Attributes of a connections class that no connection can be called by.
RESERVED_NAMES = frozenset(
    {*GROUPS, *GROUPS.values(), "dimensions", "config", "all_connections", "allConnections"}
    | {"default_templates", "defaultTemplates", "deprecated_templates", "deprecatedTemplates"}
    | {"adjust_quantum", "adjustQuantum"}
)


@dataclass
class Declaration:
    """What the body and the keywords of one connections class say."""

    #: The unit of work, or None if nothing said it.
    dimensions: Any = None
    #: Connections by the name the task knows them by.
    connections: dict[str, Connection] = field(default_factory=dict)
    #: Values for the templates in dataset type names.
    templates: dict[str, str] = field(default_factory=dict)
    #: Why a template should no longer be set.
    deprecated_templates: dict[str, str] = field(default_factory=dict)

    def inherit(self, bases: Iterable[type]) -> None:
        """Start from what the base classes declare, the first base winning."""
        for base in reversed(tuple(bases)):
            self.connections.update(getattr(base, "all_connections", {}))
            self.templates.update(getattr(base, "default_templates", {}))
            self.deprecated_templates.update(getattr(base, "deprecated_templates", {}))
            if getattr(base, "_is_declared", False):
                self.dimensions = getattr(base, "dimensions", self.dimensions)

    def read_body(self, namespace: Mapping[str, Any]) -> list[str]:
        """Take the connections out of a class body.

        Parameters
        ----------
        namespace
            The class's own attributes. One that replaces an inherited
            connection by something else removes it.

        Returns
        -------
        list of str
            Names whose class attribute is a connection.
        """
        found = [name for name, value in namespace.items() if isinstance(value, Connection)]
        for name in namespace:
            if name not in found:
                self.connections.pop(name, None)
        self.connections.update({name: namespace[name] for name in found})
        return found

    def faults(self) -> list[str]:
        """Say everything that is wrong with the declaration."""
        faults = []
        if self.dimensions is None:
            faults.append(
                "dimensions are missing; write "
                "`class ...(PipelineTaskConnections, dimensions=('instrument', ...))`"
            )
        else:
            faults += dimension_faults(self.dimensions)
        for name, connection in self.connections.items():
            faults += connection_faults(name, connection, self.templates)
        faults += [
            f"template {name!r} has the name of a connection"
            for name in self.templates
            if name in self.connections
        ]
        return faults


def connection_faults(name: str, connection: Connection, templates: Mapping[str, str]) -> list[str]:
    """Say what is wrong with one connection under its name in the class.

    Parameters
    ----------
    name
        The attribute it is declared as.
    connection
        What is declared.
    templates
        Default value of every template there is.

    Returns
    -------
    list of str
        One sentence per fault, starting with the connection's name.
    """
    faults = [f"{name}: {fault}" for fault in connection.faults()]
    if name in RESERVED_NAMES or name.startswith("_"):
        faults.append(f"{name}: a connection cannot be called {name!r}; the name is reserved")
    try:
        unknown = sorted(templates_in(str(connection.name)) - templates.keys())
    except ValueError as error:
        return [*faults, f"{name}: {connection.name!r} is no template ({error})"]
    return faults + [
        f"{name}: {connection.name!r} has the template {template!r}, which default_templates "
        f"gives no value.{near_misses(template, templates)}"
        for template in unknown
    ]


def templates_in(name: str) -> set[str]:
    """Return the template names in a dataset type name.

    Parameters
    ----------
    name
        Such as ``{coaddName}Coadd_calexp``.

    Returns
    -------
    set of str
        Such as ``{"coaddName"}``.

    Raises
    ------
    ValueError
        If the braces do not match.
    """
    return {
        template for _, template, _, _ in string.Formatter().parse(name) if template is not None
    }


def all_faults(what: str, faults: Iterable[str]) -> TaskConnectionError:
    """Make one error of all the faults found.

    Parameters
    ----------
    what
        What has the faults.
    faults
        One sentence each.
    """
    return TaskConnectionError(f"{what} cannot work:\n" + "\n".join(f"  - {f}" for f in faults))
