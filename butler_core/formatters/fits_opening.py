"""Opens FITS files, local or remote, and tells broken ones from whole ones.

HDUs are looked at one after the other, no further than needed. Knows nothing
of what is in them.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from butler_core.errors import ButlerError, ReadFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import cannot_open, local_path, open_url
from butler_core.formatters.unzipping import GZIP_MAGIC, UnzippingFile

#: First bytes of every FITS file.
_FITS_MAGIC = b"SIMPLE  ="

#: FITS files are made of blocks of this size [byte].
_BLOCK_BYTES = 2880


class _LocalFile(io.FileIO):
    """A local file that does not tell its size.

    astropy asks for it (by going to the end) only to warn where a file is too
    short, and does so before one can look; `FitsFile` makes an error of it.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return super().seek(0 if whence == io.SEEK_END else offset, whence % io.SEEK_END)


class _Stream(io.RawIOBase):
    """Any other stream, telling its size no more than `_LocalFile`."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._stream.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(0 if whence == io.SEEK_END else offset, whence % io.SEEK_END))

    def read(self, size: int | None = -1) -> bytes:
        found: bytes = self._stream.read(-1 if size is None else size)
        return found

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class FitsFile:
    """An open FITS file.

    Parameters
    ----------
    hdus
        The open `astropy.io.fits.HDUList`, its first HDU read.
    stream
        The stream that it reads.
    path
        Name of the file, for messages.
    n_bytes
        Size of the file, or None where it is not known (compressed as a whole).
    """

    def __init__(self, hdus: Any, stream: Any, path: str, n_bytes: int | None) -> None:
        self._hdus = hdus
        self._stream = stream
        self._n_bytes = n_bytes
        self._n_read = 0
        self._end = 0
        self._has_more = True
        self.path = path

    def __iter__(self) -> Iterator[Any]:
        """Yield the HDUs in order, reading each one's header when it is reached."""
        index = 0
        while (hdu := self.get(index)) is not None:
            yield hdu
            index += 1

    def get(self, index: int) -> Any | None:
        """Return an HDU, or None past the end of the file.

        Parameters
        ----------
        index
            Position of the HDU, from 0.

        Raises
        ------
        ReadFileError
            If the file ends before an HDU's header or data do.
        """
        while self._n_read <= index and self._has_more:
            self._read_next()
        return self._hdus[index] if index < self._n_read else None

    def find(self, is_wanted: Callable[[Any], bool]) -> Any | None:
        """Return the first HDU that satisfies a condition, or None.

        Parameters
        ----------
        is_wanted
            The condition; is given HDUs whose data are not read yet.
        """
        return next((hdu for hdu in self if is_wanted(hdu)), None)

    def _read_next(self) -> None:
        """Read one more header, unless the file ends here; what is no header ends it, too."""
        first = b"XTENSION" if self._n_read else _FITS_MAGIC
        is_whole = _has_header(self._stream, self._end, first)
        if is_whole is False:
            raise ReadFileError(
                f"{self.path!r} is truncated: it ends in the header of HDU {self._n_read}."
            )
        self._has_more = is_whole is not None
        if not self._has_more:
            return
        hdu = self._hdus[self._n_read]
        self._end = hdu._data_offset + hdu._data_size  # noqa: SLF001 - fileinfo() lacks the size
        # A last block cut short of its padding is readable.
        if self._n_bytes is not None and self._n_bytes <= self._end - _BLOCK_BYTES:
            raise ReadFileError(
                f"{self.path!r} is truncated: HDU {self._n_read} ({hdu.name or 'unnamed'}) ends at "
                f"byte {self._end}, the file at byte {self._n_bytes}."
            )
        self._n_read += 1


@contextmanager
def open_fits(request: ReadRequest) -> Iterator[FitsFile]:
    """Open the FITS file of a request.

    Whatever fails in reading it is raised as an error that names the file.

    Parameters
    ----------
    request
        Names the file.

    Yields
    ------
    FitsFile
        The file, closed at the end.

    Raises
    ------
    ReadFileError
        If it is absent, is no FITS file, is truncated or cannot be decoded.
    """
    from astropy.io import fits

    stream, n_bytes = _open(request)
    try:
        with stream:
            if _has_header(stream, 0, _FITS_MAGIC) is not True:
                raise _no_fits(stream, request.path)
            stream.seek(0)
            # None: mapped into memory where the pixels need no scaling.
            memmap = None if isinstance(stream, _LocalFile) else False
            with fits.open(stream, memmap=memmap, lazy_load_hdus=True) as hdus:
                yield FitsFile(hdus, stream, request.path, n_bytes)
    except ButlerError:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        zlib.error,
        fits.VerifyError,
    ) as error:
        raise ReadFileError(f"{request.path!r} cannot be read as FITS: {error}.") from error


def _open(request: ReadRequest) -> tuple[Any, int | None]:
    """Open the file as bytes; return it and its size."""
    path = local_path(request.path)
    try:
        stream: Any = open_url(request) if path is None else _LocalFile(path, "rb")
    except (OSError, ImportError, ValueError) as error:
        raise cannot_open(request, error) from error
    n_bytes = getattr(stream, "size", None) if path is None else path.stat().st_size
    magic = stream.read(len(GZIP_MAGIC))
    stream.seek(0)
    if magic == GZIP_MAGIC:
        return _Stream(UnzippingFile(stream)), None
    return stream if path is not None else _Stream(stream), n_bytes


def _has_header(stream: Any, start: int, first: bytes) -> bool | None:
    """Tell whether a whole header is at a place: None if there is none, False if it is cut."""
    stream.seek(start)
    block = stream.read(_BLOCK_BYTES)
    if not block.startswith(first):
        return None
    while len(block) == _BLOCK_BYTES:
        cards = (block[place : place + 80] for place in range(0, _BLOCK_BYTES, 80))
        if any(card.rstrip() == b"END" for card in cards):
            return True
        block = stream.read(_BLOCK_BYTES)
    return False


def _no_fits(stream: Any, path: str) -> ReadFileError:
    """Make the error that says why a file is no readable FITS file."""
    stream.seek(0)
    begin = stream.read(len(_FITS_MAGIC))
    if not begin:
        return ReadFileError(f"{path!r} is empty, not a FITS file.")
    if begin == _FITS_MAGIC:
        return ReadFileError(f"{path!r} is truncated: it ends in its first header.")
    return ReadFileError(f"{path!r} is no FITS file: it begins with {begin!r}, not 'SIMPLE  ='.")
