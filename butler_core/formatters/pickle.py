"""Pickles that other software wrote: refused, unless the repository's owner allows them.

Reading a pickle runs whatever program its writer put into it. None are
written.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_bytes


@dataclass(frozen=True)
class PickleFormatter:
    """Reads pickled objects where that is allowed.

    Parameters
    ----------
    is_allowed
        Whether this repository's pickles are trusted.
    """

    is_allowed: bool = False

    extension: ClassVar[str] = ".pickle"
    write_parameters: ClassVar[frozenset[str]] = frozenset({"is_allowed"})

    def write(self, obj: Any, path: Path) -> None:
        """Refuse to write.

        Parameters
        ----------
        obj
            Any object.
        path
            Not touched.
        """
        raise WriteFileError(
            f"a {type(obj).__name__} is not written to {path.name!r} as a pickle; give its storage "
            "class a formatter under 'formatters' in butler.yaml."
        )

    def read(self, request: ReadRequest) -> Any:
        """Read a pickled object, if that is allowed.

        Parameters
        ----------
        request
            Takes no component and no parameter.
        """
        if not self.is_allowed:
            raise ReadFileError(
                f"{request.path!r} is a pickle, and reading one runs whatever program it contains. "
                "If you trust every file of this repository, set 'allow_pickle: true' in its "
                "butler.yaml."
            )
        request.take_parameters()
        if request.component is not None:
            raise request.unknown_component(())
        content = read_bytes(request)
        try:
            obj = pickle.loads(content)  # noqa: S301 - the owner allowed it
        except (
            pickle.UnpicklingError,
            EOFError,
            ImportError,
            AttributeError,
            IndexError,
            TypeError,
            ValueError,
        ) as error:
            raise ReadFileError(f"{request.path!r} cannot be unpickled: {error}.") from error
        return request.storage_class.check(obj)
