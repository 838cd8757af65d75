"""Questions of every form the language has, one by one, answered as the peer answers them.

Where the answers differ on purpose, the difference itself is what is tested: it is one of
those that ``docs/queries.md`` explains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from butler_core import Butler
from butler_core.errors import ButlerError
from tests.interop.comparison import Comparison, for_peer
from tests.query_answers import our_answer

_RAW = {"what": "datasets", "type": "raw", "collections": ["tag", "outer"], "find_first": True}
_CALEXP = {"what": "datasets", "type": "calexp", "collections": ["tag", "deepest"]}
_BIAS = {"what": "datasets", "type": "bias", "collections": ["calib/A"], "find_first": False}


@pytest.fixture
def comparison(ours: Butler, peer: Callable[[str, Any], Any], peer_error: Any) -> Comparison:
    return Comparison(ours, peer, peer_error)


def _of(dimensions: str, where: str, **more: Any) -> dict[str, Any]:
    governed = f"instrument = 'CamA' AND {where}"
    return {"what": "data_ids", "dimensions": dimensions.split(), "where": governed, **more}


@pytest.mark.parametrize(
    "where",
    [
        "1 = 1", "2 - -3 = 5", "- -exposure.seq_num = 3", "+exposure.seq_num = 3",
        "exposure.seq_num % -3 = -2", "exposure.seq_num / 2 % 2 = 1", "exposure.seq_num / 0 = 1",
        "exposure.seq_num % 0 = 1", "exposure.exposure_time IN (15, 30.0)",
        "exposure.seq_num IN (3.0, NULL)", "exposure.exposure_time NOT IN (15.0, NULL)",
        "exposure IN (visit)", "exposure.id = visit", "exposure.seq_num >= visit.seq_num",
        "exposure.target_name = visit.target_name", "exposure.target_name > 'Z'",
        "exposure.can_see_sky = NULL", "NOT exposure.can_see_sky = NULL", "exposure = NULL",
        "NOT (exposure.can_see_sky OR exposure.has_simulated)", "visit.region != NULL",
        "exposure.timespan = NULL", "exposure.timespan.begin < exposure.timespan.end",
        "T'2024-01-10T20:15:00/tai' OVERLAPS exposure.timespan",
        "exposure.timespan.begin IN (T'2024-01-10T20:15:00/tai')",
        "POINT(0, 0) OVERLAPS visit.region", "NOT NOT visit.region OVERLAPS POINT(0, 0)",
        "visit.region OVERLAPS BOX(0, 90, 1, 1)", "visit.region OVERLAPS POLYGON(0,0,1,1,1,0)",
        "visit.region OVERLAPS REGION('RANGE 350 10 -2 2')",
        "visit.region OVERLAPS REGION('RANGE -Inf +Inf 80 +Inf')", "detector = 1",
        "tract = 1 AND skymap = 'grid'", "htm7 = 131072", "band = 'g'", "visit_system = 2",
        "skymap = 'grid' AND visit.region OVERLAPS tract.region", "NULL != visit.target_name",
        "day_obs.timespan.begin < T'2024-01-11'", "group = 'grp3'", "visit.instrument = 'CamA'",
    ],
)  # fmt: skip
def test_conditions_mean_what_the_peer_takes_them_for(comparison: Comparison, where: str) -> None:
    comparison.compare([_of("exposure visit", where)])

    comparison.check(share_filled=0, share_refused=0)


@pytest.mark.parametrize(
    "question",
    [
        _of("exposure", "seq_num > 3"), _of("detector", "id = 1"), _of("detector", "raft = 'R0'"),
        _RAW | {"where": "instrument = 'CamA' AND seq_num > 3"},
        _RAW | {"where": "ingest_date > T'2020-01-01'"}, _RAW | {"where": "run = 'CamA/raw'"},
        _RAW | {"where": "collection = 'CamA/raw'"}, _RAW | {"where": "GLOB(raw.run, 'Cam*')"},
        _CALEXP | {"find_first": True, "where": "calexp.run = 'run/3'"},
        _CALEXP | {"find_first": False, "where": "NOT collection = 'run/2'"},
        _BIAS | {"where": "timespan.begin > T'2024-01-11'"},
        _BIAS | {"where": "bias.timespan OVERLAPS T'2024-01-11'"},
        _of("visit htm7", "htm7.region OVERLAPS BOX(0, 0, 0.1, 0.1)"),
        _of("visit htm7", "htm7.region OVERLAPS visit.region AND htm7 > 150000"),
        {"what": "data_ids", "dimensions": ["healpix3"], "datasets": [["starmap", "odd"]],
         "where": "healpix3.region OVERLAPS BOX(350, 20, 10, 10)"},
    ],
    ids=str,
)  # fmt: skip
def test_names_stand_for_what_the_peer_takes_them_for(
    comparison: Comparison, question: dict[str, Any]
) -> None:
    comparison.compare([{"on_result": True} | question])

    comparison.check(share_filled=1, share_refused=0)


@pytest.mark.parametrize(
    ("dimensions", "where"),
    [
        ("htm7", "visit = 104"),
        ("visit_system", "visit = 103"),
        ("band", "exposure > 110"),
        ("", "exposure > 110"),
        ("visit tract patch", "skymap = 'grid' AND visit.region OVERLAPS tract.region"),
        ("visit detector tract patch", "skymap = 'grid' AND patch.region OVERLAPS visit.region"),
        ("instrument band", "detector = 0"),
        ("exposure subfilter", "exposure > 110"),
    ],
)
def test_what_a_condition_brings_in_is_joined_as_the_peer_does(
    comparison: Comparison, dimensions: str, where: str
) -> None:
    comparison.compare([_of(dimensions, where)])

    comparison.check(share_filled=1, share_refused=0)


@pytest.mark.parametrize(
    ("question", "ours_more", "theirs_more"),
    [
        # The ends of a timespan that is missing are unknown; the peer takes them for 1970.
        (_of("exposure", "exposure.timespan.begin < T'2024-01-01'"), 0, 2),
        (_of("exposure", "exposure.timespan.end = NULL"), 2, 0),
        # A missing text matches no pattern; the peer takes * for anything at all.
        (_of("exposure", "GLOB(exposure.target_name, '*')"), 0, 3),
        # A range has the steps written; the peer loses those below zero.
        (_of("exposure", "exposure.seq_num IN (-5..-1:2)"), 3, 0),
        # A shape that a visit overlaps restricts visits; the peer restricts pixels, too.
        (_of("visit htm7", "visit.region OVERLAPS POINT(0, 0)"), 11, 0),
        # All ranges of validity that a condition allows; the peer gives any one a data ID.
        (_BIAS | {"where": "bias.timespan OVERLAPS exposure.timespan AND instrument = 'CamA'",
                  "on_result": True}, 3, 0),
    ],
    ids=str,
)  # fmt: skip
def test_differences_are_those_explained(
    ours: Butler, peer: Any, question: dict[str, Any], ours_more: int, theirs_more: int
) -> None:
    found, theirs = our_answer(ours, question), peer("ask", for_peer(question))

    assert len([row for row in found if row not in theirs]) == ours_more
    assert len([row for row in theirs if row not in found]) == theirs_more


def test_regions_of_what_rows_do_not_have_are_compared_exactly(
    ours: Butler, peer: Any, comparison: Comparison
) -> None:
    question = {
        "what": "data_ids", "dimensions": ["visit", "detector"],
        "datasets": [["calexp", ["tag", "odd"]], ["coadd", ["tag", "coadds"]]],
        "where": "skymap = 'grid' AND instrument = 'CamA' AND tract.region OVERLAPS POINT(359.7, 0.4)",
    }  # fmt: skip

    assert our_answer(ours, question) == []
    assert len(peer("ask", question)) == 2
    comparison.compare([question])
    assert comparison.projected == 1


def test_the_radius_of_a_circle_is_half_the_peers(ours: Butler, peer: Any) -> None:
    drawn = _of("visit", "visit.region OVERLAPS CIRCLE(0, 5, 4.0)")
    noted = _of("visit", "visit.region OVERLAPS REGION('CIRCLE 0 5 4.0')")

    assert our_answer(ours, drawn) == our_answer(ours, noted) == peer("ask", noted)
    assert len(peer("ask", drawn)) > len(our_answer(ours, drawn))


@pytest.mark.parametrize(
    "where",
    [
        "exposure.seq_num IN (5..4)", "visit.region OVERLAPS CIRCLE(0, 0, -1)",
        "visit.region OVERLAPS BOX(0, 0, -1, 1)", "visit.region = visit.region",
        "visit.region IN (here)", "visit.region OVERLAPS POINT(flag, 0)",
    ],
)  # fmt: skip
def test_what_we_refuse_and_the_peer_answers(ours: Butler, peer: Any, where: str) -> None:
    bind = {"here": {"region": "CIRCLE 0 0 1"}, "flag": True}
    question = _of("exposure visit", where, bind=bind)

    peer("ask", for_peer(question) if "-1" not in where else question)
    with pytest.raises(ButlerError):
        our_answer(ours, question)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("exposure.target_name = 'odd''s' OR exposure = 100", [100]),
        ("exposure.can_see_sky = TRUE AND exposure < 102", [100, 101]),
        ("exposure.target_name IS NULL AND exposure < 110", [104, 109]),
        ("exposure.seq_num * 2.0 == 4.0", [102, 207]),
        ("exposure.timespan = (T'2024-01-10T20:00:00/tai', T'2024-01-10T20:00:30.5/tai')", [100]),
        ("visit.region OVERLAPS POINT(0, 0) AND visit < 200 OR exposure = 100", [100, 102, 103]),
    ],
)
def test_what_the_peer_refuses_may_have_an_answer(
    ours: Butler, peer: Any, peer_error: Any, where: str, expected: list[int]
) -> None:
    dimensions = "exposure visit" if "visit" in where else "exposure"
    question = _of(dimensions, where)

    with pytest.raises(peer_error):
        peer("ask", question)
    found = ours.query_data_ids(dimensions.split(), where=question["where"])
    assert sorted({data_id["exposure"] for data_id in found}) == expected


@pytest.mark.parametrize(
    "where",
    [
        "exposure", "NULL", "visit.region", "exposure = 'one'", "exposure.nothing = 1", "nothing = 1",
        "exposure.timespan.middle = 1", "exposure.band = 'g'", "exposure IN (100, 'a')", "POINT(0, 0)",
        "exposure.exposure_time IN (15..20)", "GLOB(exposure, '1*')", "visit.region OVERLAPS 3",
        "visit.region OVERLAPS POINT(0, 91)", "visit.region OVERLAPS POLYGON(0,0,1,0,2,0)",
        "visit.region OVERLAPS REGION('X')", "visit.region OVERLAPS CIRCLE(word, 0, 1)",
        "visit.region OVERLAPS REGION(number)", "exposure = missing", "exposure = none",
        "exposure.timespan OVERLAPS (T'1950-01-01', T'1960-01-01')", "exposure.timespan IN (span)",
        "visit.region OVERLAPS CIRCLE(1 - 1, 0, 1)", "exposure = T'2024-01-01'", "a b", "exposure = '",
        "-exposure.target_name = 1", "exposure.target_name + 'a' = 'b'", "exposure IN (words)",
        "exposure.timespan.begin = 3", "instrument OVERLAPS 'CamA'", "(1, 2) OVERLAPS visit.region",
    ],
)  # fmt: skip
def test_what_both_refuse_is_refused_with_an_error_of_ours(
    ours: Butler, peer: Any, peer_error: Any, where: str
) -> None:
    bind = {"word": "x", "number": 3, "none": None, "words": [1, "x"],
            "span": {"timespan": ["2024-01-10T00:00:00", None]}}  # fmt: skip
    question = _of("exposure visit", where, bind=bind)

    with pytest.raises(peer_error):
        peer("ask", for_peer(question) if "word" not in where else question)
    with pytest.raises(ButlerError):
        our_answer(ours, question)
