"""Brings a file into place in one of the transfer modes. Syncs nothing; see ``syncing``."""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
from pathlib import Path

from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import TransferError

#: How often a directory is made again that another process removes as empty.
_ATTEMPTS = 5

#: Tells this process's temporary files from those of others of its number.
_TOKEN = os.urandom(8).hex()
_NUMBERS = itertools.count()

#: What `temporary_name` makes.
_HIDDEN_NAME = re.compile(r"\.(?P<pid>\d{1,10})\.[0-9a-f]{16}\.\d+\.tmp", re.ASCII)


def transfer_file(source: str | Path, target: str | Path, mode: TransferMode) -> None:
    """Make ``target`` from ``source``; whoever looks sees all of it or nothing.

    A file that is at the target is replaced: the caller has made sure that it
    is nobody's.

    Parameters
    ----------
    source
        An existing file.
    target
        Where it goes; its directory is made.
    mode
        Any but ``direct`` and ``auto``.

    Raises
    ------
    TransferError
        If the mode is impossible here, or the disk refuses.
    """
    source, target = os.fspath(source), os.fspath(target)
    try:
        for attempt in range(_ATTEMPTS):
            try:
                _bring(source, target, mode)
                return
            except FileNotFoundError:
                directory = os.path.dirname(target)  # noqa: PTH120 - text, for 10^5 files
                is_last = attempt + 1 == _ATTEMPTS
                if is_last or os.path.isdir(directory) or not os.path.exists(source):  # noqa: PTH110, PTH112 - as above
                    raise
                os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - as above
    except OSError as error:
        raise TransferError(
            f"cannot {mode} {source!r} to {target!r}: {error.strerror or error}"
        ) from error


def _bring(source: str, target: str, mode: TransferMode) -> None:
    """Make a file in a directory that is there."""
    directory = os.path.dirname(target)  # noqa: PTH120 - text, for 10^5 files
    if mode is TransferMode.MOVE and os.stat(source).st_dev == os.stat(directory).st_dev:  # noqa: PTH116 - as above
        os.rename(source, target)  # noqa: PTH104 - as above
        return
    temporary = f"{directory}/{_hidden_name()}"
    try:
        _TRANSFERS[mode](source, temporary)
        os.rename(temporary, target)  # noqa: PTH104 - as above
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if mode is TransferMode.MOVE:
        os.unlink(source)  # noqa: PTH108 - as above


def temporary_name(target: Path) -> Path:
    """Return the name under which a file is made before it gets its own."""
    return target.with_name(_hidden_name())


def maker_of(name: str) -> int | None:
    """Return the number of the process that a temporary file is of; None if the name is no such."""
    match = _HIDDEN_NAME.fullmatch(name)
    return None if match is None else int(match["pid"])


def _hidden_name() -> str:
    # The target's own name may be as long as a name can be, so it is not part of this one.
    return f".{os.getpid()}.{_TOKEN}.{next(_NUMBERS)}.tmp"


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        _symlink(source, target)


def _hardlink(source: str, target: str) -> None:
    os.link(os.path.realpath(source), target)


def _symlink(source: str, target: str) -> None:
    Path(target).symlink_to(os.path.abspath(source))  # noqa: PTH100 - keeps symbolic links


def _relative_symlink(source: str, target: str) -> None:
    beside = Path(target).absolute().parent
    Path(target).symlink_to(os.path.relpath(Path(source).absolute(), beside))


_TRANSFERS = {
    TransferMode.COPY: _copy,
    TransferMode.MOVE: _copy,
    TransferMode.LINK: _link,
    TransferMode.HARDLINK: _hardlink,
    TransferMode.SYMLINK: _symlink,
    TransferMode.RELSYMLINK: _relative_symlink,
}
