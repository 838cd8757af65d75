"""Arrays as NumPy's own ``.npy`` files.

Read in one go; arrays of Python objects, which would be pickles, are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import cannot_open, local_path, open_binary


@dataclass(frozen=True)
class NumpyFormatter:
    """Reads and writes `numpy.ndarray` objects."""

    extension: ClassVar[str] = ".npy"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Write an array.

        Parameters
        ----------
        obj
            Any shape; not of Python objects.
        path
            Where to write.
        """
        import numpy as np

        array = np.asanyarray(obj)
        if array.dtype.hasobject:
            raise WriteFileError(
                f"an array of {array.dtype} holds Python objects, which have no .npy form; give "
                "numbers, texts of fixed length or booleans."
            )
        if isinstance(array, np.ma.MaskedArray):
            raise WriteFileError(
                "a masked array has no .npy form; fill it, or write it as a table column."
            )
        with path.open("wb") as stream:
            np.lib.format.write_array(stream, array, allow_pickle=False)

    def read(self, request: ReadRequest) -> Any:
        """Read an array.

        Parameters
        ----------
        request
            Takes no component and no parameter.
        """
        import numpy as np

        request.take_parameters()
        if request.component is not None:
            raise request.unknown_component(())
        path = local_path(request.path)
        try:
            if path is not None:
                with path.open("rb") as stream:
                    array = np.load(stream, allow_pickle=False)
            else:
                with open_binary(request) as stream:
                    array = np.lib.format.read_array(stream, allow_pickle=False)
        except FileNotFoundError as error:
            raise cannot_open(request, error) from error
        except (OSError, ValueError, EOFError) as error:
            raise ReadFileError(f"{request.path!r} is no whole .npy file: {error}.") from error
        return request.storage_class.check(array)
