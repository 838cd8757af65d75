"""Writes down what the peer answers to a sample of the generated questions.

Run with the environment of the comparisons, from the root of the repository::

    BUTLER_PEER_PYTHON=.../bin/python python -m tests.interop.record_answers

It writes ``tests/butler_core/queries/recorded_answers.json``, which the tests beside that
file put to our butler without any peer. The peer's answers are kept as digests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.interop.comparison import for_peer
from tests.interop.question_writer import (
    DATASETS,
    ELEMENTS,
    data_id_questions,
    dataset_questions,
    joined_questions,
    record_questions,
)
from tests.query_answers import digest

HERE = Path(__file__).parent
RECORD = HERE.parent / "butler_core" / "queries" / "recorded_answers.json"


def questions() -> Iterator[dict[str, Any]]:
    """Give the questions of the sample."""
    for element in ELEMENTS:
        yield from record_questions(element, 8)
    yield from data_id_questions(range(200))
    yield from joined_questions(range(100))
    for name in DATASETS:
        yield from dataset_questions(name, 12)


def answered(ask: Any, refusal: type[Exception]) -> list[dict[str, Any]]:
    """Return each question that the peer answers, with the digest and size of the answer."""
    found = []
    for question in questions():
        try:
            answer = ask("ask", for_peer(question))
        except refusal:
            continue
        rows = len(answer) if isinstance(answer, list) else int(answer)
        found.append(_shortened(question) | {"rows": rows, "digest": digest(answer)})
    return found


def _shortened(question: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing to us, such as values that the condition does not name."""
    words = set(re.findall(r"\w+", question["where"]))
    bind = {name: value for name, value in question["bind"].items() if name in words}
    kept = question | {"bind": bind, "on_result": None}
    return {name: value for name, value in kept.items() if value not in ({}, None)}


def as_text(record: list[dict[str, Any]]) -> str:
    """Return a record as JSON, a question a line."""
    return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in record) + "\n]\n"


class _Refused(Exception):
    pass


def main() -> None:
    """Ask the peer and write the record."""
    command = [os.environ["BUTLER_PEER_PYTHON"], str(HERE / "peer_server.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(what: str, question: Any) -> Any:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps([what, question]), file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            if "error" in answer:
                raise _Refused(answer["message"])
            return answer["ok"]

        record = answered(ask, _Refused)
        assert process.stdin is not None
        process.stdin.close()
    RECORD.write_text(as_text(record), encoding="utf-8")
    print(f"{len(record)} answers in {RECORD}", file=sys.stderr)


if __name__ == "__main__":
    main()
