from __future__ import annotations

import pickle
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, CollectionType, DataCoordinate, DatasetRef, DatasetType, Timespan
from butler_core.errors import (
    AmbiguousDatasetError,
    CollectionInUseError,
    CollectionTypeError,
    DataIdError,
    DatasetExistsError,
    DatasetNotFoundError,
    MissingRecordError,
    NoCollectionsError,
    ParameterError,
    ReadFileError,
    StorageClassMismatchError,
    UnknownCollectionError,
    UnknownDatasetTypeError,
    UnknownStorageClassError,
)

METRIC: dict[str, Any] = {"instrument": "CamA", "visit": 100, "detector": 0}


# ---------------------------------------------------------------- put and get
def test_what_was_put_is_got(butler: Butler) -> None:
    ref = butler.put({"seeing": 0.7}, "metric", METRIC)

    assert butler.get("metric", METRIC) == {"seeing": 0.7}
    assert butler.get("metric", **METRIC) == {"seeing": 0.7}
    assert butler.get(ref) == {"seeing": 0.7}
    assert butler.get("metric", dataId=METRIC) == {"seeing": 0.7}
    assert butler.get_dataset(ref.id) == ref
    assert butler.get_dataset(uuid.uuid4()) is None


@pytest.mark.parametrize(
    "data_id",
    [
        {"instrument": "CamA", "visit": "100", "detector": 0},
        {"instrument": "CamA", "visit": 100, "detector": "R0_S0"},
        {"instrument": "CamA", "visit": "CamA_V_100", "detector": 0},
        {"instrument": "CamA", "day_obs": 20240110, "seq_num": 0, "detector": 0},
        {"instrument": "CamA", "visit.name": "CamA_V_100", "detector.full_name": "R0_S0"},
        {"instrument": "CamA", "visit": 100, "detector": 0, "physical_filter": "g1", "band": "g"},
    ],
)
def test_a_data_id_may_be_given_by_names_and_fields(
    butler: Butler, data_id: dict[str, Any]
) -> None:
    butler.put({"n": 1}, "metric", METRIC)

    assert butler.get("metric", data_id) == {"n": 1}


@pytest.mark.parametrize(
    ("data_id", "message"),
    [
        (
            {"instrument": "CamA", "visit": 100},
            "needs values for instrument, detector, visit; detector",
        ),
        ({"instrument": "CamA", "visit": 100.5, "detector": 0}, "visit must be an integer"),
        ({"instrument": "CamA", "visit": True, "detector": 0}, "visit must be an integer"),
        ({"instrument": "CamA", "visit": 100, "detector": "R9_S9"}, "no data ID fits"),
        ({**METRIC, "physical_filter": "r1"}, "no data ID fits"),
        ({**METRIC, "colour": "red"}, "'colour' is neither a dimension nor a field"),
        ({"instrument": "CamA", "day_obs": 20240110, "detector": 0}, "visit not given"),
        ({}, "none were given"),
    ],
)
def test_a_data_id_that_does_not_fit_is_refused(
    butler: Butler, data_id: dict[str, Any], message: str
) -> None:
    butler.put({"n": 1}, "metric", METRIC)

    with pytest.raises(DataIdError, match=message):
        butler.get("metric", data_id)


def test_a_wrong_implied_value_puts_nothing(butler: Butler) -> None:
    with pytest.raises(DataIdError, match="no data ID fits"):
        butler.put({}, "metric", METRIC, band="i")

    assert not list(butler.repository.root.rglob("metric*"))


def test_default_values_complete_data_ids(
    open_butler: Callable[..., Butler], butler: Butler
) -> None:
    butler.put({"n": 1}, "metric", METRIC)
    with_default = open_butler(collections="run/1", instrument="CamA")

    assert with_default.get("metric", visit=100, detector=0) == {"n": 1}
    assert (
        with_default.clone(instrument="CamB").find_dataset("metric", visit=100, detector=0) is None
    )


def test_a_put_needs_a_run_and_records(open_butler: Callable[..., Butler], butler: Butler) -> None:
    with pytest.raises(NoCollectionsError, match="no run to put into"):
        open_butler().put({}, "metric", METRIC)
    with pytest.raises(MissingRecordError, match="999"):
        butler.put({}, "metric", METRIC | {"visit": 999})
    with pytest.raises(UnknownDatasetTypeError, match=r"'metrik'.*'metric'"):
        butler.put({}, "metrik", METRIC)


def test_a_put_checks_the_object(butler: Butler) -> None:
    with pytest.raises(StorageClassMismatchError):
        butler.put(3.5, "metric", METRIC)

    assert list(butler.collections.query("run/*")) == []


