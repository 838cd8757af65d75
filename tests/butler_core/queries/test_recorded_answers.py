"""Generated questions, answered as the peer once answered them.

``recorded_answers.json`` holds the questions and digests of the peer's answers; it is
written by ``python -m tests.interop.record_answers``, which says how to run it. That it is
still what the peer answers is tested in ``tests/interop``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler
from tests.query_answers import digest, our_answer

RECORD = json.loads(Path(__file__).with_name("recorded_answers.json").read_text(encoding="utf-8"))
KINDS = sorted({question["what"] for question in RECORD})


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_the_peer_gave(wide: Butler, kind: str) -> None:
    differences = [
        (question, found if isinstance(found, int) else len(found))
        for question in RECORD
        if question["what"] == kind
        and digest(found := our_answer(wide, question)) != question["digest"]
    ]

    shown: Any = "\n".join(map(str, differences[:5]))
    assert not differences, f"{shown}\n{len(differences)}"


def test_the_record_could_show_something() -> None:
    assert len(RECORD) > 500
    assert sum(question["rows"] > 0 for question in RECORD) > 0.4 * len(RECORD)
