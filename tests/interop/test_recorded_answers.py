"""The record of the peer's answers that the other tests use is what it answers today."""

from __future__ import annotations

from typing import Any

from tests.interop.record_answers import RECORD, answered, as_text


def test_the_record_is_what_the_peer_answers(peer: Any, peer_error: Any) -> None:
    assert as_text(answered(peer, peer_error)) == RECORD.read_text(encoding="utf-8")
