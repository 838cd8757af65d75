"""The ``where`` language: what texts mean, and what is said of wrong ones."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core.errors import ExpressionSyntaxError
from butler_core.queries.expression import (
    MAX_DEPTH,
    binds_in,
    format_expression,
    names_in,
    parse,
    parse_order_by,
)
from butler_core.queries.expression_tree import (
    TRUE,
    And,
    Binary,
    Bind,
    Call,
    Comparison,
    In,
    IsNull,
    Literal,
    Name,
    Not,
    Or,
    Overlaps,
    Range,
    TimeLiteral,
    TimespanLiteral,
    Unary,
)

#: Words of the language, whole and broken.
PIECES = (
    "a", "visit.id", "x.y.z", "a.b.c.d", ":b", ":", "1", "-2", "2.5", "1e999", ".5", "1..3", "5..3",
    "1..9:2", "..", "'t'", "''", "'", "T'2024-01-01'", "T'x'", "t'59402.5'", "T", "NULL", "TRUE",
    "(", ")", ",", "AND", "OR", "NOT", "IN", "IS", "OVERLAPS", "=", "==", "!=", "<", "<=", ">", "+",
    "-", "*", "/", "%", "POINT", "CIRCLE(1, 2, 3)", "GLOB(a, '*')", "GLOB", "REGION", "UUID('x')",
    "BOX(1,2,3,4)", "POLYGON(1,1,2,2,3,1)", "f(", "\\", "!", "&&", "\"", "é", "\0", "\t",
)  # fmt: skip

A, B, C = Name(("a",)), Name(("b",)), Name(("c",))
ONE, TWO = Literal(1), Literal(2)
NULL = Literal(None)
BEGIN = TimeLiteral("2021-07-07T00:00", 1625616037000000000)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", TRUE),
        (" \n\t", TRUE),
        ("a", A),
        ("visit.timespan.begin", Name(("visit", "timespan", "begin"))),
        ("order_x", Name(("order_x",))),
        ("not_a.is", Name(("not_a", "is"))),
        (":and", Bind("and")),
        ("TRUE", Literal(value=True)),
        ("false", Literal(value=False)),
        ("NOT exposure.has_simulated", Not(Name(("exposure", "has_simulated")))),
        ("a = 1", Comparison("=", A, ONE)),
        ("a == 1", Comparison("=", A, ONE)),
        ("a != 'x'", Comparison("!=", A, Literal("x"))),
        ("a<=1.5e3", Comparison("<=", A, Literal(1500.0))),
        ("a > .5", Comparison(">", A, Literal(0.5))),
        ("a >= 1.", Comparison(">=", A, Literal(1.0))),
        ("a < -1", Comparison("<", A, Literal(-1))),
        ("a = ''", Comparison("=", A, Literal(""))),
        ("a = 'O''Brien'", Comparison("=", A, Literal("O'Brien"))),
        ("a = b OR b AND c", Or((Comparison("=", A, B), And((B, C))))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("a AND b AND c", And((A, B, C))),
        ("a AND (b AND c)", And((A, And((B, C))))),
        ("NOT a = b AND c", And((Not(Comparison("=", A, B)), C))),
        ("NOT NOT a", Not(Not(A))),
        ("a - 1 - 2 = b", Comparison("=", Binary("-", Binary("-", A, ONE), TWO), B)),
        ("a-1", Binary("-", A, ONE)),
        ("a + b * c", Binary("+", A, Binary("*", B, C))),
        ("(a + b) % -c", Binary("%", Binary("+", A, B), Unary("-", C))),
        ("- -1", ONE),
        ("+1", ONE),
        ("-(a / 2)", Unary("-", Binary("/", A, TWO))),
        ("a OVERLAPS b", Overlaps(A, B)),
        ("a IS NULL", IsNull(A)),
        ("a is not null", IsNull(A, negated=True)),
        ("a = NULL", IsNull(A)),
        ("NULL != a", IsNull(A, negated=True)),
        ("GLOB(calexp.run, 'u/*')", Call("GLOB", (Name(("calexp", "run")), Literal("u/*")))),
        ("glob(a, :p)", Call("GLOB", (A, Bind("p")))),
        ("POINT(10, -5.5)", Call("POINT", (Literal(10), Literal(-5.5)))),
        ("CIRCLE(:ra, a, 1 + 1)", Call("CIRCLE", (Bind("ra"), A, Binary("+", ONE, ONE)))),
        ("BOX(1, 2, 1, 2)", Call("BOX", (ONE, TWO, ONE, TWO))),
        ("POLYGON(1,1,2,1,2,2)", Call("POLYGON", (ONE, ONE, TWO, ONE, TWO, TWO))),
        ("REGION('CIRCLE 1 2 3')", Call("REGION", (Literal("CIRCLE 1 2 3"),))),
        ("UUID('" + "0" * 32 + "')", Literal(uuid.UUID(int=0))),
        ("T'2021-07-07T00:00' < a", Comparison("<", BEGIN, A)),
        ("a OVERLAPS (T'2021-07-07T00:00', NULL)", Overlaps(A, TimespanLiteral(BEGIN, NULL))),
        ("(:t1, t2) OVERLAPS a", Overlaps(TimespanLiteral(Bind("t1"), Name(("t2",))), A)),
    ],
)
def test_meaning_of_text(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("1", (ONE,)),
        ("1..10:3, 42", (Range(1, 10, 3), Literal(42))),
        ("-5 .. -1 : 2", (Range(-5, -1, 2),)),
        ("3..3", (Range(3, 3),)),
        ("-1, +2, 1.5, 'x'", (Literal(-1), TWO, Literal(1.5), Literal("x"))),
        (":ids, more, NULL", (Bind("ids"), Name(("more",)), NULL)),
        ("T'2021-07-07T00:00'", (BEGIN,)),
        ("UUID('" + "0" * 32 + "')", (Literal(uuid.UUID(int=0)),)),
    ],
)
def test_values_of_in(items, expected):
    assert parse(f"a IN ({items})") == In(A, expected)
    assert parse(f"a + 1 not in ({items})") == In(Binary("+", A, ONE), expected, negated=True)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a = ", 3, "expected a value after '=', found the end"),
        ("a = )", 4, "expected a value after '=', found ')'"),
        ("= 3", 0, "expected a value, found '='"),
        ("AND = 3", 0, "expected a value, found 'AND'"),
        ("a b", 2, "expected an operator after 'a', found 'b'"),
        ("a = 1 b = 2", 6, "expected AND or OR after '1', found 'b'"),
        ("a = 5abc", 5, "expected AND or OR after '5', found 'abc'"),
        ("(a = 1", 6, "expected ',' or ')' after '1', found the end"),
        ("a = 1)", 5, "expected the end after '1', found ')'"),
        ("a IN ()", 6, "expected a value after '(', found ')'"),
        ("a IN (1,)", 8, "expected a value after ',', found ')'"),
        ("a IN (1 2)", 8, "expected ',' or ')' after '1', found '2'"),
        ("a IN :ids", 5, "brackets: IN (1, 2) or IN (:name)"),
        ("a IN [1]", 5, "brackets: IN (1, 2) or IN (:name)"),
        ("a IS 3", 5, "expected NULL or NOT NULL after 'IS', found '3'"),
        ("a IS NOT 3", 9, "expected NULL after 'NOT', found '3'"),
        ("a NOT 3", 6, "expected IN after 'NOT', found '3'"),
        ('a = "x"', 4, "Strings stand in single quotes"),
        ("a = 'x", 4, "has no closing quote"),
        ("a && b", 2, "Write AND"),
        ("a | b", 2, "Write OR"),
        ("!a", 0, "Write NOT"),
        ("a <> 1", 3, "Write != for 'differs from'"),
        ("a = b = c", 6, "Two values are compared at a time"),
        ("a BETWEEN 1 AND 2", 2, "Write IN (low..high), or two comparisons"),
        ("a LIKE 'b%'", 2, "Write GLOB(column, 'pattern')"),
        ("a = 1..3", 4, "A range stands in the brackets of IN"),
        ("a IN (10..1)", 6, "write 1..10, the lower end first"),
        ("a IN (1..9:0)", 6, "the step of a range is 1 or more"),
        ("a.b.c.d = 1", 0, "a name has three parts at most"),
        ("a < NULL", 2, "nothing is less or more than NULL"),
        ("a = 1e999", 4, "the number is too large"),
        ("a = 9223372036854775808", 4, "does not fit into 64 bits"),
        (f"a = {'9' * 5000}", 4, "does not fit into 64 bits"),
        ("T '2021-07-07' < a", 2, "no space between the T of a time and its quote"),
        ("('2021-07-07', NULL) OVERLAPS a", 0, "a T before its quotes: T'2021-07-07'"),
        ("(1, 2) OVERLAPS a", 0, "two values in brackets are a timespan"),
        ("a > T'20210707'", 4, "'20210707' is no time of a known form"),
        ("CIRCEL(1, 2, 3) OVERLAPS a", 0, "no function 'CIRCEL'. Did you mean 'CIRCLE'?\n"),
        ("f(1)", 0, "There are POINT, CIRCLE"),
        ("POINT()", 0, "write POINT(ra, dec)"),
        ("CIRCLE(1, 2, 'x') OVERLAPS a", 0, "write CIRCLE(ra, dec, radius)"),
        ("POLYGON(1, 2, 3, 4) OVERLAPS a", 0, "write POLYGON(ra1, dec1"),
        ("GLOB('x*', a)", 0, "write GLOB(column, 'pattern')"),
        ("REGION(3) OVERLAPS a", 0, "write REGION('CIRCLE"),
        ("a = UUID(:u)", 4, "write UUID("),
        ("a = UUID('x')", 4, "'x' is no UUID"),
        ("a = 1 ; DROP", 6, "';' has no meaning here"),
    ],
)
def test_wrong_text_is_refused_with_place_and_reason(text, place, said):
    with pytest.raises(ExpressionSyntaxError, match=re.escape(said)) as caught:
        parse(text)

    *_, line, caret = str(caught.value).split("\n")
    assert caret == " " * (place + 2) + "^"
    assert text.startswith(line[2:].rstrip())


def test_caret_stands_under_the_line_in_question():
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse("a = 1\n  AND b ==\n  AND c")

    assert str(caught.value).split("\n")[1:] == ["    AND c", "    ^"]


def test_long_line_is_cut_around_the_place():
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(f"a IN ({', '.join(map(str, range(1000)))}) b")

    _, line, caret = str(caught.value).split("\n")
    assert len(line) < 110
    assert line[len(caret) - 1] == "b"


def test_deep_nesting_is_refused():
    with pytest.raises(ExpressionSyntaxError, match="nests deeper than 100 levels"):
        parse("NOT " * MAX_DEPTH + "a")


@given(st.text())
def test_any_text_is_read_or_refused_as_wrong(text):
    with contextlib.suppress(ExpressionSyntaxError):
        parse(text)


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " ", "\n"]))
def test_any_sequence_of_words_is_read_or_refused_as_wrong(words, between):
    with contextlib.suppress(ExpressionSyntaxError):
        tree = parse(between.join(words))

        assert parse(format_expression(tree)) == tree


def test_redundant_brackets_and_long_lists_are_no_depth():
    assert parse("(" * 5000 + "a" + ")" * 5000) == A
    assert len(parse(" OR ".join(["a"] * 5000)).operands) == 5000


def test_names_and_binds_are_listed_once_in_order():
    tree = parse("b = :y AND a.c IN (:x, :y, d) AND GLOB(b, :z) OR (:t, e) OVERLAPS a.c")

    assert [str(name) for name in names_in(tree)] == ["b", "a.c", "d", "e"]
    assert binds_in(tree) == ("y", "x", "z", "t")


def test_order_by_terms():
    assert parse_order_by(["-exposure.timespan.begin", "detector"]) == (
        (Name(("exposure", "timespan", "begin")), True),
        (Name(("detector",)), False),
    )


@pytest.mark.parametrize("term", ["", "-", "--a", "a b", "a.b.c.d", "3", "a desc", "é"])
def test_wrong_order_by_term_is_refused(term):
    with pytest.raises(ExpressionSyntaxError, match="cannot order by"):
        parse_order_by([term])


def test_canonical_text():
    text = "(a=1 OR (b)) and not (c<2 and TRUE) OR a IN(1 .. 3,'x') or b==null"

    assert format_expression(parse(text)) == (
        "(a = 1 OR b) AND NOT (c < 2 AND TRUE) OR a IN (1..3, 'x') OR b IS NULL"
    )


def test_import_loads_neither_lark_nor_astropy():
    code = (
        "import sys; from butler_core.queries.expression import parse; assert parse('')\n"
        "sys.exit(not {'lark', 'astropy', 'numpy'}.isdisjoint(sys.modules))"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
