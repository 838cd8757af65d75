"""Export files of older dimension universes; what they lack is derived."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from butler_core.errors import ExportFileError
from butler_core.repository.repository import Repository
from butler_core.tai import iso_to_ns
from butler_core.timespan import Timespan
from butler_core.transfer import ImportSummary

Importer = Callable[..., ImportSummary]
Records = Callable[[str], list[dict[str, Any]]]

TIMES = """\
datetime_begin: !butler_time/tai/iso '2021-03-04 05:06:07.000000000',
     datetime_end: !butler_time/tai/iso '2021-03-04 05:06:37.000000000'"""


def head(version: int | None, class_name: str = "lsst.obs.lsst.Latiss") -> str:
    universe = "" if version is None else f"universe_version: {version}\n"
    return (
        f"version: 1.0.1\n{universe}data:\n"
        "- type: dimension\n  element: instrument\n"
        f"  records: [{{name: Cam, class_name: {class_name}}}]\n"
        "- type: dimension\n  element: physical_filter\n"
        "  records: [{instrument: Cam, name: g1, band: g}]\n"
        "- type: dimension\n  element: detector\n"
        "  records: [{instrument: Cam, id: 0, full_name: D}]\n"
    )


def exposure(number: int, more: str = "") -> str:
    return (
        f"  - {{instrument: Cam, id: {number}, obs_id: 'O{number}', physical_filter: g1,\n"
        "     seq_num: 4,\n"
        f"     {TIMES}{more}}}\n"
    )


def visit(number: int, more: str = "") -> str:
    return (
        f"  - {{instrument: Cam, id: {number}, physical_filter: g1, exposure_time: 30.0,\n"
        f"     {TIMES}{more}}}\n"
    )


def exposures(*rows: str) -> str:
    return "- type: dimension\n  element: exposure\n  records:\n" + "".join(rows)


def visits(*rows: str) -> str:
    return "- type: dimension\n  element: visit\n  records:\n" + "".join(rows)


DAY = ", day_obs: 20210303"
GROUP = ", group_name: G1, group_id: 11"
SYSTEM = (
    "- {type: dimension, element: visit_system, records: "
    "[{instrument: Cam, id: 0, name: one-to-one}]}\n"
)
DEFINITION = (
    "- {type: dimension, element: visit_definition, records: "
    "[{instrument: Cam, exposure: 7, visit_system: 0, visit: 8}]}\n"
)
NAME = ", name: V8"


@pytest.mark.parametrize("version", [None, 0, 1, 2, 3, 4, 5])
def test_groups_and_days_are_made_of_exposures(
    import_text: Importer, records: Records, version: int | None
) -> None:
    summary = import_text(
        head(version) + exposures(exposure(7, DAY + GROUP), exposure(8, DAY + GROUP))
    )

    assert summary.records["group"] == summary.records["day_obs"] == 1
    assert records("group") == [{"instrument": "Cam", "name": "G1"}]
    day = Timespan.from_day_obs(20210303, offset_s=12 * 3600)  # as LATISS begins its days
    assert records("day_obs") == [
        {"instrument": "Cam", "id": 20210303, "begin_ns": day.begin_ns, "end_ns": day.end_ns}
    ]
    row = records("exposure")[0]
    assert (row["group"], row["day_obs"], row["seq_num"]) == ("G1", 20210303, 4)
    assert row["begin_ns"] == iso_to_ns("2021-03-04T05:06:07")
    assert row["can_see_sky"] is None


@pytest.mark.parametrize("version", [None, 0, 1, 2, 3, 4, 5])
def test_days_are_made_of_visits(
    import_text: Importer, records: Records, version: int | None
) -> None:
    import_text(head(version) + visits(visit(8, DAY + NAME)))

    assert [row["id"] for row in records("day_obs")] == [20210303]
    assert records("visit")[0]["day_obs"] == 20210303


@pytest.mark.parametrize("version", [None, 0, 1])
def test_visit_system_of_a_visit_becomes_a_membership(
    import_text: Importer, records: Records, version: int | None
) -> None:
    text = exposures(exposure(7, DAY + GROUP)) + visits(visit(8, DAY + NAME + ", visit_system: 0"))

    import_text(head(version) + SYSTEM + text + DEFINITION)

    assert records("visit_system_membership") == [
        {"instrument": "Cam", "visit_system": 0, "visit": 8}
    ]
    assert records("visit_definition") == [{"instrument": "Cam", "exposure": 7, "visit": 8}]


def test_memberships_of_universe_2_are_kept(import_text: Importer, records: Records) -> None:
    members = (
        "- {type: dimension, element: visit_system_membership, records: "
        "[{instrument: Cam, visit_system: 0, visit: 8}]}\n"
    )
    definition = DEFINITION.replace("visit_system: 0, ", "")
    text = exposures(exposure(7, DAY + GROUP)) + visits(visit(8, DAY + NAME)) + definition + members

    import_text(head(2) + SYSTEM + text)

    assert len(records("visit_system_membership")) == len(records("visit_definition")) == 1


def test_first_visits_have_seeing_and_neither_name_nor_day(
    import_text: Importer, records: Records
) -> None:
    import_text(head(0) + visits(visit(8, ", seeing: 0.7")))

    (row,) = records("visit")
    # 05:06 TAI is before noon, when the day of LATISS begins.
    assert (row["name"], row["day_obs"]) == ("8", 20210303)


def test_days_of_an_unknown_camera_have_no_timespan(
    import_text: Importer, records: Records
) -> None:
    import_text(head(0, "no.such.Camera") + visits(visit(8)))

    assert records("visit")[0]["day_obs"] == 20210304
    assert records("day_obs") == [
        {"instrument": "Cam", "id": 20210304, "begin_ns": None, "end_ns": None}
    ]


def test_days_and_groups_that_the_file_has_are_kept(
    import_text: Importer, records: Records
) -> None:
    own = (
        "- {type: dimension, element: day_obs, records: [{instrument: Cam, id: 20210303,\n"
        "   datetime_begin: null, datetime_end: null}]}\n"
        "- {type: dimension, element: group, records: [{instrument: Cam, name: G1}]}\n"
    )

    import_text(head(None) + own + exposures(exposure(7, DAY + ", group: G1")))

    assert len(records("group")) == len(records("day_obs")) == 1
    assert records("day_obs")[0]["begin_ns"] == 0


def test_exposures_without_names_are_named_by_their_ids(
    import_text: Importer, records: Records
) -> None:
    text = exposures(exposure(7, ", group_id: 11"), exposure(8)).replace("obs_id: 'O8', ", "")

    import_text(head(0) + text)

    assert [(r["obs_id"], r["group"]) for r in records("exposure")] == [("O7", "11"), ("8", "8")]
    assert {r["day_obs"] for r in records("exposure")} == {20210303}


def test_bands_were_abstract_filters(
    repository: Repository, import_text: Importer, records: Records
) -> None:
    text = head(None).replace("band: g", "abstract_filter: g") + (
        "- {type: dimension, element: abstract_filter, records: [{name: g}]}\n"
        "- {type: dataset_type, name: coadd, dimensions: [abstract_filter, htm7],\n"
        "   storage_class: X}\n"
        "- {type: dataset, dataset_type: coadd, run: r, records: "
        "[{dataset_id: 4, data_id: {abstract_filter: g, htm7: 131072}}]}\n"
    )

    import_text(text)

    assert records("physical_filter")[0]["band"] == "g"
    dataset_type = repository.registry.dataset_types.get("coadd").dataset_type
    assert dataset_type.dimensions.names == ("band", "htm7")


def test_dataset_types_forget_the_visit_system_that_came_with_visits(
    repository: Repository, import_text: Importer
) -> None:
    import_text(
        head(1)
        + SYSTEM
        + visits(visit(8, DAY + NAME + ", visit_system: 0"))
        + "- {type: dataset_type, name: calexp, storage_class: X, dimensions: "
        "[instrument, band, physical_filter, visit, visit_system, detector]}\n"
        "- {type: dataset, dataset_type: calexp, run: r, records: [{dataset_id: 1, data_id: "
        "{instrument: Cam, visit: 8, detector: 0, visit_system: 0}}]}\n"
    )

    dataset_type = repository.registry.dataset_types.get("calexp").dataset_type
    assert dataset_type.dimensions.required == ("instrument", "detector", "visit")


def test_detectors_of_the_first_universe_may_lack_their_full_name(
    import_text: Importer, records: Records
) -> None:
    text = head(0).replace("full_name: D", "raft: R1, name_in_raft: S2")

    import_text(text)

    assert records("detector")[0]["full_name"] == "R1_S2"


@pytest.mark.parametrize("version", [6, 7, 8])
def test_newer_universes_are_taken_by_their_word(import_text: Importer, version: int) -> None:
    with pytest.raises(ExportFileError, match="no field 'group_id', 'group_name'"):
        import_text(head(version) + exposures(exposure(7, DAY + GROUP)))


def test_native_times_of_the_first_files_are_utc(import_text: Importer, records: Records) -> None:
    text = visits(visit(8, DAY + NAME)).replace(TIMES, "datetime_begin: 2021-03-04 05:06:07.5")

    import_text(head(0) + text.replace("07.5", "07.5, datetime_end: 2021-03-04 05:06:37"))

    assert records("visit")[0]["begin_ns"] == iso_to_ns("2021-03-04T05:06:44.5")


def test_what_cannot_be_derived_is_told(import_text: Importer) -> None:
    timeless = visits(visit(8)).replace(f"\n     {TIMES}", "")
    wrong_day = visits(visit(9, ", day_obs: 20211399"))

    with pytest.raises(ExportFileError) as caught:
        import_text(head(0) + timeless + wrong_day)

    assert "visit 8 has neither a day_obs nor a time to take it from" in str(caught.value)
    assert "2021-13-99" in str(caught.value)
