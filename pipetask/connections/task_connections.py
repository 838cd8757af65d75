"""`PipelineTaskConnections`: a task's inputs and outputs as one class.

A class says what may be; an instance, made from a configuration, says what is:
dataset type names filled in, connections removed or added by ``__init__``.
Finds and reads no dataset.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from butler_core.errors import DatasetNotFoundError, near_misses
from pipetask.connections.declaration import GROUPS, Declaration, all_faults
from pipetask.connections.kinds import Connection, InputConnection, PrerequisiteInput
from pipetask.connections.names import ConnectionNames
from pipetask.connections.naming import named_connections
from pipetask.errors import NoWorkFound, TaskConnectionError

#: Datasets of each connection: the connection and the refs found for it.
RefsByConnection = Mapping[str, tuple[Connection, Collection[Any]]]

#: Hooks that may be written under either name.
_HOOKS = {
    "adjust_quantum": "adjustQuantum",
    "get_spatial_bounds_connections": "getSpatialBoundsConnections",
    "get_temporal_bounds_connections": "getTemporalBoundsConnections",
}

_OUR_GROUPS = {rubin: ours for ours, rubin in GROUPS.items()}


class ConnectionsMeta(type):
    """Makes instances in three steps: fill the names, run ``__init__``, freeze."""

    all_connections: Mapping[str, Connection]

    def __call__(cls, *, config: Any = None) -> Any:
        """Return the connections of a task so configured."""
        owner: Any = cls
        instance = owner.__new__(owner)
        instance._prepare(config)  # noqa: SLF001 - the metaclass makes the instance
        instance.__init__(config=config)
        instance._settle()  # noqa: SLF001
        return instance

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Connection:
            """Return a declared connection as if it were a class attribute."""
            if not name.startswith("_") and name in cls.all_connections:
                return cls.all_connections[name]
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


class PipelineTaskConnections(metaclass=ConnectionsMeta):
    """Declares what a task reads and writes.

    A subclass names its dimensions and declares connections as attributes::

        class IsrConnections(
            PipelineTaskConnections, dimensions=("instrument", "exposure", "detector")
        ):
            raw = Input("raw", "Exposure", dimensions=("instrument", "exposure", "detector"))
            exposure = Output("postISRCCD", "Exposure", dimensions=(...))

    Its ``__init__(self, *, config=None)`` may remove (``del self.dark`` or
    ``self.inputs.remove("dark")``), replace or add connections, and change
    ``self.dimensions``. Once made, an instance is frozen.

    Parameters
    ----------
    config
        The task's configuration; without one, the declared names hold.

    Raises
    ------
    TaskConnectionError
        When a class is written: every fault of its declaration together. When
        an instance is made: every fault of its names.
    """

    _is_declared: ClassVar[bool] = False

    #: Values for templates in dataset type names, unless configured otherwise.
    default_templates: ClassVar[Mapping[str, str]] = MappingProxyType({})
    defaultTemplates: ClassVar[Mapping[str, str]] = default_templates  # noqa: N815 - Rubin's spelling
    #: Why a template should no longer be set.
    deprecated_templates: ClassVar[Mapping[str, str]] = MappingProxyType({})

    #: The configuration the instance was made from.
    config: Any = None
    #: Names of the dimensions that identify one quantum. Like the groups of
    #: names below, a mutable set inside ``__init__`` and frozen after it.
    dimensions: set[str] = ConnectionNames()  # type: ignore[assignment]
    #: Names of the regular inputs.
    inputs: set[str] = ConnectionNames()  # type: ignore[assignment]
    #: Names of the prerequisite inputs.
    prerequisite_inputs: set[str] = ConnectionNames()  # type: ignore[assignment]
    #: Names of the outputs.
    outputs: set[str] = ConnectionNames()  # type: ignore[assignment]
    #: Names of the inputs of the task's constructor.
    init_inputs: set[str] = ConnectionNames()  # type: ignore[assignment]
    #: Names of the outputs of the task's constructor.
    init_outputs: set[str] = ConnectionNames()  # type: ignore[assignment]
    #: Every connection by name, in the order of declaration.
    all_connections: Mapping[str, Connection] = MappingProxyType({})

    _connections: dict[str, Connection]
    _is_frozen: bool

    def __init__(self, *, config: Any = None) -> None:
        """Change nothing; subclasses may."""

    def __init_subclass__(cls, dimensions: Iterable[str] | None = None, **keywords: Any) -> None:
        """Check the declaration and gather it into class attributes."""
        faults = _take_keywords(declaration := Declaration(), cls.__bases__, keywords)
        if dimensions is not None:
            declaration.dimensions = dimensions
        for name in declaration.read_body(dict(vars(cls))):
            # Left in place it would hide that an instance has removed it.
            type.__delattr__(cls, name)
        faults += declaration.faults()
        if faults:
            raise all_faults(f"The connections class {cls.__qualname__!r}", faults)
        cls._is_declared = True
        cls.dimensions = _as_names(declaration.dimensions)
        cls.default_templates = cls.defaultTemplates = MappingProxyType(declaration.templates)
        cls.deprecated_templates = MappingProxyType(declaration.deprecated_templates)
        cls.all_connections = MappingProxyType(declaration.connections)
        cls.allConnections = cls.all_connections
        for group, rubin_group in GROUPS.items():
            names = ConnectionNames(
                name for name, c in declaration.connections.items() if c.group == group
            )
            setattr(cls, group, names)
            setattr(cls, rubin_group, names)
        _join_hook_spellings(cls)

    if TYPE_CHECKING:
        #: Rubin's spelling of `all_connections`.
        allConnections: Mapping[str, Connection]  # noqa: N815
    else:

        def __getattr__(self, name: str) -> Connection:
            """Return the connection of this name, if the instance still has it."""
            connections = self.__dict__.get("_connections", {})
            if name in connections:
                return connections[name]
            owner = type(self).__name__
            if name in type(self).all_connections:
                raise AttributeError(f"Connection {name!r} of {owner!r} has been removed.")
            raise AttributeError(
                f"{owner!r} has no connection {name!r}.{near_misses(name, connections)}"
            )

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_is_frozen", False):
            raise TaskConnectionError(
                f"{name!r} of {type(self).__name__!r} cannot be set: connections change "
                "in __init__ only."
            )
        if isinstance(value, Connection):
            self._forget(name)
            self._connections[name] = value
            getattr(self, value.group).add(name)
            return
        ours = _OUR_GROUPS.get(name, name)
        object.__setattr__(self, name, value)
        if ours in GROUPS:
            object.__setattr__(self, ours, value)
            object.__setattr__(self, GROUPS[ours], value)

    def __delattr__(self, name: str) -> None:
        if self.__dict__.get("_is_frozen", False):
            raise TaskConnectionError(
                f"{name!r} of {type(self).__name__!r} cannot be removed: connections change "
                "in __init__ only."
            )
        if not self._forget(name):
            object.__delattr__(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_remake, (type(self), self.config))

    def _forget(self, name: str) -> bool:
        """Remove a connection and its name; say whether there was one."""
        previous = self._connections.pop(name, None)
        if previous is None:
            return False
        getattr(self, previous.group).discard(name)
        return True

    def _prepare(self, config: Any) -> None:
        """Set mutable copies of what the class declares, names filled in."""
        cls = type(self)
        self.config = config
        self._connections = named_connections(
            cls.all_connections, cls.default_templates, config=config, owner=cls.__qualname__
        )
        self.all_connections = self.allConnections = MappingProxyType(self._connections)
        self.dimensions = set(cls.dimensions)
        for group in GROUPS:
            setattr(self, group, set(getattr(cls, group)))

    def _settle(self) -> None:
        """Drop what ``__init__`` removed, check what is left, and freeze it."""
        kept = {n: c for n, c in self._connections.items() if n in getattr(self, c.group)}
        faults = [f"{name}: {fault}" for name, c in kept.items() for fault in c.faults()]
        for group in GROUPS:
            mine = [name for name, c in kept.items() if c.group == group]
            strangers = sorted(set(getattr(self, group)).difference(mine))
            faults += [f"{group} names {name!r}, which is no such connection" for name in strangers]
            setattr(self, group, ConnectionNames(mine))
        if faults:
            raise all_faults(f"An instance of {type(self).__qualname__!r}", faults)
        self._connections.clear()
        self._connections.update(kept)
        self.dimensions = _as_names(self.dimensions)
        self._is_frozen = True
        _warn_of_deprecated(self)

    def adjust_quantum(
        self, inputs: RefsByConnection, outputs: RefsByConnection, label: str, data_id: Any
    ) -> tuple[RefsByConnection, RefsByConnection]:
        """Change or refuse a quantum once its datasets are known.

        Called when the quantum runs. An override should first call this one,
        through ``super()``.

        Parameters
        ----------
        inputs
            For each regular and prerequisite input, the connection and the refs.
        outputs
            For each output, the connection and the refs.
        label
            The task's label in the pipeline.
        data_id
            The quantum's data ID.

        Returns
        -------
        inputs, outputs
            The connections whose refs are to be replaced; each replacement
            must be a subset of what was given. Here, none.

        Raises
        ------
        NoWorkFound
            If a regular input has fewer datasets than its minimum.
        DatasetNotFoundError
            If a prerequisite input has fewer datasets than its minimum.
        TaskConnectionError
            If a connection without ``multiple`` has several datasets.
        """
        for name, (connection, refs) in {**inputs, **outputs}.items():
            where = f"{label}.{name} ({connection.name!r}) of quantum {data_id}"
            if len(refs) > 1 and not connection.multiple:
                raise TaskConnectionError(
                    f"{where} takes one dataset and {len(refs)} were found: "
                    f"{', '.join(str(ref) for ref in refs)}. Declare it with multiple=True, "
                    "or give it the dimensions that tell them apart."
                )
            if not isinstance(connection, InputConnection) or len(refs) >= connection.minimum:
                continue
            shortfall = f"{where} needs {connection.minimum} and {len(refs)} were found."
            if isinstance(connection, PrerequisiteInput):
                raise DatasetNotFoundError(
                    f"{shortfall} Put the missing ones into the input collections."
                )
            raise NoWorkFound(shortfall)
        return {}, {}

    def get_spatial_bounds_connections(self) -> Collection[str]:
        """Name the connections whose regions widen the quantum's own.

        Prerequisites with skypix dimensions are looked for in the union.
        """
        return ()

    def get_temporal_bounds_connections(self) -> Collection[str]:
        """Name the connections whose timespans widen the quantum's own.

        Calibrations are looked for in the union.
        """
        return ()


def iter_connections(
    connections: PipelineTaskConnections, *groups: str
) -> Iterator[tuple[str, Connection]]:
    """Go through the connections of some groups.

    Parameters
    ----------
    connections
        The instance to go through.
    *groups
        Such as ``"inputs"``; without any, all five.

    Yields
    ------
    tuple of str and Connection
        The name the task knows it by, and the connection.
    """
    for group in groups or GROUPS:
        for name in getattr(connections, group):
            yield name, connections.all_connections[name]


for _ours, _rubins in _HOOKS.items():
    setattr(PipelineTaskConnections, _rubins, getattr(PipelineTaskConnections, _ours))
PipelineTaskConnections.allConnections = PipelineTaskConnections.all_connections


def _take_keywords(
    declaration: Declaration, bases: tuple[type, ...], keywords: dict[str, Any]
) -> list[str]:
    """Read the class keywords besides dimensions; say which are unknown."""
    declaration.inherit(bases)
    for name in ("default_templates", "defaultTemplates"):
        declaration.templates.update(keywords.pop(name, None) or {})
    for name in ("deprecated_templates", "deprecatedTemplates"):
        declaration.deprecated_templates.update(keywords.pop(name, None) or {})
    known = ("dimensions", "default_templates", "deprecated_templates")
    return [f"{name!r} is no class keyword.{near_misses(name, known)}" for name in keywords]


def _join_hook_spellings(cls: type) -> None:
    """Make a hook written under one of its two names answer to both."""
    for ours, rubins in _HOOKS.items():
        written = vars(cls).get(ours) or vars(cls).get(rubins)
        if written is not None:
            setattr(cls, ours, written)
            setattr(cls, rubins, written)


def _as_names(dimensions: Iterable[str]) -> Any:
    """Freeze dimensions in an order that does not depend on hashing."""
    is_set = isinstance(dimensions, (set, frozenset))
    is_ordered = not is_set or isinstance(dimensions, ConnectionNames)
    return ConnectionNames(dimensions if is_ordered else sorted(dimensions))


def _warn_of_deprecated(connections: PipelineTaskConnections) -> None:
    """Warn of each deprecated connection that is in use."""
    for name, connection in connections.all_connections.items():
        if connection.deprecated is not None:
            warnings.warn(
                f"Connection {name!r} ({connection.name!r}) of "
                f"{type(connections).__name__!r}: {connection.deprecated}",
                FutureWarning,
                stacklevel=4,
            )


def _remake(cls: type[PipelineTaskConnections], config: Any) -> PipelineTaskConnections:
    """Make an instance again in the process that unpickles it."""
    return cls(config=config)
