"""Text from a command line or a YAML file, read as a Python literal.

Evaluates nothing: operators and calls are refused. A bare name stands for
itself, or for what the caller says that names mean.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

_NO_NAMES: Mapping[str, Any] = MappingProxyType({})


def parse_text(text: str, names: Mapping[str, Any] = _NO_NAMES) -> Any:
    """Read a text as a Python literal if it is one.

    Parameters
    ----------
    text
        Such as ``3``, ``[a, 'b']`` or ``deep``.
    names
        What a bare name stands for; one that is not here stands for itself.

    Returns
    -------
    object
        A number, bool, None, str, list, tuple, dict or set; the text itself if
        it is no literal.
    """
    with warnings.catch_warnings():
        # Text such as '1is' or '\d' makes the parser warn about Python style.
        warnings.simplefilter("ignore")
        try:
            return _value_of(ast.parse(text.strip(), mode="eval").body, names)
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
            return text


def readings(value: Any, names: Mapping[str, Any]) -> Iterator[Any]:
    """Go through what a value may mean, the likeliest first.

    Parameters
    ----------
    value
        What YAML or a command line gave: text, or anything else.
    names
        What bare names stand for.

    Yields
    ------
    object
        Text read as a literal, with names and without, then as itself; texts
        in a list or mapping likewise. Anything else is what it is.
    """
    if isinstance(value, str):
        yield parse_text(value, names)
        yield parse_text(value)
    elif isinstance(value, dict):
        for known in (names, _NO_NAMES):
            yield {k: parse_text(v, known) if isinstance(v, str) else v for k, v in value.items()}
    elif isinstance(value, list):
        for known in (names, _NO_NAMES):
            yield [parse_text(v, known) if isinstance(v, str) else v for v in value]
    yield value


def _value_of(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Turn a syntax node into the literal it stands for, or raise ValueError."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.List(elts=elements):
            return [_value_of(element, names) for element in elements]
        case ast.Tuple(elts=elements):
            return tuple(_value_of(element, names) for element in elements)
        case ast.Set(elts=elements):
            return {_value_of(element, names) for element in elements}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {
                _value_of(key, names): _value_of(value, names)
                for key, value in pairs
                if key is not None
            }
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value_of(operand, names)
    raise ValueError(f"{ast.dump(node)} is no literal")
