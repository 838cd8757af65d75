"""The five kinds of connection between a task and its datasets.

A connection is a plain frozen record. It finds no dataset and imports no
storage class; faults in it are listed by `Connection.faults`, so that a whole
connections class can report all of its faults at once.

The names are PEP 8's; Rubin's spellings (``storageClass``, ``deferLoad``, ...)
are accepted as keywords and readable as attributes, so that a task written for
Rubin's middleware needs no edit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from butler_core.errors import near_misses
from pipetask.errors import TaskConnectionError

#: Rubin's keyword for each of ours.
RUBIN_SPELLINGS = {
    "storageClass": "storage_class",
    "isCalibration": "is_calibration",
    "deferLoad": "deferred",
    "lookupFunction": "lookup_function",
    "deferGraphConstraint": "defer_graph_constraint",
    "deferBinding": "defer_binding",
}

#: Finds prerequisites in a task's own way: called with the dataset type, the
#: registry, the quantum's data ID and the input collections; returns refs.
LookupFunction = Callable[[Any, Any, Any, Any], Iterable[Any]]

_ConnectionT = TypeVar("_ConnectionT", bound="type[Connection]")


def _accepts_rubin_spellings(cls: _ConnectionT) -> _ConnectionT:
    """Let the constructor of a connection kind take Rubin's keywords too."""
    construct = cls.__init__

    @functools.wraps(construct)
    def __init__(self: Connection, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes one
        renamed: dict[str, Any] = {}
        for given, value in kwargs.items():
            name = RUBIN_SPELLINGS.get(given, given)
            if name in renamed:
                raise TaskConnectionError(f"{cls.__name__}: {name!r} is given twice.")
            if name not in cls.__dataclass_fields__:
                raise TaskConnectionError(
                    f"{cls.__name__} has no keyword {given!r}."
                    + near_misses(given, cls.__dataclass_fields__)
                )
            renamed[name] = value
        construct(self, *args, **renamed)

    cls.__init__ = __init__  # type: ignore[method-assign]
    return cls


@dataclass(frozen=True)
class Connection:
    """What every connection of a task has."""

    #: The attribute of a connections instance that lists this kind's names.
    group: ClassVar[str]

    #: Name of the dataset type, perhaps with a component (``raw.wcs``) or
    #: templates (``{coaddName}Coadd``).
    name: str
    #: Name of the storage class the task sees.
    storage_class: str
    #: What the dataset is to the task.
    doc: str = ""
    #: Whether a quantum has any number of such datasets, as a list, and not one.
    multiple: bool = False
    #: Why the connection should no longer be used, and until when it can.
    deprecated: str | None = field(default=None, kw_only=True)

    @property
    def storageClass(self) -> str:  # noqa: N802 - Rubin's spelling
        """Rubin's spelling of `storage_class`."""
        return self.storage_class

    @property
    def dataset_type_name(self) -> str:
        """Name of the dataset type without any component."""
        return self.name.partition(".")[0]

    @property
    def component(self) -> str | None:
        """The component that ``name`` asks for, if it asks for one."""
        return self.name.partition(".")[2] or None

    def faults(self) -> list[str]:
        """Say everything that is wrong with this connection alone.

        Returns
        -------
        list of str
            One phrase per fault, without the connection's name; empty if sound.
        """
        faults = []
        if not isinstance(self.name, str) or not self.name:
            faults.append(f"name must be a non-empty string, not {self.name!r}")
        elif self.component is not None and self.group in {"outputs", "init_outputs"}:
            faults.append(f"{self.name!r} is a component; only whole datasets can be written")
        if not isinstance(self.storage_class, str) or not self.storage_class:
            faults.append(
                f"storage_class must be the name of a storage class, not {self.storage_class!r}"
            )
        return faults


@dataclass(frozen=True)
class DimensionedConnection(Connection):
    """A connection whose datasets have data IDs."""

    #: Names of the dimensions that identify one dataset.
    dimensions: tuple[str, ...] = ()
    #: Whether the datasets may carry validity ranges in CALIBRATION collections.
    is_calibration: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.dimensions, (set, frozenset)):
            object.__setattr__(self, "dimensions", tuple(sorted(self.dimensions)))
        elif isinstance(self.dimensions, Iterable) and not isinstance(self.dimensions, str):
            object.__setattr__(self, "dimensions", tuple(dict.fromkeys(self.dimensions)))

    @property
    def isCalibration(self) -> bool:  # noqa: N802 - Rubin's spelling
        """Rubin's spelling of `is_calibration`."""
        return self.is_calibration

    def faults(self) -> list[str]:
        """Say everything that is wrong with this connection alone."""
        return super().faults() + dimension_faults(self.dimensions)


