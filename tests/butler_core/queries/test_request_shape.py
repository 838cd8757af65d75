"""Questions of one shape share a statement; those of different shapes must not."""

from __future__ import annotations

from typing import Any

import pytest

from butler_core import Butler
from butler_core.errors import ExpressionTypeError


def visits(butler: Butler, where: str, **bind: Any) -> list[int]:
    found = butler.query_data_ids("visit", where=where, bind=bind, instrument="CamA")
    return sorted(found.columns["visit"])


def n_statements(butler: Butler) -> int:
    return len(butler.repository.registry.prepared._kept)


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ("visit = {}", (100, 101, 103)),
        ("visit < {} OR visit > 105", (101, 103)),
        ("NOT (visit.exposure_time > {}) AND visit > 100", (20.0, 16.5)),
        ("visit = v", (100, 101)),
        ("visit = :v OR visit = 105", (100, 101)),
    ],
)
def test_numbers_are_no_part_of_the_shape(filled: Butler, where: str, values: tuple) -> None:
    every = visits(filled, "")
    expected = [visits(filled, where.format(v).replace(":v", str(v)).replace("= v", f"= {v}"))
                for v in values]  # fmt: skip
    visits(filled, where.format(values[0]), v=values[0])
    before = n_statements(filled)

    found = [visits(filled, where.format(value), v=value) for value in values]

    assert n_statements(filled) == before
    assert found == expected
    assert all(set(one) <= set(every) for one in found)


@pytest.mark.parametrize(
    ("where", "one", "other"),
    [
        ("exposure.obs_id = t", "CamA_O_102", "CamA_O_103"),
        ("exposure.obs_id IN (t)", "CamA_O_102", "CamA_O_104"),
        ("exposure.can_see_sky = t", True, False),
    ],
)
def test_other_values_are_part_of_it(filled: Butler, where: str, one: Any, other: Any) -> None:
    def ask(value: Any) -> list[int]:
        found = filled.query_data_ids("exposure", where=where, bind={"t": value}, instrument="CamA")
        return sorted(found.columns["exposure"])

    assert ask(one) != ask(other)
    assert (ask(one), ask(other)) == (ask(one), ask(other))


def test_true_is_not_one(filled: Butler) -> None:
    assert visits(filled, "visit.seq_num IN (n)", n=1) == visits(filled, "visit.seq_num IN (1)")

    with pytest.raises(ExpressionTypeError):
        visits(filled, "visit.seq_num IN (n)", n=True)
    with pytest.raises(ExpressionTypeError, match="n"):
        visits(filled, "visit.seq_num = n", n=True)


def test_an_integer_is_not_a_fraction(filled: Butler) -> None:
    halves = [visits(filled, f"visit.seq_num / 2 = {value}") for value in ("1", "1.5", "2")]

    assert halves[1] != halves[0]
    assert halves == [visits(filled, f"visit.seq_num = {n}") for n in (2, 3, 4)]


def test_one_name_may_be_bound_in_two_places(filled: Butler) -> None:
    where = "visit = v OR visit IN (v, 105)"

    assert visits(filled, where, v=100) == visits(filled, "visit IN (100, 105)")
    assert visits(filled, where, v=101) == visits(filled, "visit IN (101, 105)")
