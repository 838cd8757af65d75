"""Brings a file into place in one of the transfer modes. Syncs nothing; see ``syncing``."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import TransferError


def transfer_file(source: Path, target: Path, mode: TransferMode) -> None:
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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode is TransferMode.MOVE and source.stat().st_dev == target.parent.stat().st_dev:
            source.rename(target)
            return
        temporary = temporary_name(target)
        try:
            _TRANSFERS[mode](source, temporary)
            temporary.rename(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if mode is TransferMode.MOVE:
            source.unlink()
    except OSError as error:
        raise TransferError(
            f"cannot {mode} {str(source)!r} to {str(target)!r}: {error.strerror or error}"
        ) from error


def temporary_name(target: Path) -> Path:
    """Return the name under which a file is made before it gets its own."""
    # The target's own name may be as long as a name can be, so it is not part of this one.
    return target.with_name(f".{os.getpid()}.{os.urandom(8).hex()}.tmp")


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        _symlink(source, target)


def _hardlink(source: Path, target: Path) -> None:
    os.link(source.resolve(), target)


def _symlink(source: Path, target: Path) -> None:
    target.symlink_to(source.absolute())


def _relative_symlink(source: Path, target: Path) -> None:
    target.symlink_to(os.path.relpath(source.absolute(), target.parent.absolute()))


_TRANSFERS = {
    TransferMode.COPY: _copy,
    TransferMode.MOVE: _copy,
    TransferMode.LINK: _link,
    TransferMode.HARDLINK: _hardlink,
    TransferMode.SYMLINK: _symlink,
    TransferMode.RELSYMLINK: _relative_symlink,
}
