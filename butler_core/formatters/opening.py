"""Opens a dataset's file for reading, local or through fsspec.

Understands no format.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from butler_core.errors import ReadFileError
from butler_core.formatters.formatter import ReadRequest

#: Bytes that a remote file is read ahead by: headers and cut-outs come in small pieces, and a
#: request to an object store costs about as long as this many bytes take.
REMOTE_BLOCK_BYTES = 131_072


def local_path(path: str) -> Path | None:
    """Return the local path that a path or URL stands for.

    Parameters
    ----------
    path
        A path, a ``file://`` URL or another URL.

    Returns
    -------
    pathlib.Path or None
        None for what is not on a local file system.
    """
    if path.startswith("file://"):
        return Path(unquote(urlsplit(path).path))
    return None if "://" in path else Path(path)


def open_url(request: ReadRequest) -> IO[bytes]:
    """Open a remote file so that only what is asked for is fetched.

    Parameters
    ----------
    request
        Names the URL and the file system's options.
    """
    import fsspec

    file_system, key = fsspec.core.url_to_fs(request.path, **(request.fs_options or {}))
    stream: IO[bytes] = file_system.open(
        key, "rb", block_size=REMOTE_BLOCK_BYTES, cache_type="readahead"
    )
    return stream


@contextmanager
def open_binary(request: ReadRequest) -> Iterator[IO[bytes]]:
    """Open the file of a request for reading bytes.

    Parameters
    ----------
    request
        Names the file.

    Yields
    ------
    IO[bytes]
        The file, closed at the end.

    Raises
    ------
    ReadFileError
        If it cannot be opened.
    """
    path = local_path(request.path)
    try:
        stream: Any = open_url(request) if path is None else path.open("rb")
    except (OSError, ImportError, ValueError) as error:
        raise cannot_open(request, error) from error
    with stream:
        yield stream


def read_bytes(request: ReadRequest) -> bytes:
    """Return all bytes of the file of a request.

    Parameters
    ----------
    request
        Names the file.
    """
    with open_binary(request) as stream:
        return stream.read()


def read_text(request: ReadRequest) -> str:
    """Return the file of a request as UTF-8 text.

    Parameters
    ----------
    request
        Names the file.

    Raises
    ------
    ReadFileError
        If it cannot be opened or is no UTF-8 text.
    """
    try:
        return read_bytes(request).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadFileError(f"{request.path!r} is no UTF-8 text: {error}.") from error


def cannot_open(request: ReadRequest, error: Exception) -> ReadFileError:
    """Make the error that says why a file could not be opened.

    Parameters
    ----------
    request
        Names the file.
    error
        What the attempt raised.
    """
    if isinstance(error, FileNotFoundError):
        return ReadFileError(
            f"no file at {request.path!r}; it was moved or removed after it was registered."
        )
    reason = getattr(error, "strerror", None) or str(error)
    return ReadFileError(f"cannot open {request.path!r}: {reason}.")
