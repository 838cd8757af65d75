"""Names for the Python types that datasets have in memory.

Maps a storage class's name to a Python type (imported when first needed), its
components, its read parameters and the converters from other types. Reads and
writes no dataset: that is the formatters' part.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from butler_core.errors import (
    ConfigError,
    StorageClassMismatchError,
    UnknownStorageClassError,
    near_misses,
)

#: Keys understood in one storage class's YAML entry.
_KEYS = frozenset(
    {
        "pytype",
        "inheritsFrom",
        "components",
        "derivedComponents",
        "parameters",
        "converters",
        "delegate",
    }
)


@dataclass(frozen=True)
class StorageClass:
    """What a dataset is in memory.

    Compares equal by all its fields; hashes by its name and type alone.
    """

    #: Name, as dataset types write it (``"ExposureF"``).
    name: str
    #: Dotted name of the Python type (``"astropy.table.Table"``).
    pytype_name: str
    #: Component name to the name of its storage class (stored in the file).
    components: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: The same, of components computed from what is stored (``bbox``, ``rowcount``).
    derived_components: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Names of the parameters that a read may be given.
    parameters: frozenset[str] = field(default=frozenset(), hash=False)
    #: Dotted type name to the dotted callable that makes one of ours of it.
    converters: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def pytype(self) -> type[Any]:
        """The Python type; imports its module at the first use.

        Raises
        ------
        ConfigError
            If the type cannot be imported.
        """
        found = import_dotted(self.pytype_name, asked_by=f"storage class {self.name!r}")
        if not isinstance(found, type):
            raise ConfigError(
                f"storage class {self.name!r} names {self.pytype_name!r}, which is no type but "
                f"{found!r}."
            )
        return found

    @property
    def all_components(self) -> dict[str, str]:
        """Stored and derived components, by name."""
        return {**self.components, **self.derived_components}

    def component(self, name: str) -> str:
        """Return the name of a component's storage class.

        Parameters
        ----------
        name
            The component, as after the dot of ``"calexp.wcs"``.

        Raises
        ------
        UnknownStorageClassError
            If this storage class has no such component.
        """
        every = self.all_components
        if name not in every:
            raise UnknownStorageClassError(
                f"storage class {self.name!r} has no component {name!r}; it has "
                f"{', '.join(sorted(every)) or 'none'}.{near_misses(name, every)}"
            )
        return every[name]

    def check(self, obj: Any) -> Any:
        """Return the object as this storage class's type.

        Parameters
        ----------
        obj
            Any object.

        Returns
        -------
        Any
            The same object where it is of the type; what the first fitting
            converter makes of it otherwise.

        Raises
        ------
        StorageClassMismatchError
            If it is of another type and no converter fits.
        """
        if self.pytype_name == "object" or isinstance(obj, self.pytype):
            return obj
        converter = self._converter_from(type(obj))
        if converter is None:
            raise StorageClassMismatchError(
                f"storage class {self.name!r} holds {self.pytype_name}, not "
                f"{_dotted_name(type(obj))}. Convertible types: "
                f"{', '.join(sorted(self.converters)) or 'none'}."
            )
        convert = import_dotted(converter, asked_by=f"storage class {self.name!r}")
        try:
            converted = convert(obj)
        except (TypeError, ValueError, LookupError) as error:
            raise StorageClassMismatchError(
                f"{converter} could not make the {self.pytype_name} that storage class "
                f"{self.name!r} holds of a {_dotted_name(type(obj))}: {error}."
            ) from error
        return converted

    def _converter_from(self, given: type[Any]) -> str | None:
        """Dotted name of the callable that converts objects of the type given."""
        for ancestor in given.__mro__:
            if ancestor is object:
                continue
            converter = self.converters.get(_dotted_name(ancestor))
            if converter is not None:
                return converter
        # A library may publish a class under a shorter path than it defines it at.
        for dotted, converter in self.converters.items():
            if _names_ancestor(dotted, given):
                return converter
        return None


def can_convert(source: StorageClass, target: StorageClass) -> bool:
    """Tell whether objects of one storage class can be read or put as another.

    Parameters
    ----------
    source
        What the object is.
    target
        What it should become.

    Returns
    -------
    bool
        True for the same type, a subtype, or a type that the target has a
        converter for; False where either type is not installed.
    """
    if source.pytype_name == target.pytype_name or target.pytype_name == "object":
        return True
    if not (_is_installed(source.pytype_name) and _is_installed(target.pytype_name)):
        return False
    if source.pytype is object:
        return False
    if issubclass(source.pytype, target.pytype):
        return True
    return target._converter_from(source.pytype) is not None  # noqa: SLF001 - same class's file


class StorageClassRegistry:
    """The storage classes known to one repository.

    Parameters
    ----------
    extra
        Further definitions, or replacements, from a repository's
        configuration: name to an entry spelt as in ``storage_classes.yaml``
        (``pytype``, ``inheritsFrom``, ``components``, ``derivedComponents``,
        ``parameters``, ``converters``).

    Raises
    ------
    ConfigError
        If a definition is malformed; the message lists every fault.
    """

    def __init__(self, extra: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        entries: dict[str, Mapping[str, Any]] = dict(_packaged_entries())
        entries.update(extra or {})
        faults = [fault for name in entries for fault in _faults(name, entries)]
        if faults:
            raise ConfigError("storage classes cannot be used: " + "; ".join(faults) + ".")
        self._by_name = {name: _build(name, entries) for name in entries}

    @classmethod
    def default(cls) -> StorageClassRegistry:
        """Return the registry of the packaged definitions, made once."""
        return _default_registry()

    def get(self, name: str) -> StorageClass:
        """Return a storage class by name.

        Parameters
        ----------
        name
            Such as ``"ExposureF"``.

        Raises
        ------
        UnknownStorageClassError
            If there is none; near misses are offered.
        """
        found = self._by_name.get(name)
        if found is None:
            raise UnknownStorageClassError(
                f"no storage class {name!r} among the {len(self._by_name)} known."
                f"{near_misses(name, self._by_name)} Define it under 'storageClasses' in the "
                "repository's butler.yaml if it is your own."
            )
        return found

    def component_of(self, name: str, component: str) -> StorageClass:
        """Return the storage class of a component of another.

        Parameters
        ----------
        name
            The storage class that has the component.
        component
            Name of the component.
        """
        return self.get(self.get(name).component(component))

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def import_dotted(name: str, *, asked_by: str) -> Any:
    """Import what a dotted name stands for.

    Parameters
    ----------
    name
        ``"package.module.Class.method"``, or a builtin's bare name.
    asked_by
        What needs it, for the error's text.

    Returns
    -------
    Any
        The type or callable.

    Raises
    ------
    ConfigError
        If nothing of that name can be imported.
    """
    parts = name.split(".") if "." in name else ["builtins", name]
    for cut in range(len(parts) - 1, 0, -1):
        module_name = ".".join(parts[:cut])
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                raise ConfigError(
                    f"{asked_by} needs {name!r}, but {module_name!r} has no such thing."
                )
            found = getattr(found, part)
        return found
    raise ConfigError(f"{asked_by} needs {name!r}; install the package {parts[0]!r} to use it.")


def _packaged_entries() -> Mapping[str, Mapping[str, Any]]:
    """Read ``storage_classes.yaml``, which stands beside this file."""
    import yaml

    text = resources.files("butler_core.datasets").joinpath("storage_classes.yaml").read_text()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=loader)["storageClasses"]  # noqa: S506 - a safe loader
    return entries


@cache
def _default_registry() -> StorageClassRegistry:
    return StorageClassRegistry()


def _faults(name: str, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with one entry."""
    entry = entries[name]
    if not isinstance(entry, Mapping):
        yield f"{name!r} is no mapping"
        return
    for key in sorted(set(entry) - _KEYS):
        yield f"{name!r} has an unknown key {key!r}{near_misses(key, _KEYS)}"
    seen, ancestor = {name}, entry.get("inheritsFrom")
    while ancestor is not None:
        if ancestor not in entries:
            yield f"{name!r} inherits from {ancestor!r}, which is not defined"
            return
        if ancestor in seen:
            yield f"{name!r} inherits from itself through {ancestor!r}"
            return
        seen.add(ancestor)
        ancestor = entries[ancestor].get("inheritsFrom")
    if not any("pytype" in entries[one] for one in seen):
        yield f"{name!r} names no pytype"
    for key in ("components", "derivedComponents"):
        for component, target in entry.get(key, {}).items():
            if target not in entries:
                yield f"{name!r} has a component {component!r} of unknown class {target!r}"


