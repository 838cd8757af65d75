"""Puts questions to both programs and keeps what differs.

Two differences are taken out of the questions themselves: the radius of CIRCLE, which is
halved for the peer, and repeated rows, which ``query_answers.in_order`` takes out of the
peer's. A third can only be recognised by the answer: where regions of dimensions that the
rows do not have are compared, the peer may keep a row that it drops if asked for those
dimensions, too. All others are named in ``docs/queries.md``, and the questions keep clear
of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from butler_core import Butler
from butler_core.errors import ButlerError
from tests.interop.question_writer import DATASETS
from tests.query_answers import in_order, our_answer

Question = dict[str, Any]

_SPATIAL = ("visit", "detector", "tract", "patch")
_CIRCLE = re.compile(r"CIRCLE\(([^,]+), ([^,]+), ([^)]+)\)")


def for_peer(question: Question) -> Question:
    """Return a question as the peer must be asked it."""
    return question | {
        "where": _CIRCLE.sub(
            lambda m: f"CIRCLE({m[1]}, {m[2]}, {float(m[3]) / 2!r})", question.get("where", "")
        )
    }


class Comparison:
    """Asks both, and keeps what differs.

    Parameters
    ----------
    ask
        Asks the peer: what, and the question's data.
    refusal
        The class of the peer's refusals.
    """

    def __init__(
        self, ours: Butler, ask: Callable[[str, Any], Any], refusal: type[Exception]
    ) -> None:
        self._ours, self._ask, self._refusal = ours, ask, refusal
        #: How many questions were asked, refused by the peer, or had rows for an answer.
        self.asked = self.refused = self.filled = 0
        #: How many answers were ours only once the peer was asked for more dimensions.
        self.projected = 0
        self.refusals: Counter[str] = Counter()
        self.differences: list[str] = []

    def compare(self, questions: Iterable[Question]) -> None:
        """Ask both; what the peer refuses we answer, or refuse with an error of ours."""
        for question in questions:
            self.asked += 1
            try:
                theirs = self._ask("ask", for_peer(question))
            except self._refusal as error:
                self.refused += 1
                self.refusals[str(error.args[0])] += 1
                self._answer_or_refusal(question)
                continue
            self._compare(question, theirs)

    def _compare(self, question: Question, theirs: Any) -> None:
        ours = self._answer_or_refusal(question)
        self.filled += bool(theirs)
        if ours == theirs:
            return
        if question["what"] == "data_ids" and ours == self._projected(question):
            self.projected += 1
            return
        said = f"{question}: ours {_short(ours)}, theirs {_short(theirs)}"
        if isinstance(ours, list) and isinstance(theirs, list):
            more = [row for row in ours if row not in theirs]
            fewer = [row for row in theirs if row not in ours]
            said += f"; more {more[:3]}, fewer {fewer[:3]}"
        self.differences.append(said)

    def _projected(self, question: Question) -> Any:
        """Ask the peer for all dimensions with regions, and keep those of the question."""
        universe = self._ours.dimensions
        words = set(re.findall(r"\w+", question["where"]))
        types = [name for name, _ in question.get("datasets", [])]
        spoken = words.union(*(DATASETS[name][0] for name in types))
        group = universe.conform(question["dimensions"])
        wider = universe.conform([*group.names, *(name for name in _SPATIAL if name in spoken)])
        names = sorted(wider.names)
        kept = [names.index(name) for name in sorted(group.names)]
        asked = for_peer(question) | {"dimensions": list(wider.names)}
        return in_order(question, [[row[i] for i in kept] for row in self._ask("ask", asked)])

    def _answer_or_refusal(self, question: Question) -> Any:
        try:
            return our_answer(self._ours, question)
        except ButlerError as error:
            return f"{type(error).__name__}: {error}"

    def check(self, *, share_filled: float = 0.3, share_refused: float = 0.1) -> None:
        """Fail if an answer differs, or if too few questions could show anything."""
        shown = "\n".join(self.differences[:12])
        assert not self.differences, f"{shown}\n{len(self.differences)} of {self.asked} differ"
        assert self.projected <= self.asked * 0.01, self.projected
        assert self.refused <= self.asked * share_refused, self.refusals
        assert self.filled >= self.asked * share_filled, (self.filled, self.asked)


def _short(answer: Any) -> str:
    return f"{len(answer)} rows" if isinstance(answer, list) else repr(answer)
