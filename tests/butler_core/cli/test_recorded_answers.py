"""The same questions to the same repository get the text that Rubin's program gave.

``recorded_answers.txt`` has commands and what Rubin's ``butler`` printed for them, on a repository
with the content of this folder's fixture; ids are masked. They go in order, since some of them
change chains.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def recorded() -> list[tuple[list[str], str]]:
    text = (Path(__file__).parent / "recorded_answers.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^\$ butler ", text, flags=re.MULTILINE)[1:]
    return [(shlex.split(line), rest) for line, _, rest in (b.partition("\n") for b in blocks)]


def test_answers_are_those_of_rubins_program(repo: Path, run: Callable[..., Result]) -> None:
    different = {}
    for args, expected in recorded():
        result = run(*(str(repo) if arg == "REPO" else arg for arg in args))
        given = _ID.sub("i" * 36, result.stdout)
        if result.exit_code != 0 or given != expected:
            different[" ".join(args)] = f"{given}{result.stderr}\n--- expected\n{expected}"

    assert not different, "\n".join(f"{command}\n{texts}" for command, texts in different.items())
    assert len(recorded()) > 30