def _build(name: str, entries: Mapping[str, Mapping[str, Any]]) -> StorageClass:
    """Make one storage class, what it inherits included; its own entry wins."""
    lineage: list[Mapping[str, Any]] = []
    ancestor: str | None = name
    while ancestor is not None:
        lineage.insert(0, entries[ancestor])
        ancestor = entries[ancestor].get("inheritsFrom")

    def merged(key: str) -> dict[str, str]:
        return {k: v for entry in lineage for k, v in entry.get(key, {}).items()}

    return StorageClass(
        name=name,
        pytype_name=[entry["pytype"] for entry in lineage if "pytype" in entry][-1],
        components=merged("components"),
        derived_components=merged("derivedComponents"),
        parameters=frozenset(p for entry in lineage for p in entry.get("parameters", ())),
        converters=merged("converters"),
    )


def _dotted_name(given: type[Any]) -> str:
    """Dotted name of a type; a builtin's is its bare name."""
    if given.__module__ == "builtins":
        return given.__qualname__
    return f"{given.__module__}.{given.__qualname__}"


def _names_ancestor(dotted: str, given: type[Any]) -> bool:
    """Tell whether a dotted name means an ancestor of a type, importing no new package."""
    package = dotted.split(".", maxsplit=1)[0]
    if not any(ancestor.__module__.split(".")[0] == package for ancestor in given.__mro__):
        return False
    found = import_dotted(dotted, asked_by="a storage class's converter")
    return isinstance(found, type) and issubclass(given, found)


def _is_installed(dotted: str) -> bool:
    """Tell whether the package that a dotted type name begins with is there."""
    package = dotted.split(".", maxsplit=1)[0]
    return "." not in dotted or importlib.util.find_spec(package) is not None