def test_a_run_holds_a_dataset_once(butler: Butler) -> None:
    butler.put({"n": 1}, "metric", METRIC)

    with pytest.raises(DatasetExistsError, match="use another run"):
        butler.put({"n": 2}, "metric", METRIC)
    butler.put({"n": 2}, "metric", METRIC, run="run/2")

    assert butler.get("metric", METRIC, collections=["run/2", "run/1"]) == {"n": 2}
    assert butler.get("metric", METRIC, collections="run/1,run/2") == {"n": 1}


def test_nothing_is_put_into_what_is_no_run(butler: Butler) -> None:
    butler.collections.register("tag", CollectionType.TAGGED)

    with pytest.raises(CollectionTypeError, match="'tag' is a TAGGED collection"):
        butler.put({}, "metric", METRIC, run="tag")


def test_a_reference_made_beforehand_keeps_its_id(butler: Butler) -> None:
    dataset_type = butler.get_dataset_type("metric")
    data_id = DataCoordinate.standardize(METRIC, group=dataset_type.dimensions)
    ref = DatasetRef(dataset_type, data_id, "run/made", uuid.uuid4())

    assert not butler.exists(ref)
    assert butler.put({"n": 1}, ref) == ref
    assert butler.get(ref) == {"n": 1}
    assert butler.exists(ref)


def test_datasets_of_no_dimensions_are_put_and_got(butler: Butler) -> None:
    butler.put({"total": 3}, "summary")

    assert butler.get("summary") == {"total": 3}


def test_what_is_not_there_is_told_with_where_others_are(butler: Butler) -> None:
    butler.put({}, "metric", METRIC)

    with pytest.raises(
        DatasetNotFoundError, match=r"no 'metric' for .*101.* in 'run/1'.*has others"
    ):
        butler.get("metric", METRIC | {"visit": 101})
    butler.collections.register("empty")
    with pytest.raises(DatasetNotFoundError, match="None of them holds any"):
        butler.get("metric", METRIC, collections="empty")
    assert butler.find_dataset("metric", METRIC, collections="empty") is None
    with pytest.raises(NoCollectionsError, match="no collections to search"):
        butler.get("metric", METRIC, collections=[])


def test_a_file_that_is_gone_is_told(butler: Butler) -> None:
    from pathlib import Path

    ref = butler.put({}, "metric", METRIC)
    Path(butler.get_uri(ref).removeprefix("file://")).unlink()

    assert not butler.exists(ref)
    with pytest.raises(ReadFileError):
        butler.get(ref)


def test_a_deferred_handle_reads_when_asked(butler: Butler) -> None:
    ref = butler.put({"n": 1}, "metric", METRIC)

    handle = butler.getDeferred("metric", METRIC)

    assert handle.ref == ref
    assert handle.dataId == ref.data_id
    assert handle.get() == {"n": 1}
    with pytest.raises(DatasetNotFoundError):
        butler.getDeferred("metric", METRIC | {"visit": 101})


def test_a_dataset_type_needs_a_known_storage_class(butler: Butler) -> None:
    with pytest.raises(UnknownStorageClassError, match="'Exposur'"):
        butler.register_dataset_type(DatasetType.of("x", [], "Exposur", universe=butler.dimensions))


# ---------------------------------------------------------------- calibrations
def test_a_calibration_is_found_by_the_time_of_an_exposure(butler: Butler) -> None:
    registry = butler.repository.registry
    refs = [
        butler.put({"n": n}, "bias", instrument="CamA", detector=0, run=f"cal/{n}") for n in (1, 2)
    ]
    butler.collections.register("calib", CollectionType.CALIBRATION)
    for ref, span in zip(
        refs, [(None, "2024-01-11T12:00:00"), ("2024-01-11T12:00:00", None)], strict=True
    ):
        ((registered, keys),) = butler.keys_by_type([ref])
        registry.memberships.certify(
            registered, registry.collections.get("calib"), keys, Timespan.from_times(*span)
        )

    def bias(**data_id: Any) -> Any:
        return butler.get("bias", instrument="CamA", detector=0, collections="calib", **data_id)

    assert bias(exposure=100) == {"n": 1}  # of the 10th
    assert bias(exposure=101) == {"n": 2}  # of the 11th
    assert bias(visit=102) == {"n": 2}
    assert bias(day_obs=20240110) == {"n": 1}
    assert bias(timespan=Timespan.from_times("2030-01-01", None)) == {"n": 2}
    with pytest.raises(AmbiguousDatasetError, match="say for which time"):
        bias()


