"""Reads a sky map's configuration: YAML, or Rubin's Python files, and overrides.

A Python file is not run: it is read as assignments of values that can be
computed from numbers, texts, lists and names assigned before. So a file from
elsewhere can do no harm.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from butler_core.errors import ConfigError
from butler_core.skymaps.config import SkyMapConfig

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
#: Fields that choose one of several kinds: assigning a text to them names the kind.
_CHOICES = frozenset({"skyMap", "tractBuilder"})


def load_config(path: str | Path | None = None, overrides: Iterable[str] = ()) -> SkyMapConfig:
    """Return the sky map that a file and overrides describe.

    Parameters
    ----------
    path
        A ``.py`` file of assignments to ``config.name``,
        ``config.skyMap["rings"].numRings`` and so on, or a YAML file with the
        same fields as nested mappings; None for overrides alone.
    overrides
        ``field=value``, such as ``name=rings_v1`` or
        ``skyMap["rings"].numRings=120``; applied in order, after the file.

    Raises
    ------
    ConfigError
        If the file cannot be read, or does not describe a sky map.
    """
    content: dict[str, Any] = {}
    source = "the sky map's configuration"
    if path is not None:
        source = repr(str(path))
        content = _read(Path(path))
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise ConfigError(f"the override {override!r} is no FIELD=VALUE")
        _override(content, name.strip(), value.strip())
    return SkyMapConfig.parse(content, source=source)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the sky map's configuration {str(path)!r}: {error}"
        ) from error
    if path.suffix == ".py":
        return _read_python(text, str(path))
    from butler_core.repository.configuration import load_yaml

    content = load_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{str(path)!r} must hold a mapping with name and skyMap")
    return content


def _read_python(text: str, source: str) -> dict[str, Any]:
    content: dict[str, Any] = {}
    names: dict[str, Any] = {}
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ConfigError(f"{source!r} is no Python: {error}") from error
    for statement in tree.body:
        _apply(statement, content, names, source)
    return content


def _apply(
    statement: ast.stmt, content: dict[str, Any], names: dict[str, Any], source: str
) -> None:
    where = f"{source!r}, line {statement.lineno}"
    if isinstance(statement, ast.Import) and all(a.name == "math" for a in statement.names):
        return
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return  # A docstring.
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise ConfigError(
            f"{where}: only assignments such as config.skyMap['rings'].numRings = 120 are "
            "understood; the file is read, not run"
        )
    target = statement.targets[0]
    value = _value(statement.value, names, where)
    if isinstance(target, ast.Name) and target.id != "config":
        names[target.id] = value
        return
    fields = _fields(target, where)
    _assign(content, fields, value)


def _override(content: dict[str, Any], name: str, text: str) -> None:
    where = f"the override {name}={text}"
    try:
        target = ast.parse(f"config.{name}", mode="eval").body
    except SyntaxError as error:
        raise ConfigError(f"{where} names no field: {error.msg}") from error
    try:
        value = _value(ast.parse(text, mode="eval").body, {}, where)
    except (SyntaxError, ConfigError):
        value = text  # A text need not be quoted.
    _assign(content, _fields(target, where), value)


def _fields(target: ast.AST, where: str) -> list[str]:
    """Return ``config.skyMap["rings"].numRings`` as a list of names, ``config`` left out."""
    if isinstance(target, ast.Name) and target.id == "config":
        return []
    if isinstance(target, ast.Attribute):
        return [*_fields(target.value, where), target.attr]
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return [*_fields(target.value, where), str(target.slice.value)]
    raise ConfigError(f"{where}: {ast.unparse(target)!r} is no field of config")


def _assign(content: dict[str, Any], fields: list[str], value: Any) -> None:
    place = content
    for depth, name in enumerate(fields[:-1]):
        if name == "active":
            name = str(place.get("name", "dodeca" if depth == 1 else "legacy"))
        inner = place.setdefault(name, {})
        if isinstance(inner, str):
            inner = place[name] = {"name": inner}
        place = inner
    if fields and fields[-1] in _CHOICES and isinstance(value, str):
        _assign(content, [*fields, "name"], value)
        return
    place[fields[-1]] = value


def _value(node: ast.expr, names: dict[str, Any], where: str) -> Any:
    """Compute an expression of constants, arithmetic, lists, known names and ``math``."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item, names, where) for item in node.elts]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, names, where), _value(node.right, names, where)
        return _computed(type(node.op), where, left, right)
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        return _computed(type(node.op), where, _value(node.operand, names, where))
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "math"
        and isinstance(getattr(math, node.attr, None), float)
    ):
        return getattr(math, node.attr)
    raise ConfigError(f"{where}: cannot tell the value of {ast.unparse(node)!r}")


def _computed(operation: type[ast.AST], where: str, *values: Any) -> Any:
    if not all(isinstance(value, int | float) for value in values):
        raise ConfigError(f"{where}: arithmetic is for numbers, not {values!r}")
    try:
        return _OPERATORS[operation](*values)
    except (ArithmeticError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