@dataclass(frozen=True)
class InputConnection(DimensionedConnection):
    """What regular and prerequisite inputs share."""

    #: Whether the task gets a handle to load the dataset itself, later.
    deferred: bool = False
    #: How many datasets a quantum needs at least.
    minimum: int = 1

    @property
    def deferLoad(self) -> bool:  # noqa: N802 - Rubin's spelling
        """Rubin's spelling of `deferred`."""
        return self.deferred

    def faults(self) -> list[str]:
        """Say everything that is wrong with this connection alone."""
        faults = super().faults()
        if not isinstance(self.minimum, int) or self.minimum < 0:
            faults.append(f"minimum must be a whole number from 0 up, not {self.minimum!r}")
        elif self.minimum > 1 and not self.multiple:
            faults.append(f"minimum={self.minimum} needs multiple=True")
        return faults


@_accepts_rubin_spellings
@dataclass(frozen=True)
class Input(InputConnection):
    """A dataset the task's ``run`` takes, perhaps made by another task of the graph."""

    group: ClassVar[str] = "inputs"

    #: Whether its existence is left out of the first query of a graph build.
    defer_graph_constraint: bool = False
    #: Whether it stays out of the pipeline graph until something binds it.
    defer_binding: bool = False

    @property
    def deferGraphConstraint(self) -> bool:  # noqa: N802 - Rubin's spelling
        """Rubin's spelling of `defer_graph_constraint`."""
        return self.defer_graph_constraint

    @property
    def deferBinding(self) -> bool:  # noqa: N802 - Rubin's spelling
        """Rubin's spelling of `defer_binding`."""
        return self.defer_binding


@_accepts_rubin_spellings
@dataclass(frozen=True)
class PrerequisiteInput(InputConnection):
    """A dataset that must be in the repository before the graph is built."""

    group: ClassVar[str] = "prerequisite_inputs"

    #: Finds the datasets in place of the usual look-up.
    lookup_function: LookupFunction | None = None

    @property
    def lookupFunction(self) -> LookupFunction | None:  # noqa: N802 - Rubin's spelling
        """Rubin's spelling of `lookup_function`."""
        return self.lookup_function

    def faults(self) -> list[str]:
        """Say everything that is wrong with this connection alone."""
        faults = super().faults()
        if self.lookup_function is not None and not callable(self.lookup_function):
            faults.append(f"lookup_function must be callable, not {self.lookup_function!r}")
        return faults


@_accepts_rubin_spellings
@dataclass(frozen=True)
class Output(DimensionedConnection):
    """A dataset that ``run`` returns."""

    group: ClassVar[str] = "outputs"


@_accepts_rubin_spellings
@dataclass(frozen=True)
class InitInput(Connection):
    """A dataset the task's constructor takes, one per run."""

    group: ClassVar[str] = "init_inputs"


@_accepts_rubin_spellings
@dataclass(frozen=True)
class InitOutput(Connection):
    """A dataset the task holds once constructed, one per run."""

    group: ClassVar[str] = "init_outputs"


def dimension_faults(dimensions: object) -> list[str]:
    """Say what is wrong with something given as dimensions.

    Parameters
    ----------
    dimensions
        What a task's author wrote.

    Returns
    -------
    list of str
        One phrase per fault; empty if it is a collection of names.
    """
    if isinstance(dimensions, str):
        return [f"dimensions must be a collection of names, not {dimensions!r}; add a comma?"]
    if not isinstance(dimensions, Iterable):
        return [f"dimensions must be a collection of names, not {dimensions!r}"]
    return [
        f"dimensions holds {name!r}, which is no dimension's name"
        for name in dimensions
        if not isinstance(name, str) or not name
    ]
