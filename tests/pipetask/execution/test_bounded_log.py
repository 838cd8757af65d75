"""However much is logged, the first and the last of it are kept, in order."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipetask.execution import bounded_log
from pipetask.execution.bounded_log import BoundedLog, shortened

#: Sizes at which a few records fill a log.
SMALL = {"_HALF": 300, "_MESSAGE": 100, "_OVERHEAD": 10}


def entry(number: int, length: int = 5) -> dict[str, Any]:
    return {"name": "x", "message": f"{number} ".ljust(length, "."), "levelno": 20}


def filled(lengths: list[int]) -> BoundedLog:
    log = BoundedLog()
    for number, length in enumerate(lengths):
        log.append(entry(number, length))
    return log


def left_out(record: Any) -> int | None:
    found = re.fullmatch(r"\[([\d,]+) records left out here\]", record["message"])
    return int(found[1].replace(",", "")) if found else None


def numbers(records: list[Any]) -> list[int]:
    return [int(each["message"].split()[0]) for each in records if left_out(each) is None]


@given(st.lists(st.integers(2, 140), max_size=60))
def test_first_and_last_are_kept_in_order_and_the_gap_is_counted(lengths: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(bounded_log, name, value)
        log = filled(lengths)

        records = log.records()

    kept = numbers(records)
    gaps = [(place, n) for place, each in enumerate(records) if (n := left_out(each)) is not None]
    if not gaps:
        assert kept == list(range(len(lengths)))
        return
    ((place, n_left_out),) = gaps
    n_last = len(kept) - place
    assert kept == [*range(place), *range(len(lengths) - n_last, len(lengths))]
    assert len(kept) + n_left_out == len(lengths)
    assert place >= 1
    assert n_last >= 1
    for part in (records[:place], records[place + 1 :]):
        assert sum(len(each["message"]) + 10 for each in part) <= 300


@given(st.lists(st.integers(2, 99), max_size=60))
def test_nothing_is_left_out_while_all_has_room(lengths: list[int]) -> None:
    log = filled(lengths)

    assert log.records() == [entry(number, length) for number, length in enumerate(lengths)]


@pytest.mark.parametrize("n_records", [0, 1, 2, 5000])
def test_the_newest_record_is_the_last(n_records: int) -> None:
    log = filled([400] * n_records)

    assert log.last == (entry(n_records - 1, 400) if n_records else None)
    assert log.last == (log.records()[-1] if n_records else None)


def test_a_flood_stays_within_bounds() -> None:
    log = BoundedLog()
    for number in range(50_000):
        log.append(entry(number))

    records = log.records()

    assert numbers(records)[0] == 0
    assert numbers(records)[-1] == 49_999
    assert len(json.dumps(records)) < 2_000_000
    assert sum(left_out(each) or 0 for each in records) == 50_000 - len(records) + 1


def test_a_long_message_keeps_both_its_ends() -> None:
    log = BoundedLog()
    message = "begin" + "x" * 3_000_000 + "end"
    record = {"message": message, "name": "x"}

    log.append(record)

    (found,) = log.records()
    assert found["message"].startswith("beginxxx")
    assert found["message"].endswith("xxxend")
    assert "characters left out" in found["message"]
    assert record["message"] is message
    assert found["name"] == "x"


def test_long_messages_push_out_the_middle_only() -> None:
    log = filled([5, *[2_000_000] * 30, 5])

    records = log.records()

    assert numbers(records)[0] == 0
    assert numbers(records)[-1] == 31
    assert sum(len(each["message"]) for each in records) < 1_100_000


def test_the_note_of_what_is_missing_is_like_a_record_of_its_place() -> None:
    log = filled([5] * 10_000)

    (note,) = [each for each in log.records() if left_out(each) is not None]

    assert set(note) == set(entry(0))
    assert "," in note["message"]


@given(st.text(max_size=300), st.integers(2, 200))
def test_a_text_is_shortened_to_its_ends(text: str, limit: int) -> None:
    found = shortened(text, limit)

    if len(text) <= limit:
        assert found == text
        return
    half = limit // 2
    n_left_out = len(text) - 2 * half
    assert found == (
        f"{text[:half]}\n[... {n_left_out:,} characters left out ...]\n{text[len(text) - half :]}"
    )
