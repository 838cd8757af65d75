"""The ``where`` language: text to tree.

Follows daf_butler's language and adds ``IS NULL``, ``TRUE``, ``FALSE``, ``==``
and quotes written twice inside a string. Decodes times and UUIDs; knows
nothing of dimensions, databases or bound values. `lark` is imported, and its
tables built, at the first parse.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from butler_core.errors import ExpressionSyntaxError
from butler_core.queries.expression_print import format_expression
from butler_core.queries.expression_tree import TRUE, Name, Node, binds_in, names_in, walk

if TYPE_CHECKING:
    from lark import Lark, Token

__all__ = ["binds_in", "format_expression", "names_in", "parse", "parse_order_by", "walk"]

#: Brackets and operators may nest this deep; what people write stays under ten.
MAX_DEPTH = 100

_ORDER_TERM = re.compile(r"(?P<minus>-?)(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,2})", re.ASCII)
_LAST_WORD = re.compile(r"(?:'[^']*'|[:\w.]+|[<>=!]+|\S)(?=\s*$)")
_LINE_WIDTH = 100

_HINTS = (
    (re.compile(r'"'), "strings stand in single quotes: 'text'"),
    (re.compile(r"'"), "this string has no closing quote; a quote inside it is written twice"),
    (re.compile(r"&"), "write AND"),
    (re.compile(r"\|"), "write OR"),
    (re.compile(r"!(?!=)"), "write NOT"),
    (re.compile(r"~"), "write NOT, or GLOB(column, 'pattern') to match text"),
    (re.compile(r"\["), "lists stand in round brackets"),
    (re.compile(r"between\b", re.IGNORECASE), "write IN (low..high), or two comparisons with AND"),
    (
        re.compile(r"i?like\b", re.IGNORECASE),
        "write GLOB(column, 'pattern'), where * stands for any text",
    ),
    (re.compile(r"-?\d+\s*\.\."), "a range stands in the brackets of IN: visit IN (1..10)"),
)


def parse(text: str) -> Node:
    """Read a ``where`` text.

    Parameters
    ----------
    text
        The expression; a blank one means TRUE.

    Returns
    -------
    Node
        The root of a canonical tree.

    Raises
    ------
    ExpressionSyntaxError
        If the text does not follow the grammar. The message shows the place,
        what was expected there, and a hint for the common slips.
    """
    if not text.strip():
        return TRUE
    from lark import UnexpectedCharacters, UnexpectedToken

    from butler_core.queries.expression_builder import MisplacedError

    try:
        tree: Node = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text.rstrip()) if at_end else error.token.start_pos or 0
        raise _unexpected(text, position, error.accepts or error.expected) from error
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
        message = f"{text[position]!r} has no meaning here"
        raise _syntax_error(text, position, message) from error
    except MisplacedError as error:
        raise _syntax_error(text, error.position, error.message, hinted=False) from error
    _refuse_deep(text, tree)
    return tree


def parse_order_by(terms: Iterable[str]) -> tuple[tuple[Name, bool], ...]:
    """Read the terms of an ``order_by``.

    Parameters
    ----------
    terms
        Names, each with a minus before it for descending order, such as
        ``"-exposure.timespan.begin"``.

    Returns
    -------
    tuple
        For each term its name, and whether the order is descending.

    Raises
    ------
    ExpressionSyntaxError
        If a term is no such name.
    """
    ordered = []
    for term in terms:
        match = _ORDER_TERM.fullmatch(term)
        if match is None:
            raise ExpressionSyntaxError(
                f"cannot order by {term!r}: a term is a name of one to three parts, such as "
                "'exposure.day_obs', with a '-' before it for descending order."
            )
        ordered.append((Name(tuple(match["name"].split("."))), match["minus"] == "-"))
    return tuple(ordered)


@functools.cache
def _parser() -> Lark:
    """Build the parser, once for the life of the program."""
    from lark import Lark

    from butler_core.queries.expression_builder import TreeBuilder

    grammar = Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(
        grammar, parser="lalr", lexer="basic", transformer=TreeBuilder(), maybe_placeholders=False
    )


def _unexpected(text: str, position: int, accepts: Iterable[str]) -> ExpressionSyntaxError:
    """Say that a token stands where another was expected."""
    before = _LAST_WORD.search(text[:position])
    place = f" after {_quoted(before[0])}" if before else ""
    after = re.match(r"'[^']*'|[:\w.]+|[<>=!]+|\S", text[position:])
    found = _quoted(after[0]) if after else "the end"
    message = f"expected {_in_words(set(accepts))}{place}, found {found}"
    return _syntax_error(text, position, message)


def _in_words(accepts: set[str]) -> str:
    """Say which tokens could stand at a place."""
    if "NAME" in accepts:
        words = ["a value"]
    elif "COMPARE" in accepts:
        words = ["an operator"]
    elif "_AND" in accepts:
        words = ["AND", "OR"]
    else:
        words = ["IN"] if "_IN" in accepts else []
        words += ["NULL", "NOT NULL"] if {"_NULL", "_NOT"} <= accepts else []
        words += ["NULL"] if accepts == {"_NULL"} else []
        words += ["a number"] if "NUMBER" in accepts else []
    words += ["','"] if "_COMMA" in accepts else []
    words += ["'('"] if accepts == {"LPAR"} else []
    words += ["')'"] if "RPAR" in accepts else []
    return " or ".join(words) or "the end"


def _syntax_error(
    text: str, position: int, message: str, *, hinted: bool = True
) -> ExpressionSyntaxError:
    """Make the error, with the line in question and a caret under the place."""
    hint = _hint(text, position) if hinted else ""
    begin = text.rfind("\n", 0, position) + 1
    line = text[begin:].partition("\n")[0]
    column = position - begin
    cut = max(0, column - _LINE_WIDTH * 3 // 4)
    shown = line[cut : cut + _LINE_WIDTH].replace("\t", " ")
    stop = "" if message.endswith((".", "?")) else "."
    return ExpressionSyntaxError(
        f"cannot read the expression: {message}{stop}{hint}\n  {shown}\n  {' ' * (column - cut)}^"
    )


def _hint(text: str, position: int) -> str:
    """Recognise a common slip, to say what to write instead."""
    before, after = text[:position].rstrip(), text[position:]
    if re.search(r"\bIN$", before, re.IGNORECASE):
        return " The values of IN stand in brackets: IN (1, 2) or IN (:name)."
    if re.search(r"\bT$", before, re.IGNORECASE) and after.startswith("'"):
        return " There is no space between the T of a time and its quote."
    if before.endswith("<") and after.startswith(">"):
        return " Write != for 'differs from'."
    if re.match(r"[<>=]|!=", after) and re.search(r"[\w')]$", before):
        return " Two values are compared at a time; join comparisons with AND."
    for pattern, hint in _HINTS:
        if pattern.match(after):
            return f" {hint[0].upper()}{hint[1:]}."
    return ""


def _refuse_deep(text: str, tree: Node) -> None:
    """Refuse what would exhaust Python's stack in whoever goes through the tree."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ExpressionSyntaxError(
                f"the expression nests deeper than {MAX_DEPTH} levels: {text[:60]!r}... Put long "
                "lists into IN (...) and write them without inner brackets."
            )
        level = [child for node in level for child in node.children()]


def _quoted(word: Token | str) -> str:
    return str(word) if word.startswith("'") else f"'{word}'"
