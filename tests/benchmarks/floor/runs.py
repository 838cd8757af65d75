"""What running trivial quanta takes at least: a file for each, written to last, alone or by loky."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from actor import Setting
from clock import clock

_TEXT = b"n: 1\n"
_BATCH = 64


def write(setting: Setting, *, n_files: int, n_workers: int) -> dict[str, Any]:
    """Write, sync and name a small file, again and again, in this process or in workers."""
    folders = [setting.folder / str(number) for number in range(n_files // _BATCH)]
    if n_workers == 1:
        with clock() as taken:
            for folder in folders:
                _write_batch(folder)
    else:
        from joblib.externals.loky import get_reusable_executor

        pool = get_reusable_executor(max_workers=n_workers, timeout=None)
        list(pool.map(_write_batch, [setting.folder / f"first{n}" for n in range(2 * n_workers)]))
        with clock() as taken:
            list(pool.map(_write_batch, folders))
        pool.shutdown()
    n = len(folders) * _BATCH
    return taken.facts(n=n, ms_each=1000 * taken.seconds / n)


def _write_batch(folder: Path) -> None:
    folder.mkdir()
    for number in range(_BATCH):
        target = folder / f"{number}.yaml"
        temporary = folder / f".{number}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(descriptor, _TEXT)
        os.fsync(descriptor)
        os.close(descriptor)
        temporary.rename(target)
