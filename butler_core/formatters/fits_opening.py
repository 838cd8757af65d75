"""Opens FITS files, local or remote, and tells broken ones from whole ones.

HDUs are looked at one after the other, no further than needed. Knows nothing
of what is in them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from butler_core.errors import ButlerError, ReadFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import cannot_open, local_path, open_url
from butler_core.formatters.unzipping import GZIP_MAGIC, UnzippingFile


class FitsFile:
    """An open FITS file.

    Parameters
    ----------
    hdus
        The open `astropy.io.fits.HDUList`.
    path
        Name of the file, for messages.
    n_bytes
        Size of the file, or None where it is not known (compressed as a whole).
    """

    def __init__(self, hdus: Any, path: str, n_bytes: int | None) -> None:
        self._hdus = hdus
        self._n_bytes = n_bytes
        self.path = path

    def __iter__(self) -> Iterator[Any]:
        """Yield the HDUs in order, reading each one's header when it is reached."""
        index = 0
        while True:
            hdu = self.get(index)
            if hdu is None:
                return
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
            If the file ends before the HDU's data do.
        """
        for reached in range(index + 1):
            try:
                hdu = self._hdus[reached]
            except IndexError:
                return None
            if self._is_last(hdu, reached) and reached < index:
                return None
        return hdu

    def find(self, is_wanted: Callable[[Any], bool]) -> Any | None:
        """Return the first HDU that satisfies a condition, or None.

        Parameters
        ----------
        is_wanted
            The condition; is given HDUs whose data are not read yet.
        """
        return next((hdu for hdu in self if is_wanted(hdu)), None)

    def _is_last(self, hdu: Any, index: int) -> bool:
        """Tell whether the file ends with an HDU; a file that ends inside it is an error."""
        if self._n_bytes is None:
            return False
        end = hdu._data_offset + hdu._data_size  # noqa: SLF001 - the public fileinfo() lacks it
        padding = 2880  # Size of a FITS block; a last block cut short of its padding is readable.
        if self._n_bytes <= end - padding:
            raise ReadFileError(
                f"{self.path!r} is truncated: HDU {index} ({hdu.name or 'unnamed'}) ends at byte "
                f"{end}, the file at byte {self._n_bytes}."
            )
        return bool(self._n_bytes <= end)


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
    from astropy.io.fits import VerifyError

    hdus, n_bytes = _open(request)
    try:
        with hdus:
            yield FitsFile(hdus, request.path, n_bytes)
    except ButlerError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, zlib.error, VerifyError) as error:
        raise ReadFileError(f"{request.path!r} cannot be read as FITS: {error}.") from error


def _open(request: ReadRequest) -> tuple[Any, int | None]:
    """Open the HDU list; return it and the size of the file."""
    from astropy.io import fits

    path = local_path(request.path)
    try:
        stream: Any = open_url(request) if path is None else path.open("rb")
    except (OSError, ImportError, ValueError) as error:
        raise cannot_open(request, error) from error
    try:
        magic = stream.read(len(GZIP_MAGIC))
        stream.seek(0)
        if magic == GZIP_MAGIC:
            unzipping = UnzippingFile(stream)
            return fits.open(unzipping, memmap=False, lazy_load_hdus=True), None
        if path is None:
            n_bytes = getattr(stream, "size", None)
            return fits.open(stream, memmap=False, lazy_load_hdus=True), n_bytes
        stream.close()
        return fits.open(path, memmap=True, lazy_load_hdus=True), path.stat().st_size
    except (OSError, EOFError, ValueError, zlib.error) as error:
        stream.close()
        what = "is empty" if not magic else "is no FITS file, or its first header is cut short"
        raise ReadFileError(f"{request.path!r} {what}: {error}.") from error
