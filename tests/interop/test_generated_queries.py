"""Thousands of generated questions to the same world, answered as the peer answers them.

Each question follows from its number alone; ``BUTLER_QUERY_FACTOR`` asks several times as
many. What both are asked is written by ``question_writer.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from butler_core import Butler
from tests.interop.comparison import Comparison
from tests.interop.expression_writer import TIMES
from tests.interop.question_writer import (
    DATASETS,
    ELEMENTS,
    data_id_questions,
    dataset_questions,
    joined_questions,
    record_questions,
)

FACTOR = int(os.environ.get("BUTLER_QUERY_FACTOR", "1"))
#: Types of which the peer has few, or whose dimensions it cannot relate to others.
_FEW = {"summary": 0.2, "template": 0.2, "camera": 0.2, "tile": 0.1, "matches": 0.2}


@pytest.fixture
def comparison(ours: Butler, peer: Callable[[str, Any], Any], peer_error: Any) -> Comparison:
    return Comparison(ours, peer, peer_error)


@pytest.mark.parametrize("element", ELEMENTS)
def test_dimension_records_are_the_peers(comparison: Comparison, element: str) -> None:
    comparison.compare(record_questions(element, 100 * FACTOR))

    comparison.check()


@pytest.mark.parametrize("part", range(10))
def test_data_ids_are_the_peers(comparison: Comparison, part: int) -> None:
    comparison.compare(data_id_questions(range(part, 2000 * FACTOR, 10)))

    comparison.check(share_filled=0.4)


@pytest.mark.parametrize("part", range(5))
def test_data_ids_with_datasets_are_the_peers(comparison: Comparison, part: int) -> None:
    comparison.compare(joined_questions(range(part, 1000 * FACTOR, 5)))

    # The peer relates pixels to regions at one level only, and two kinds of region at most.
    comparison.check(share_filled=0.2, share_refused=0.35)


@pytest.mark.parametrize("name", DATASETS)
def test_datasets_are_the_peers(comparison: Comparison, name: str) -> None:
    comparison.compare(dataset_questions(name, 100 * FACTOR))

    # Of several calibrations for one time the peer names none.
    comparison.check(share_filled=0.2, share_refused=0.4 if name in ("bias", "flat") else 0.1)


def test_time_literals_mean_what_the_peer_takes_them_for(peer: Any) -> None:
    from butler_core.queries.expression_times import decode_time

    texts = [*TIMES, *_LEAP_SECOND, *(text for form in _FORMS for text in _scaled(form))]

    theirs = peer("literal_ns", texts)

    ours = [_decoded(decode_time, text) for text in texts]
    differences = [
        (text, found, expected)
        for text, found, expected in zip(texts, ours, theirs, strict=True)
        if expected not in (None, found)
    ]
    assert not differences, differences
    assert sum(expected is not None for expected in theirs) > 0.7 * len(texts)


_FORMS = (
    "2021-07-07", "2021-07-07T01:02:03", "2021-07-07T01:02:03.123456789", "2021-07-07 01:02",
    "iso/2021-07-07 01:02:03", "isot/2021-07-07T01:02:03.5", "fits/+02021-07-07T01:02:03",
    "+02021-07-07T01:02:03", "2021:188", "2021:188:01:02:03.25", "yday/2021:188:01:02:03",
    "59402.5", "mjd/59402.043", "jd/2459402.543", "unix/1625619723.5", "unix_tai/1625619760.5",
    "gps/1309654941.5", "cxcsec/742006992.5", "decimalyear/2021.5", "jyear/2021.5", "byear/2021.5",
    "jyear_str/J2021.5", "galexsec/1309654941.5",
    "2017-01-01T00:00:36",
)  # fmt: skip
_LEAP_SECOND = ("2016-12-31T23:59:60", "2016-12-31 23:59:60.5/utc", "2016:366:23:59:60.25")


def _scaled(form: str) -> list[str]:
    return [form, *(f"{form}/{scale}" for scale in ("utc", "tai", "tt", "tdb", "tcb", "TAI"))]


def _decoded(decode: Callable[[str], int], text: str) -> int | None:
    try:
        return decode(text)
    except ValueError:
        return None
