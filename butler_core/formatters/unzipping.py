"""A gzipped file as one that can be read anywhere, unzipped no further than needed.

Python's own unzips from the start again whenever one goes back.
"""

from __future__ import annotations

import gzip
import io
from typing import IO

#: First bytes of every gzip file (RFC 1952).
GZIP_MAGIC = b"\x1f\x8b"

#: Bytes unzipped at a time.
_CHUNK_BYTES = 1 << 20


class UnzippingFile(io.RawIOBase):
    """Read-only file that keeps what it has unzipped in memory.

    Parameters
    ----------
    zipped
        The gzipped file; closed with this one.
    """

    def __init__(self, zipped: IO[bytes]) -> None:
        super().__init__()
        self._zipped = zipped
        self._source = gzip.GzipFile(fileobj=zipped, mode="rb")
        self._content = bytearray()
        self._position = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that one can go anywhere."""
        return True

    def tell(self) -> int:
        """Return the position [byte]."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position; to go by the end, all is unzipped."""
        if whence == io.SEEK_END:
            self._unzip_to(None)
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._content)}
        self._position = max(0, start[whence] + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, fewer at the end of the file."""
        end = None if size is None or size < 0 else self._position + size
        self._unzip_to(end)
        with memoryview(self._content) as view:
            found = bytes(view[self._position : end])
        self._position += len(found)
        return found

    def close(self) -> None:
        """Close the gzipped file, too."""
        if not self.closed:
            self._source.close()
            self._zipped.close()
        super().close()

    def _unzip_to(self, end: int | None) -> None:
        """Unzip up to a position, or everything."""
        while end is None or len(self._content) < end:
            chunk = self._source.read(_CHUNK_BYTES)
            if not chunk:
                return
            self._content += chunk
