"""What holds of every condition, whatever it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from butler_core import Butler, Timespan
from butler_core.errors import TimespanError
from butler_core.queries.expression import format_expression, parse
from tests.bound_values import decoded
from tests.interop.expression_writer import ExpressionWriter

#: Dimensions of the rows, and all that conditions on them may speak of.
ROWS = {
    ("visit",): ("instrument", "visit", "day_obs", "physical_filter", "band"),
    ("exposure", "detector"): ("instrument", "exposure", "detector", "group", "day_obs"),
    ("tract", "patch"): ("skymap", "tract", "patch"),
}
every_seed = given(st.integers(0, 10**9), st.sampled_from(sorted(ROWS)))
few = settings(max_examples=20)


class Rows:
    """The rows for which conditions of one writer hold."""

    def __init__(self, butler: Butler, seed: int, dimensions: tuple[str, ...]) -> None:
        self._butler, self._dimensions = butler, dimensions
        self._writer = ExpressionWriter(seed, ROWS[dimensions])

    def two_conditions(self) -> tuple[str, str]:
        return self._writer.expression(1), self._writer.expression(1)

    def of(self, where: str, **more: Any) -> list[tuple[Any, ...]]:
        bind = decoded(self._writer.bind, Timespan.from_times)
        try:
            found = self._butler.query_data_ids(self._dimensions, where=where, bind=bind, **more)
        except TimespanError:  # of a time that cannot be counted
            reject()
        rows = [data_id.values_required for data_id in found]
        return rows if more else sorted(rows)


@few
@every_seed
def test_the_order_of_conditions_does_not_matter(
    wide: Butler, seed: int, dimensions: tuple[str, ...]
) -> None:
    rows = Rows(wide, seed, dimensions)
    a, b = rows.two_conditions()

    both, either = rows.of(f"{a} AND {b}"), rows.of(f"{a} OR {b}")

    assert both == rows.of(f"{b} AND {a}") == sorted({*rows.of(a)} & {*rows.of(b)})
    assert either == rows.of(f"{b} OR {a}") == sorted({*rows.of(a)} | {*rows.of(b)})


@few
@every_seed
def test_negation_obeys_de_morgan(wide: Butler, seed: int, dimensions: tuple[str, ...]) -> None:
    rows = Rows(wide, seed, dimensions)
    a, b = rows.two_conditions()

    assert rows.of(f"NOT NOT {a}") == rows.of(a)
    assert rows.of(f"NOT ({a} AND {b})") == rows.of(f"NOT {a} OR NOT {b}")
    assert rows.of(f"NOT ({a} OR {b})") == rows.of(f"NOT {a} AND NOT {b}")
    assert not {*rows.of(a)} & {*rows.of(f"NOT {a}")}


@few
@every_seed
def test_the_printed_expression_means_the_same(
    wide: Butler, seed: int, dimensions: tuple[str, ...]
) -> None:
    rows = Rows(wide, seed, dimensions)
    a, b = rows.two_conditions()
    text = f"{a} OR NOT {b} AND {a}"

    assert rows.of(format_expression(parse(text))) == rows.of(text)


@few
@given(
    st.integers(0, 10**9),
    st.integers(1, 9),
    st.sampled_from(["visit.target_name", "-visit.timespan.begin", "-band"]),
)
def test_slices_tile_the_ordered_answer(wide: Butler, seed: int, size: int, first: str) -> None:
    rows = Rows(wide, seed, ("visit",))
    where, _ = rows.two_conditions()
    order = [first, "instrument", "visit"]

    whole = rows.of(where, order_by=order)
    slices = [
        rows.of(where, order_by=order, limit=size, offset=offset)
        for offset in range(0, len(whole) + 1, size)
    ]

    assert [row for one in slices for row in one] == whole
    assert sorted(whole) == rows.of(where)


@few
@given(st.integers(-6, 14), st.integers(1, 5), st.sampled_from(["<", "<=", "=", "!="]))
def test_what_is_missing_nowhere_is_so_or_not(
    wide: Butler, value: int, step: int, operator: str
) -> None:
    rows = Rows(wide, 0, ("exposure", "detector"))
    everything = rows.of("")

    for condition in (
        f"exposure.seq_num {operator} {value}",
        f"exposure.seq_num IN ({value}..{value + 7}:{step})",
        f"GLOB(exposure.obs_id, '*{value}*')",
    ):
        held, failed = rows.of(condition), rows.of(f"NOT {condition}")
        assert sorted([*held, *failed]) == everything


def test_a_row_stands_at_the_first_of_its_places(wide: Butler) -> None:
    query = wide.query().where("instrument = 'CamA' AND exposure > 0")

    rising = query.order_by("exposure.seq_num", "physical_filter").data_ids("physical_filter")
    falling = query.order_by("-exposure.seq_num", "physical_filter").data_ids("physical_filter")

    assert [d["physical_filter"] for d in rising] == ["g1", "r1", "g_wide", "i1"]
    assert [d["physical_filter"] for d in falling] == ["r1", "g1", "g_wide", "i1"]


@pytest.mark.parametrize(("order", "first"), [("visit.target_name", None), ("-visit.seq_num", 12)])
def test_what_is_missing_comes_before_the_rest(wide: Butler, order: str, first: Any) -> None:
    found = wide.query_dimension_records("visit", order_by=[order, "visit"], instrument="CamA")

    values = [getattr(record, order.rpartition(".")[2]) for record in found]
    assert values[0] == first
    assert values[-1] is not None
