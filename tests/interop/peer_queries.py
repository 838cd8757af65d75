"""The peer's answers to questions written as JSON; see ``query_answers.py`` beside this folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from tests.bound_values import decoded  # noqa: E402 - the peer's Python knows no such package
from tests.query_answers import in_order, plain  # noqa: E402


def peer_answer(butler: Any, question: dict[str, Any]) -> Any:
    """Return the rows of a question, sorted unless it says an order."""
    with butler.query() as query:
        for name, collections in question.get("datasets", []):
            query = query.join_dataset_search(name, collections)
        if not question.get("on_result"):
            query = _where(query, question)
        found = _asked(query, question)
        if question.get("on_result"):
            found = _where(found, question)
        if question.get("order_by"):
            found = found.order_by(*question["order_by"])
        if question.get("limit") is not None:
            found = found.limit(question["limit"])
        return _rows(found, question)


def _where(query: Any, question: dict[str, Any]) -> Any:
    from lsst.daf.butler import Timespan

    bind = decoded(question.get("bind", {}), Timespan)
    return query.where(question.get("where", ""), question.get("data_id", {}), bind=bind)


def _asked(query: Any, question: dict[str, Any]) -> Any:
    match question["what"]:
        case "records":
            return query.dimension_records(question["element"])
        case "datasets":
            return query.datasets(
                question["type"], question["collections"], find_first=question["find_first"]
            )
    return query.data_ids(question["dimensions"])


def _rows(found: Any, question: dict[str, Any]) -> Any:
    match question["what"]:
        case "count":
            return found.count(discard=True)
        case "any":
            return found.any()
        case "data_ids":
            rows = [_data_id_row(data_id) for data_id in found]
        case "records":
            rows = [_record_row(record) for record in found]
        case _:
            rows = [[ref.run, *_data_id_row(ref.dataId)] for ref in found]
    return in_order(question, rows)


def _data_id_row(data_id: Any) -> list[Any]:
    return [value for _, value in sorted(data_id.mapping.items())]


def _record_row(record: Any) -> list[Any]:
    return [plain(value) for _, value in sorted(record.toDict().items())]


def literal_ns(texts: list[str]) -> list[int | None]:
    """Return the nanoseconds that the text of each time literal means, None if it is refused."""
    from lsst.daf.butler.queries.expressions.parser import parse_expression
    from lsst.daf.butler.time_utils import TimeConverter

    found: list[int | None] = []
    for text in texts:
        try:
            node = parse_expression(f"t = T'{text}'")
        except Exception:  # noqa: BLE001 - whatever it is, it is a refusal
            found.append(None)
        else:
            found.append(TimeConverter().astropy_to_nsec(node.rhs.value))
    return found
