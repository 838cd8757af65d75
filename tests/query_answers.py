"""Our answers to questions written as JSON, as plain rows.

A question is a mapping. ``what`` is ``data_ids``, ``records``, ``datasets``, ``count``
or ``any``; ``dimensions``, ``element`` or ``type`` and ``collections`` and ``find_first``
say of what. All may have ``where``, ``bind`` (see ``bound_values``), ``data_id``,
``datasets`` (pairs of type and collections that rows must have), ``order_by``, ``limit``.
The peer's answers to the same questions are made by ``interop/peer_queries.py``.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.bound_values import decoded

if TYPE_CHECKING:
    from butler_core import Butler

#: Rows of one question, or one number.
Answer = Any


def our_answer(butler: Butler, question: dict[str, Any]) -> Answer:
    """Return the rows of a question, sorted unless it says an order."""
    query = _constrained(butler, question)
    match question["what"]:
        case "count":
            return query.count(question["dimensions"])
        case "any":
            return query.any(question["dimensions"])
        case "data_ids":
            rows = [_data_id_row(found) for found in query.data_ids(question["dimensions"])]
        case "records":
            rows = [_record_row(found) for found in query.dimension_records(question["element"])]
        case _:
            found = query.datasets(
                question["type"], question["collections"], find_first=question["find_first"]
            )
            rows = [[ref.run, *_data_id_row(ref.data_id)] for ref in found]
    return in_order(question, rows)


def _constrained(butler: Butler, question: dict[str, Any]) -> Any:
    from butler_core import Timespan

    bind = decoded(question.get("bind", {}), Timespan.from_times)
    query = butler.query().where(
        question.get("where", ""), bind=bind, **question.get("data_id", {})
    )
    for name, collections in question.get("datasets", []):
        query = query.join_dataset_search(name, collections)
    return query.order_by(*question.get("order_by", [])).limit(question.get("limit"))


def _data_id_row(data_id: Any) -> list[Any]:
    return [value for _, value in sorted(data_id.full.items())]


def _record_row(record: Any) -> list[Any]:
    values = {name: getattr(record, name) for name in record.element.fields}
    if record.element.has_region:
        values["region"] = record.region
    if record.element.has_timespan:
        values["timespan"] = record.timespan
    return [plain(value) for _, value in sorted(values.items())]


def plain(value: Any) -> Any:
    """Return a field of a record as JSON has it; regions and bytes shortened to a digest."""
    if hasattr(value, "encode") and not isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()[:12]
    return list(value.nsec) if hasattr(value, "nsec") else value


def in_order(question: dict[str, Any], rows: list[Any]) -> list[Any]:
    """Sort rows that come in no promised order; each once where a program may repeat it."""
    if question.get("order_by"):
        return rows
    rows = sorted(rows, key=repr)
    if question["what"] == "records" or question.get("find_first"):
        return rows
    return [row for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]


def digest(answer: Answer) -> str:
    """Return a short text that differs for different answers."""
    return hashlib.sha256(json.dumps(answer).encode()).hexdigest()[:10]
