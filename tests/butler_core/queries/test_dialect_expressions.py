"""What the operators mean in each kind of database."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from butler_core.queries.dialect_expressions import GlobMatch

letters = st.text("aB*?[]\\%_.", max_size=6)


@pytest.fixture(scope="module")
def sqlite() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _as_regex(pattern: str) -> str:
    wild = {"*": ".*", "?": "."}
    pieces = re.findall(r"\\[*?\[\]\\]|.", pattern, re.DOTALL)
    return "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces)


@given(letters, letters)
def test_a_pattern_matches_what_it_spells(sqlite: sa.Connection, text: str, pattern: str) -> None:
    found = sqlite.execute(sa.select(GlobMatch(sa.literal(text), pattern))).scalar()

    assert bool(found) == bool(re.fullmatch(_as_regex(pattern), text, re.DOTALL))


@given(letters)
def test_a_text_with_every_sign_escaped_matches_itself(sqlite: sa.Connection, text: str) -> None:
    pattern = re.sub(r"([*?\[\]\\])", r"\\\1", text)

    assert sqlite.execute(sa.select(GlobMatch(sa.literal(text), pattern))).scalar()


def test_missing_text_neither_matches_nor_does_not(sqlite: sa.Connection) -> None:
    matched = GlobMatch(sa.cast(sa.null(), sa.String), "*")

    assert sqlite.execute(sa.select(matched, sa.not_(matched))).one() == (None, None)


@pytest.mark.parametrize(
    ("pattern", "like"),
    [
        ("a*b?", "a%b_"),
        ("50%_", "50\\%\\_"),
        ("\\*\\?", "*?"),
        ("[a]\\[", "[a]["),
        ("\\\\", "\\\\"),
        ("\\a", "\\\\a"),
        ("\\", "\\\\"),
    ],
)
def test_postgresql_is_asked_with_like(pattern: str, like: str) -> None:
    statement = GlobMatch(sa.column("name"), pattern).compile(dialect=postgresql.dialect())

    assert "LIKE" in str(statement)
    assert like in statement.params.values()