# ---------------------------------------------------------------- collections
def test_chains_are_edited_through_the_butler(butler: Butler) -> None:
    for name in ("a", "b", "c"):
        butler.collections.register(name)
    butler.collections.register("chain", CollectionType.CHAINED)
    butler.collections.redefine_chain("chain", "a")
    butler.collections.prepend_chain("chain", ["b"])
    butler.collections.extend_chain("chain", ["c", "b"])
    butler.collections.remove_from_chain("chain", "a")

    assert butler.collections.get_info("chain").children == ("c", "b")
    assert butler.collections.query("c*") == ["c", "chain"]
    assert butler.collections.query("chain", flatten_chains=True) == ["c", "b"]
    assert butler.collections.query("chain", flatten_chains=True, include_chains=True) == [
        "chain",
        "c",
        "b",
    ]
    assert butler.collections.query("*", CollectionType.CHAINED) == ["chain"]


# -------------------------------------------------------------------- removing
def test_a_removed_run_takes_its_datasets_and_files(butler: Butler) -> None:
    ref = butler.put({}, "metric", METRIC)
    butler.collections.register("chain", CollectionType.CHAINED)
    butler.collections.redefine_chain("chain", "run/1")

    with pytest.raises(CollectionInUseError, match="part of the chains 'chain'"):
        butler.remove_runs("run/1")
    assert butler.exists(ref)
    assert butler.remove_runs("run/1", unlink_from_chains=True) == 1

    assert not butler.collections.exists("run/1")
    assert butler.get_dataset(ref.id) is None
    assert [p.name for p in butler.repository.root.iterdir() if p.is_dir()] == []


def test_only_runs_are_removed_as_runs(butler: Butler) -> None:
    butler.collections.register("tag", CollectionType.TAGGED)

    with pytest.raises(CollectionTypeError, match="'tag' is a TAGGED collection, not a RUN"):
        butler.remove_runs("tag")


def test_unstored_datasets_stay_registered(butler: Butler) -> None:
    ref = butler.put({}, "metric", METRIC)

    assert butler.prune_datasets([ref], unstore=True) == 1

    assert butler.get_dataset(ref.id) == ref
    assert not butler.exists(ref)
    with pytest.raises(DatasetNotFoundError, match="registered, but has no file"):
        butler.get(ref)


def test_purging_needs_to_be_asked_for_in_full(butler: Butler) -> None:
    ref = butler.put({}, "metric", METRIC)

    with pytest.raises(ParameterError, match="purge=True needs"):
        butler.prune_datasets([ref], purge=True)

    assert butler.exists(ref)


# ------------------------------------------------------------------- the module
def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys, butler_core\n"
        "heavy = {'sqlalchemy', 'astropy', 'numpy', 'duckdb', 'lsst', 'yaml', 'pydantic', 'lark'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "butler_core.Butler\n"
        "assert not {'astropy', 'numpy', 'duckdb', 'lsst', 'lark'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_references_survive_pickling(butler: Butler) -> None:
    ref = butler.put({}, "metric", METRIC)

    again = pickle.loads(pickle.dumps(ref))

    assert again == ref
    assert butler.get(again) == {}


def test_a_run_that_another_process_removed_is_made_again(
    open_butler: Callable[..., Butler],
) -> None:
    ours, theirs = open_butler(run="run/1"), open_butler()
    first = ours.put({"n": 1}, "metric", instrument="CamA", visit=100, detector=0)
    theirs.remove_runs(["run/1"])
    theirs.collections.register("another")

    again = ours.put({"n": 2}, "metric", instrument="CamA", visit=100, detector=0)

    assert ours.get(again) == {"n": 2}
    assert again.id != first.id
    assert ours.query_datasets("metric", "run/1").count() == 1


def test_a_run_that_was_not_made_yet_holds_nothing(tmp_path: Path) -> None:
    with Butler.create(tmp_path / "repo") as maker:
        maker.register_dataset_type(
            DatasetType.of("thing", (), "StructuredDataDict", universe=maker.dimensions)
        )
    with Butler(tmp_path / "repo", run="u/new", writeable=True) as butler:
        assert not butler.exists("thing")
        assert butler.find_dataset("thing") is None
        with pytest.raises(DatasetNotFoundError, match="nothing was put into run 'u/new' yet"):
            butler.get("thing")

        butler.put({"a": 1}, "thing")

        assert butler.exists("thing")

    with (
        Butler(tmp_path / "repo", collections="nix") as butler,
        pytest.raises(UnknownCollectionError, match="no collection 'nix'"),
    ):
        butler.exists("thing")
