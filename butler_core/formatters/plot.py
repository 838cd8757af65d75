"""Pictures as PNG files.

A figure is drawn once; what is read back is the picture's bytes, since no
file gives a figure back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_bytes

#: First bytes of every PNG file.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class PlotFormatter:
    """Writes matplotlib figures and PNG bytes; reads PNG bytes.

    Parameters
    ----------
    dots_per_inch
        Resolution that figures are drawn with [1/inch].
    """

    dots_per_inch: int = 100

    extension: ClassVar[str] = ".png"
    write_parameters: ClassVar[frozenset[str]] = frozenset({"dots_per_inch"})

    def write(self, obj: Any, path: Path) -> None:
        """Write a picture.

        Parameters
        ----------
        obj
            A matplotlib figure, or the bytes of a PNG file.
        path
            Where to write.
        """
        if isinstance(obj, (bytes, bytearray)):
            if not obj.startswith(_SIGNATURE):
                raise WriteFileError(f"{bytes(obj[:8])!r} does not begin a PNG file.")
            path.write_bytes(obj)
        elif hasattr(obj, "savefig"):
            # Without metadata, which would name the version of the library.
            obj.savefig(path, format="png", dpi=self.dots_per_inch, metadata={"Software": None})
        else:
            raise WriteFileError(
                f"a {type(obj).__name__} is no picture; give a matplotlib figure or PNG bytes."
            )

    def read(self, request: ReadRequest) -> Any:
        """Read the bytes of a picture.

        Parameters
        ----------
        request
            Takes no component and no parameter.
        """
        request.take_parameters()
        if request.component is not None:
            raise request.unknown_component(())
        content = read_bytes(request)
        if not content.startswith(_SIGNATURE):
            raise ReadFileError(f"{request.path!r} is no PNG file: it begins with {content[:8]!r}.")
        return request.storage_class.check(content)
