"""The rules of the house: how the code is shaped, whatever it does."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("butler_core", "pipetask", "pipelines")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
BANNED_NAMES = {"utils", "helpers", "common", "misc", "base", "core", "manager", "handler"}

#: Where any exception at all may be caught, and why.
MAY_CATCH_ALL = frozenset(
    {
        "butler_core/cli/program.py",  # the last door, behind which nobody could say it better
        "pipetask/execution/engines/serial.py",  # a future carries any exception
        "pipetask/execution/worker.py",  # a quantum's failure becomes its record
    }
)

#: What no file of the project may say: how it came about, or where.
UNWANTED = re.compile(
    r"\b(?:issue|pull request|pr|fixes|closes)\s+#\d+|\(#\d+\)|"
    r"\b(?:claude|anthropic|copilot|chatgpt|openai|as an ai|ai assistant|language model)\b|"
    r"/root/|/home/\w+/|/work/(?:main|shared)",
    re.IGNORECASE,
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


every_module = pytest.mark.parametrize("path", MODULES, ids=_name)


@every_module
def test_a_file_is_short(path: Path) -> None:
    count = len(path.read_text(encoding="utf-8").splitlines())

    assert count <= MAX_FILE_LINES, f"{count} lines"


@every_module
def test_functions_are_short(path: Path) -> None:
    long = {
        f"{node.name} (line {node.lineno})": count
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (count := _lines_of(node)) > MAX_FUNCTION_LINES
    }

    assert not long


def _lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from ``def`` to the last, without the docstring's."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return total
    docstring = node.body[0]
    return total - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


@every_module
def test_a_module_is_named_for_what_it_holds(path: Path) -> None:
    names = set(path.relative_to(ROOT).with_suffix("").parts[1:])

    assert not names & BANNED_NAMES


@every_module
def test_a_module_says_what_it_does(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert docstring
    assert docstring.strip()


@every_module
def test_all_exceptions_are_caught_only_where_a_failure_becomes_a_record(path: Path) -> None:
    caught = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and not _raises_again(node)
    ]

    assert not caught or _name(path) in MAY_CATCH_ALL, f"lines {caught}"


def _catches_all(node: ast.ExceptHandler) -> bool:
    if node.type is None:
        return True
    names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(isinstance(n, ast.Name) and n.id in ("Exception", "BaseException") for n in names)


def _raises_again(node: ast.ExceptHandler) -> bool:
    """Tell whether a handler only tidies up: its last statement raises."""
    return isinstance(node.body[-1], ast.Raise)


@every_module
def test_nothing_is_left_to_do(path: Path) -> None:
    found = re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))

    assert not found


@every_module
def test_every_public_name_exists(path: Path) -> None:
    if path.name == "__main__.py":
        return
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))

    missing = [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]

    assert not missing


@pytest.mark.parametrize("package", ["butler_core", "pipetask"])
def test_every_error_stands_in_the_drawn_tree(package: str) -> None:
    module = importlib.import_module(f"{package}.errors")
    drawn = _drawn_tree(module.__doc__ or "")
    errors = {
        name: error
        for name, error in vars(module).items()
        if inspect.isclass(error)
        and issubclass(error, Exception)
        and error.__module__ == module.__name__
    }

    assert set(drawn) == set(errors)
    for name, (parent, also) in drawn.items():
        bases = {base.__name__ for base in errors[name].__bases__}
        assert bases == ({base for base in (parent, *also) if base} or {"Exception"})


def _drawn_tree(docstring: str) -> dict[str, tuple[str | None, list[str]]]:
    """Return, of each error drawn, its parent and what else it is."""
    found: dict[str, tuple[str | None, list[str]]] = {}
    above: list[tuple[int, str]] = []
    for line in docstring.splitlines():
        match = re.fullmatch(r"([ │├└─]*)(\w+)(?:\s+\(([\w, ]+)\))?", line.rstrip())
        if match is None or not match[2].endswith(("Error", "Found")):
            continue
        depth = len(match[1])
        above = [(d, name) for d, name in above if d < depth]
        also = [name.strip() for name in (match[3] or "").split(",") if name.strip()]
        found[match[2]] = (above[-1][1] if above else None, also)
        above.append((depth, match[2]))
    return found


def _tracked_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and path != Path(__file__):
            yield path


def test_no_file_says_how_or_where_it_was_written() -> None:
    found = []
    for path in _tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if UNWANTED.search(line):
                found.append(f"{_name(path)}:{number}: {line.strip()[:80]}")

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import butler_core", "sqlalchemy astropy numpy duckdb lsst yaml lark pydantic networkx"),
        ("import pipetask", "sqlalchemy astropy numpy duckdb lsst yaml lark pydantic networkx"),
        ("import butler_core; butler_core.Butler", "astropy numpy duckdb lsst lark networkx"),
        ("import butler_core; butler_core.Timespan", "sqlalchemy astropy numpy duckdb lsst"),
        ("import butler_core; butler_core.DataCoordinate", "sqlalchemy astropy numpy duckdb lsst"),
    ],
)
def test_an_import_costs_no_more_than_it_must(statement: str, heavy: str) -> None:
    code = f"import sys; {statement}; print(*sorted(set({heavy.split()!r}) & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )

    assert done.stdout.strip() == ""
