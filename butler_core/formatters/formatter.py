"""What every formatter offers, and what it is asked.

Defines the protocol and the read request. Chooses no formatter (see
``formatter_table``) and opens no file (see ``opening``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from butler_core.datasets.storage_class import StorageClass
from butler_core.errors import ParameterError, near_misses


@dataclass(frozen=True)
class ReadRequest:
    """One dataset, or part of one, to be read from its file."""

    #: Local path, or a URL that fsspec opens (``"s3://bucket/key"``).
    path: str
    #: Storage class of the whole dataset in the file.
    storage_class: StorageClass
    #: Component to read alone, or None for the whole.
    component: str | None = None
    #: Read parameters by name (``bbox``, ``columns``).
    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: Data ID of the dataset, by dimension name.
    data_id: Mapping[str, Any] = field(default_factory=dict)
    #: Options for the fsspec file system of a URL.
    fs_options: Mapping[str, Any] | None = None
    #: Folders with YAML files of cameras that are not packaged, for raw files.
    camera_directories: tuple[str, ...] = ()

    def take_parameters(self, *allowed: str) -> Mapping[str, Any]:
        """Return the parameters, all of which must be among those allowed.

        Parameters
        ----------
        *allowed
            Names that the caller honours.

        Raises
        ------
        ParameterError
            If another one was given.
        """
        for name in self.parameters:
            if name not in allowed:
                what = self.storage_class.name + (f".{self.component}" if self.component else "")
                raise ParameterError(
                    f"parameter {name!r} cannot be used to read {what!r} from {self.path!r}; "
                    f"usable: {', '.join(allowed) or 'none'}.{near_misses(name, allowed)}"
                )
        return self.parameters

    def unknown_component(self, known: Iterable[str]) -> ParameterError:
        """Make the error that says the file holds no such component.

        Parameters
        ----------
        known
            Components that could have been read.
        """
        names = sorted(known)
        return ParameterError(
            f"no component {self.component!r} in {self.path!r}, a {self.storage_class.name!r}; "
            f"it has {', '.join(names) or 'none'}.{near_misses(str(self.component), names)}"
        )


class Formatter(Protocol):
    """Writes datasets of one format to a file, and reads them back.

    Formatters are immutable and made without arguments, or with write
    parameters by keyword. Rule: the same object gives the same bytes, whenever
    and wherever it is written.
    """

    #: Suffix of the files written, with its dot.
    extension: ClassVar[str]
    #: Names of the keyword arguments that the formatter may be made with.
    write_parameters: ClassVar[frozenset[str]]

    def write(self, obj: Any, path: Path) -> None:
        """Write a complete local file.

        Parameters
        ----------
        obj
            The dataset.
        path
            Where to write; a temporary name that the datastore renames.

        Raises
        ------
        WriteFileError
            If the object cannot be put in this format.
        """
        ...

    def read(self, request: ReadRequest) -> Any:
        """Read a dataset, or what of it was asked for.

        Parameters
        ----------
        request
            What to read.

        Returns
        -------
        Any
            The whole as the storage class's type; a component as it is.

        Raises
        ------
        ReadFileError
            If the file is absent, broken or of another format.
        ParameterError
            If a component or parameter cannot be honoured.
        """
        ...
