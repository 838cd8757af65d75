"""Which formatter writes a dataset, and which reads a file that is there.

Looks formatters up by name and makes them; opens no file. The packaged table
is ``formatters.yaml``; a repository's configuration may add to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from butler_core.datasets.storage_class import StorageClass, import_dotted
from butler_core.errors import ConfigError, UnknownFormatterError, near_misses
from butler_core.formatters.formatter import Formatter

#: Formatters of raw files in Rubin's packages for its cameras.
_RUBIN_RAW = re.compile(r"lsst\.obs\.\w+(\.\w+)*\.\w*RawFormatter")


class FormatterTable:
    """The formatters of one repository.

    Parameters
    ----------
    overrides
        Formatter by dataset type or storage class name, from the repository's
        configuration: a dotted name, or ``{"formatter": name, "parameters":
        {...}}`` with write parameters.
    allow_pickle
        Whether pickles that other software wrote may be read.

    Raises
    ------
    ConfigError
        If an override is malformed.
    """

    def __init__(
        self,
        overrides: Mapping[str, str | Mapping[str, Any]] | None = None,
        *,
        allow_pickle: bool = False,
    ) -> None:
        packaged = _packaged()
        self._types: Mapping[str, str] = packaged["types"]
        self._aliases: Mapping[str, str] = packaged["aliases"]
        self._short: Mapping[str, str] = packaged["formatters"]
        self._entries = {name: _entry(name, given) for name, given in packaged["storage"].items()}
        self._entries.update(
            {name: _entry(name, given) for name, given in (overrides or {}).items()}
        )
        self._allow_pickle = allow_pickle
        #: Those that were asked for, by dataset type and storage class, and by name.
        self._writers: dict[tuple[str, str], Formatter] = {}
        self._readers: dict[str, Formatter] = {}

    def for_writing(self, dataset_type: str, storage_class: StorageClass) -> Formatter:
        """Return the formatter that writes a dataset.

        Parameters
        ----------
        dataset_type
            Name of the dataset type; looked up first.
        storage_class
            Looked up next by its name, then by its Python type.

        Raises
        ------
        UnknownFormatterError
            If there is none.
        """
        key = (dataset_type, storage_class.name)
        if key not in self._writers:
            self._writers[key] = self._writer(dataset_type, storage_class)
        return self._writers[key]

    def _writer(self, dataset_type: str, storage_class: StorageClass) -> Formatter:
        for key in (dataset_type, storage_class.name):
            if key in self._entries:
                name, parameters = self._entries[key]
                return self._make(name, parameters)
        if storage_class.pytype_name in self._types:
            return self._make(self._types[storage_class.pytype_name], {})
        raise UnknownFormatterError(
            f"no formatter writes dataset type {dataset_type!r} of storage class "
            f"{storage_class.name!r} ({storage_class.pytype_name}). Name one in butler.yaml: "
            f"'formatters: {{{storage_class.name}: yaml}}'; packaged ones are "
            f"{', '.join(self._short)}."
        )

    def for_reading(self, name: str) -> Formatter:
        """Return the formatter that reads files recorded under a name.

        Parameters
        ----------
        name
            As recorded with the file: ours (`formatter_name`), one of Rubin's,
            or a class of the user's.

        Raises
        ------
        UnknownFormatterError
            If it is none of these; raised when a dataset is read, so that
            files nobody can read can still be listed, copied and removed.
        """
        if name not in self._readers:
            self._readers[name] = self._make(self._aliases.get(name, name), {})
        return self._readers[name]

    def _make(self, name: str, parameters: Mapping[str, Any]) -> Formatter:
        """Import a formatter's class and make one."""
        dotted = self._short.get(name, name)
        if _RUBIN_RAW.fullmatch(dotted):
            dotted = self._short["raw"]
        if "." not in dotted:
            raise UnknownFormatterError(
                f"no formatter is called {name!r}; there are {', '.join(self._short)}."
                f"{near_misses(name, self._short)}"
            )
        try:
            made = import_dotted(dotted, asked_by="a dataset's file")
        except ConfigError as error:
            raise UnknownFormatterError(
                f"the file was written by the formatter {name!r}, which is neither installed nor "
                "has an equivalent here. Name one for its dataset type under 'formatters' in "
                "butler.yaml, or install its package."
            ) from error
        given = dict(parameters)
        if dotted == self._short["pickle"]:
            given.setdefault("is_allowed", self._allow_pickle)
        unknown = sorted(set(given) - set(made.write_parameters))
        if unknown:
            raise ConfigError(
                f"formatter {name!r} has no write parameter {', '.join(map(repr, unknown))}; it "
                f"has {', '.join(sorted(made.write_parameters)) or 'none'}."
            )
        formatter: Formatter = made(**given)
        return formatter


def formatter_name(formatter: Formatter) -> str:
    """Return the dotted name under which files of a formatter are recorded.

    Parameters
    ----------
    formatter
        Any formatter.
    """
    return f"{type(formatter).__module__}.{type(formatter).__qualname__}"


def _entry(name: str, given: str | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Read one line of a table: the formatter's name and its write parameters."""
    if isinstance(given, str):
        return given, {}
    if (
        isinstance(given, Mapping)
        and isinstance(given.get("formatter"), str)
        and set(given) <= {"formatter", "parameters"}
    ):
        return given["formatter"], given.get("parameters") or {}
    raise ConfigError(
        f"formatters: {name!r} is {given!r}; give the name of a formatter, or a mapping with "
        "'formatter' and 'parameters'."
    )


@cache
def _packaged() -> Mapping[str, Mapping[str, Any]]:
    """Read ``formatters.yaml``, which stands beside this file."""
    import yaml

    text = resources.files("butler_core.formatters").joinpath("formatters.yaml").read_text()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader
    return table
