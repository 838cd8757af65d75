"""Tests of defining visits: records made, and what a second, partial or later call does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from butler_core import Butler
from butler_core.errors import RecordConflictError, UnknownCollectionError
from butler_core.instruments import register_instrument
from butler_core.raw_ingest import RawIngestRequest, ingest_raws
from butler_core.visits import VisitReport, VisitRequest, define_visits
from pipelines.simulated_night.night import write_night
from pipelines.simulated_night.night_plan import NightSettings

Add = Callable[..., Butler]
DAY = 20210707 * 10**5


def pairs(butler: Butler, element: str, *names: str) -> set[tuple[object, ...]]:
    columns = butler.query_dimension_records(element).columns
    return set(zip(*(columns[name] for name in names), strict=True))


def test_science_exposures_of_a_night_become_visits(latiss: Butler, tmp_path: Path) -> None:
    settings = NightSettings(n_science=3, n_calibrations=1, n_rows=32)
    raws = write_night(tmp_path / "night", settings).raw_files()
    ingest_raws(latiss, RawIngestRequest(raws))

    report = define_visits(latiss, "lsst.obs.lsst.Latiss")

    assert report == VisitReport(exposures=7, off_sky=4, new=3)
    visits = latiss.query_dimension_records("visit").columns
    assert visits["id"] == [DAY + n for n in (300, 301, 302)]
    assert visits["day_obs"] == [20210707] * 3
    raw = latiss.get("raw.wcs", instrument="LATISS", exposure=DAY + 300, detector=0,
                     collections="LATISS/raw/all")  # fmt: skip
    ra, dec = raw.pixel_to_world_values(0.0, 0.0)
    where = f"visit_detector_region.region OVERLAPS POINT({ra}, {dec})"
    found = latiss.query_data_ids(["visit", "detector"], where=where)
    assert DAY + 300 in found.columns["visit"]


def test_frames_of_the_test_camera_become_visits(latiss: Butler, test_data: Path) -> None:
    register_instrument(latiss, "testCam")
    ingest_raws(latiss, RawIngestRequest(sorted((test_data / "images").glob("raw_v*.fits.gz"))))

    assert define_visits(latiss, "testCam").new == 3
    assert pairs(latiss, "visit_system", "instrument", "id", "name") == {
        ("testCam", 0, "one-to-one")
    }


def test_records_of_visits_of_one_and_of_several_exposures(with_exposures: Add) -> None:
    with_exposures([1])
    butler = with_exposures([2, 3], seq_start=2, seq_end=3)

    report = define_visits(butler, "LATISS")

    assert (report.new, report.visits) == (4, 4)
    assert pairs(butler, "visit_definition", "visit", "exposure") == {
        (DAY + 1, DAY + 1), (int(f"9{DAY + 2}"), DAY + 2), (DAY + 3, DAY + 3),
        (DAY + 2, DAY + 2), (DAY + 2, DAY + 3),
    }  # fmt: skip
    assert pairs(butler, "visit_system_membership", "visit", "visit_system") == {
        (DAY + 1, 0), (DAY + 1, 2), (int(f"9{DAY + 2}"), 0), (DAY + 3, 0), (DAY + 2, 2),
    }  # fmt: skip
    both = next(iter(butler.query_dimension_records("visit", visit=DAY + 2, instrument="LATISS")))
    assert both.exposure_time == 30.0
    assert both.name == "AT_2"
    assert both.timespan.nsec == (10**18 + 2 * 10**11, 10**18 + 3 * 10**11 + 15 * 10**9)
    assert len(butler.query_dimension_records("visit_detector_region")) == 4


def test_values_that_differ_are_left_out_and_angles_averaged(with_exposures: Add) -> None:
    with_exposures([1], seq_start=1, seq_end=2, target_name="a", observation_reason="x")
    butler = with_exposures(
        [2], seq_start=1, seq_end=2, target_name="b", observation_reason="y", azimuth=20.0,
        zenith_angle=None,
    )  # fmt: skip

    define_visits(butler, "LATISS")

    visit = next(iter(butler.query_dimension_records("visit", visit=DAY + 1, instrument="LATISS")))
    assert (visit.target_name, visit.observation_reason) == (None, "various")
    assert visit.azimuth == pytest.approx(5.0)
    assert visit.zenith_angle is None


@pytest.mark.parametrize(
    "changes", [{"can_see_sky": False}, {"tracking_ra": None}, {"sky_angle": None}]
)
def test_exposures_off_the_sky_are_counted_and_left_out(
    with_exposures: Add, changes: dict[str, object]
) -> None:
    butler = with_exposures([1, 2], **changes)

    assert define_visits(butler, "LATISS") == VisitReport(exposures=2, off_sky=2)


def test_sky_that_may_be_seen_counts_as_seen(with_exposures: Add) -> None:
    butler = with_exposures([1], can_see_sky=None)

    assert define_visits(butler, "LATISS").new == 1


def test_defining_again_changes_nothing(with_exposures: Add) -> None:
    butler = with_exposures([1, 2])
    define_visits(butler, "LATISS")

    assert define_visits(butler, "LATISS") == VisitReport(exposures=2, unchanged=2)


def test_only_new_exposures_make_new_visits(with_exposures: Add) -> None:
    define_visits(with_exposures([1, 2]), "LATISS")

    butler = with_exposures([3])

    assert define_visits(butler, "LATISS") == VisitReport(exposures=3, new=1, unchanged=2)


def test_where_and_collections_choose_exposures(with_exposures: Add) -> None:
    butler = with_exposures([1, 2, 3])

    report = define_visits(
        butler, "LATISS", VisitRequest(where="exposure.seq_num > first", bind={"first": 2})
    )

    assert report == VisitReport(exposures=1, new=1)
    with pytest.raises(UnknownCollectionError, match="elsewhere"):
        define_visits(butler, "LATISS", VisitRequest(collections=["elsewhere"]))


def test_update_replaces_records_and_regions(with_exposures: Add) -> None:
    butler = with_exposures([1])
    define_visits(butler, "LATISS")
    before = butler.query_dimension_records("visit_detector_region").columns["region"]

    report = define_visits(butler, "LATISS", VisitRequest(update_records=True, padding_pixels=0))

    assert report == VisitReport(exposures=1, updated=1)
    assert butler.query_dimension_records("visit_detector_region").columns["region"] != before


def test_exposure_that_comes_later_joins_its_visit_incrementally_only(with_exposures: Add) -> None:
    define_visits(with_exposures([1], seq_start=1, seq_end=2), "LATISS")
    butler = with_exposures([2], seq_start=1, seq_end=2)

    with pytest.raises(RecordConflictError, match=r"visit 2021070700001 .* incrementally"):
        define_visits(butler, "LATISS")
    later_alone = VisitRequest(incremental=True, where="exposure.seq_num = 2")
    report = define_visits(butler, "LATISS", later_alone)

    assert (report.new, report.unchanged, report.updated) == (1, 1, 1)
    definition = pairs(butler, "visit_definition", "visit", "exposure")
    assert {(DAY + 1, DAY + 1), (DAY + 1, DAY + 2)} <= definition
    visit = next(iter(butler.query_dimension_records("visit", visit=DAY + 1, instrument="LATISS")))
    assert visit.exposure_time == 30.0


def test_exposures_with_different_filters_make_no_visit_together(with_exposures: Add) -> None:
    with_exposures([1], seq_start=1, seq_end=2)
    butler = with_exposures([2], seq_start=1, seq_end=2, physical_filter="SDSSg_65mm~empty")

    report = define_visits(butler, "LATISS")

    assert report.new == 2
    assert "SDSSg_65mm~empty, SDSSr_65mm~empty" in report.warnings[0]


def test_thousands_of_visits_take_seconds(with_exposures: Add) -> None:
    butler = with_exposures(range(1, 3001))

    assert define_visits(butler, "LATISS").new == 3000
    assert len(butler.query_dimension_records("visit_detector_region")) == 3000
