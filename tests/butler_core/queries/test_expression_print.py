"""Every canonical tree is printed to text that is parsed to the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core.queries.expression import format_expression, parse, walk
from butler_core.queries.expression_times import decode_time
from butler_core.queries.expression_tree import (
    And,
    Binary,
    Bind,
    Call,
    Comparison,
    In,
    IsNull,
    Literal,
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

NULL = Literal(None)
integers = st.integers(-(2**63) + 1, 2**63 - 1)
words = st.sampled_from(["a", "visit", "order_by", "t", "T", "_x1", "isnull", "E5"])
names = st.builds(lambda parts: Name(tuple(parts)), st.lists(words, min_size=1, max_size=3))
binds = st.builds(Bind, st.one_of(words, st.just("and")))
times = st.sampled_from(
    [
        "2021-07-07/tai",
        "2021-07-07 01:02:03.5/TAI",
        "isot/2020-01-01T00:00/tai",
        "59402.5",
        "2021:188",
        " jd/2459402.543/tt",
        "unix/1625619723.5",
        "2021-07-07T00:00+00:00",
    ]
)
time_literals = times.map(lambda text: TimeLiteral(text, decode_time(text)))
numbers = st.builds(Literal, st.one_of(integers, st.floats(allow_nan=False, allow_infinity=False)))
strings = st.builds(Literal, st.text())
literals = st.one_of(
    numbers, strings, st.builds(Literal, st.one_of(st.none(), st.booleans(), st.uuids()))
)
ranges = st.builds(
    lambda bounds, step: Range(min(bounds), max(bounds), step),
    st.tuples(integers, integers),
    st.integers(1, 100),
)
bounds = st.one_of(time_literals, st.just(NULL), binds, names)
spans = st.builds(TimespanLiteral, bounds, bounds)
items = st.lists(st.one_of(literals, time_literals, ranges, binds, names), min_size=1, max_size=4)
angles = st.one_of(numbers, binds, names)
calls = st.one_of(
    st.builds(lambda *args: Call("POINT", args), angles, angles),
    st.builds(lambda *args: Call("CIRCLE", args), angles, angles, angles),
    st.builds(lambda *args: Call("BOX", args), angles, angles, angles, angles),
    st.lists(st.tuples(angles, angles), min_size=3, max_size=4).map(
        lambda corners: Call("POLYGON", tuple(angle for corner in corners for angle in corner))
    ),
    st.builds(lambda *args: Call("GLOB", args), names, st.one_of(strings, binds)),
    st.builds(lambda *args: Call("REGION", args), st.one_of(strings, binds, names)),
)
leaves = st.one_of(literals, time_literals, names, binds, spans, calls)


def is_number(node: Node) -> bool:
    return isinstance(node, Literal) and type(node.value) in (int, float)


def compounds(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    compared = parts.filter(lambda node: node != NULL)
    return st.one_of(
        st.builds(Or, several),
        st.builds(And, several),
        st.builds(Not, parts),
        st.builds(Unary, st.sampled_from("+-"), parts.filter(lambda node: not is_number(node))),
        st.builds(Binary, st.sampled_from("+-*/%"), parts, parts),
        st.builds(
            Comparison, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), compared, compared
        ),
        st.builds(Overlaps, parts, parts),
        st.builds(In, parts, items.map(tuple), st.booleans()),
        st.builds(IsNull, parts, st.booleans()),
    )


trees = st.recursive(leaves, compounds, max_leaves=12)


@given(trees)
def test_printed_tree_is_parsed_to_itself(tree):
    assert parse(format_expression(tree)) == tree


@given(trees)
def test_trees_are_values(tree):
    same = parse(format_expression(tree))

    assert hash(same) == hash(tree)
    assert list(walk(same)) == list(walk(tree))


def test_types_of_literals_are_told_apart():
    assert len({Literal(1), Literal(1.0), Literal(value=True), Literal("1")}) == 4


def test_printing_what_is_no_node_is_refused():
    with pytest.raises(TypeError, match="is no node"):
        format_expression("a = 1")
