"""A tree as ``where`` text, in one canonical form.

Brackets stand only where the grammar needs them, so that the text of a
canonical tree is parsed to the same tree. Parses nothing.
"""

from __future__ import annotations

from butler_core.queries.expression_tree import (
    And,
    Binary,
    Bind,
    Call,
    Comparison,
    In,
    IsNull,
    Literal,
    LiteralValue,
    Name,
    Node,
    Not,
    Or,
    Overlaps,
    Range,
    TimeLiteral,
    TimespanLiteral,
    Unary,
)

# How tightly each form binds; a part of looser form stands in brackets.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGNED, _ATOM = range(1, 9)
_ARITHMETIC = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT}


def format_expression(node: Node) -> str:
    """Write a tree as text.

    Parameters
    ----------
    node
        The root of a canonical tree, as `expression_tree` says.

    Returns
    -------
    str
        Text that is parsed to an equal tree.
    """
    return _write(node, _OR)


def _write(node: Node, at_least: int) -> str:
    """Write a part, in brackets if it binds more loosely than its place asks."""
    binding, text = _form(node)
    return text if binding >= at_least else f"({text})"


def _form(node: Node) -> tuple[int, str]:
    match node:
        case Or(operands):
            return _OR, " OR ".join(_write(operand, _AND) for operand in operands)
        case And(operands):
            return _AND, " AND ".join(_write(operand, _NOT) for operand in operands)
        case Not(operand):
            return _NOT, f"NOT {_write(operand, _NOT)}"
        case Comparison() | Overlaps() | In() | IsNull():
            return _COMPARISON, _comparison(node)
        case Binary(op, left, right):
            binding = _ARITHMETIC[op]
            return binding, f"{_write(left, binding)} {op} {_write(right, binding + 1)}"
        case Unary(op, operand):
            return _SIGNED, f"{op}{_write(operand, _SIGNED)}"
        case Literal(int() | float() as value) if str(value).startswith("-"):
            return _SIGNED, str(value)
        case _:
            return _ATOM, _atom(node)


def _comparison(node: Comparison | Overlaps | In | IsNull) -> str:
    match node:
        case Comparison(op, left, right):
            return f"{_write(left, _SUM)} {op} {_write(right, _SUM)}"
        case Overlaps(left, right):
            return f"{_write(left, _SUM)} OVERLAPS {_write(right, _SUM)}"
        case In(member, items, negated):
            word = "NOT IN" if negated else "IN"
            return f"{_write(member, _SUM)} {word} ({_list(items)})"
        case IsNull(operand, negated):
            return f"{_write(operand, _SUM)} IS {'NOT ' if negated else ''}NULL"


def _atom(node: Node) -> str:
    match node:
        case Literal(value):
            return _literal(value)
        case TimeLiteral(text):
            return f"T'{text}'"
        case TimespanLiteral(begin, end):
            return f"({_list((begin, end))})"
        case Range(start, stop, step):
            return f"{start}..{stop}" + (f":{step}" if step != 1 else "")
        case Name():
            return str(node)
        case Bind(name):
            return f":{name}"
        case Call(function, args):
            return f"{function}({_list(args)})"
        case _:
            raise TypeError(f"{node!r} is no node of an expression")


def _literal(value: LiteralValue) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case int() | float():
            return str(value)
        case _:
            return f"UUID('{value}')"


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(_write(node, _OR) for node in nodes)
