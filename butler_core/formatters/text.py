"""Texts as they are: logs, configurations, anything in UTF-8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from butler_core.errors import WriteFileError
from butler_core.formatters.bytes_formatter import BytesFormatter
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_text


@dataclass(frozen=True)
class TextFormatter(BytesFormatter):
    """Reads and writes `str` objects; line ends stay as they are."""

    extension: ClassVar[str] = ".txt"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def to_bytes(self, obj: Any) -> bytes:
        """Return a text as UTF-8.

        Parameters
        ----------
        obj
            A `str`.
        """
        if not isinstance(obj, str):
            raise WriteFileError(f"a {type(obj).__name__} is no text; give a str.")
        return obj.encode()

    def read(self, request: ReadRequest) -> Any:
        """Read a text.

        Parameters
        ----------
        request
            Takes no component and no parameter.
        """
        request.take_parameters()
        if request.component is not None:
            raise request.unknown_component(())
        return request.storage_class.check(read_text(request))
