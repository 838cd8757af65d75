"""Structured data as JSON files.

Dicts, lists, dataclasses, pydantic models and what ``plain_data`` reduces.
NaN and infinities are written as Python's JSON does (``NaN``, ``Infinity``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from butler_core.errors import ReadFileError
from butler_core.formatters.bytes_formatter import BytesFormatter
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import read_text
from butler_core.formatters.plain_data import component_of, to_plain


@dataclass(frozen=True)
class JsonFormatter(BytesFormatter):
    """Reads and writes structured data."""

    extension: ClassVar[str] = ".json"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def to_bytes(self, obj: Any) -> bytes:
        """Return structured data as JSON; keys keep their order.

        Parameters
        ----------
        obj
            What `plain_data.to_plain` takes.
        """
        text = json.dumps(to_plain(obj), ensure_ascii=False, indent=1)
        return f"{text}\n".encode()

    def read(self, request: ReadRequest) -> Any:
        """Read structured data, or the item of one key.

        Parameters
        ----------
        request
            A component is a key of the topmost dict.
        """
        request.take_parameters()
        text = read_text(request)
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ReadFileError(f"{request.path!r} is no JSON: {error}.") from error
        if request.component is not None:
            return component_of(content, request)
        return request.storage_class.check(content)
