"""Follows the pages of ``docs/`` as a reader would: writes files, types commands, compares answers.

A fenced block whose first line is ``# file: NAME`` becomes that file. In a ``console`` block a
line behind ``$ `` is typed into a shell, and the lines up to the next one are what it must answer:
``...`` stands for anything, on a line or for lines; blanks count as one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(?P<language>[\w+-]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (?P<name>\S+)\n")
#: Ends of lines that a shell goes on reading after.
_CONTINUED = "\\"


@dataclass(frozen=True)
class Step:
    """A file to write, or a command to type and its answer."""

    command: str = ""
    answer: str = ""
    file: str = ""
    content: str = ""


def steps(text: str) -> Iterator[Step]:
    for block in _FENCE.finditer(text):
        body = block["body"]
        named = _FILE.match(body)
        if named:
            yield Step(file=named["name"], content=body)
        elif block["language"] == "console":
            yield from _typed(body)


def _typed(body: str) -> Iterator[Step]:
    command: list[str] = []
    answer: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            if command:
                yield Step("\n".join(command), "\n".join(answer))
            command, answer = [line.removeprefix("$ ")], []
        elif command and not answer and command[-1].endswith(_CONTINUED):
            command.append(line.removeprefix("> "))
        else:
            answer.append(line)
    yield Step("\n".join(command), "\n".join(answer))


def answers(expected: str, found: str) -> bool:
    """Tell whether what came is what the page says."""
    words = [re.escape(" ".join(part.split())) for part in re.split(r"\.\.\.", expected)]
    pattern = r"\s?.*?\s?".join(words)
    return re.fullmatch(pattern, " ".join(found.split()), re.DOTALL) is not None


@dataclass(frozen=True)
class Reader:
    """Somebody who follows a page in a directory."""

    folder: Path

    def follow(self, page: str) -> None:
        for step in steps((DOCS / page).read_text(encoding="utf-8")):
            if step.file:
                (self.folder / step.file).write_text(step.content, encoding="utf-8")
            else:
                self._type(step)

    def _type(self, step: Step) -> None:
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"$ {step.command}\n{done.stdout}"
        assert answers(step.answer, done.stdout), (
            f"$ {step.command}\n--- the page says\n{step.answer}\n--- it answers\n{done.stdout}"
        )

    def _environment(self) -> dict[str, str]:
        programs = Path(sys.executable).parent
        return {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "COLUMNS": "100",
        }

    def prepare(self, *commands: str) -> None:
        """Run what the page takes for granted."""
        for command in commands:
            self._type(Step(command, "..."))


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)
