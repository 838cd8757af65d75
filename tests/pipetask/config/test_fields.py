"""`Config`: checks on assignment, freezing, histories, text and digests."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from pipetask.config import Config
from pipetask.errors import TaskConfigError, UnknownFieldError


class OverscanConfig(Config):
    n_sigma: float = Field(3.0, gt=0, description="Clipping threshold.")
    fit: str = Field("median", description="What is fitted.")


class IsrConfig(Config):
    doFlat: bool = Field(True, description="Divide by the flat?")
    planes: list[str] = Field(["SAT"], description="Bad mask planes.")
    gains: dict[str, float] = Field({}, description="Gain of each amplifier [e-/adu].")
    overscan: OverscanConfig = Field(OverscanConfig(), description="Overscan.")
    label: str | None = Field(None, description="Any text.")
    anything: Any = Field(None, description="Anything.")
    parts: dict[str, OverscanConfig] = Field({}, description="Overscan by amplifier.")

    def validate(self) -> None:  # type: ignore[override]
        if self.doFlat and self.label == "no flat":
            raise ValueError("label says 'no flat' and doFlat is true")


class ChildConfig(IsrConfig):
    def set_defaults(self) -> None:
        super().set_defaults()
        self.overscan.n_sigma = 5
        self.planes = ["CR"]


def test_assignment_is_checked_and_names_class_and_field() -> None:
    config = IsrConfig()

    config.overscan.n_sigma = 4
    with pytest.raises(TaskConfigError, match=r"OverscanConfig.n_sigma = -1: .* greater than 0"):
        config.overscan.n_sigma = -1
    with pytest.raises(TaskConfigError, match=r"IsrConfig.planes.1 = 3: .* valid string"):
        config.planes = ["SAT", 3]

    assert config.overscan.n_sigma == 4.0


def test_unknown_field_names_the_near_one() -> None:
    config = IsrConfig()

    with pytest.raises(
        UnknownFieldError, match=r"IsrConfig has no field 'doFlt'. Did you mean 'doF"
    ):
        config.doFlt = False
    with pytest.raises(UnknownFieldError, match=r"OverscanConfig has no field 'n_sgma'. Did you"):
        config.set_dotted("overscan.n_sgma", 3, source="test")
    with pytest.raises(UnknownFieldError, match=r"no field 'overscn'"):
        config.set_dotted("overscn.n_sigma", 3, source="test")
    with pytest.raises(UnknownFieldError, match=r"'doFlat' is a bool and has no fields"):
        config.set_dotted("doFlat.x", 3, source="test")


def test_all_faults_of_a_construction_come_together() -> None:
    with pytest.raises(TaskConfigError, match=r"(?s)doFlat = 'x'.*no field 'plane'"):
        IsrConfig(doFlat="x", plane=[])


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("overscan.n_sigma", "1e-3", 0.001),
        ("doFlat", "False", False),
        ("doFlat", "false", False),
        ("planes", "[SAT, 'BAD']", ["SAT", "BAD"]),
        ("planes", ["1", "2"], ["1", "2"]),
        ("gains", "{'C00': 1.5, C01: 2}", {"C00": 1.5, "C01": 2.0}),
        ("gains.C00", "1.5", {"C00": 1.5}),
        ("label", "2024", "2024"),
        ("label", "None", None),
        ("label", "deep.r-2", "deep.r-2"),
        ("label", "'quoted'", "quoted"),
        ("anything", "-3", -3),
        ("anything", "(1, a)", (1, "a")),
        ("anything", "f(3)", "f(3)"),
    ],
)
def test_text_is_read_as_the_field_takes_it(path: str, text: Any, expected: Any) -> None:
    config = IsrConfig()

    config.set_dotted(path, text, source="test")

    assert config.get_dotted(path.removesuffix(".C00")) == expected


def test_path_goes_through_entries_of_mappings() -> None:
    config = IsrConfig(parts={"C00": OverscanConfig()})

    config.set_dotted("parts.C00.n_sigma", "9", source="test")

    assert config.parts["C00"].n_sigma == 9
    with pytest.raises(UnknownFieldError, match=r"no entry 'C0'. Did you mean 'C00'"):
        config.set_dotted("parts.C0.n_sigma", "9", source="test")


def test_history_tells_every_value_and_its_source() -> None:
    config = IsrConfig()
    config.set_dotted("overscan.n_sigma", "4", source="-c isr:overscan.n_sigma=4")
    config.overscan.n_sigma = 5

    entries = config.history("overscan.n_sigma")

    assert [entry.value for entry in entries] == [3.0, 4.0, 5.0]
    assert entries[0].source == "default"
    assert entries[1].source == "-c isr:overscan.n_sigma=4"
    assert entries[2].source.startswith(f"{__file__}:")
    assert list(config.provenance()) == ["overscan.n_sigma"]


def test_history_is_no_alias_of_a_list_changed_later() -> None:
    config = IsrConfig()
    config.planes = ["A"]
    config.planes.append("B")

    assert config.history("planes")[-1].value == ["A"]


def test_set_defaults_gives_way_to_what_is_given() -> None:
    config = ChildConfig(planes=["X"])

    assert config.planes == ["X"]
    assert config.overscan.n_sigma == 5
    assert IsrConfig().overscan.n_sigma == 3


def test_frozen_configuration_refuses_every_change() -> None:
    config = IsrConfig(gains={"C00": 1}, parts={"C00": OverscanConfig()})
    config.freeze()
    config.freeze()

    for change in (
        lambda: setattr(config, "doFlat", False),
        lambda: setattr(config.overscan, "n_sigma", 4),
        lambda: config.planes.append("X"),
        lambda: config.planes.__setitem__(0, "X"),
        lambda: config.gains.update(C00=3),
        lambda: config.gains.__setitem__("C00", 3),
        lambda: setattr(config.parts["C00"], "n_sigma", 3),
        lambda: config.set_dotted("overscan.n_sigma", "4", source="test"),
    ):
        with pytest.raises(TaskConfigError, match=r"thawed_copy\(\)"):
            change()
    assert config.is_frozen


def test_thawed_copy_can_change_and_leaves_the_original_alone() -> None:
    config = IsrConfig(parts={"C00": OverscanConfig()})
    config.freeze()

    copy = config.thawed_copy()
    copy.planes.append("X")
    copy.parts["C00"].n_sigma = 9

    assert [tuple(difference) for difference in config.diff(copy)] == [
        ("planes", ["SAT"], ["SAT", "X"]),
        (
            "parts",
            {"C00": {"fit": "median", "n_sigma": 3.0}},
            {"C00": {"fit": "median", "n_sigma": 9.0}},
        ),
    ]


def test_freezing_checks_what_was_changed_in_place_and_the_rules_of_the_class() -> None:
    config = IsrConfig()
    config.planes.append(3)
    with pytest.raises(TaskConfigError, match=r"IsrConfig.planes.1 = 3"):
        config.freeze()

    config = IsrConfig(label="no flat")
    with pytest.raises(TaskConfigError, match=r"IsrConfig: label says 'no flat'"):
        config.freeze()


def test_assigned_part_is_not_shared() -> None:
    part = OverscanConfig()
    config = IsrConfig()
    config.overscan = part

    part.n_sigma = 9

    assert config.overscan.n_sigma == 3


def test_yaml_is_stable_and_reads_back_equal() -> None:
    config = IsrConfig(gains={"b": 2, "a": 1}, planes=["Z", "A"], label="x\ny")
    other = IsrConfig(label="x\ny", planes=["Z", "A"], gains={"a": 1, "b": 2})

    assert config.to_yaml() == other.to_yaml()
    assert IsrConfig.from_yaml(config.to_yaml()) == config
    assert config.digest() == other.digest()
    assert len(config.digest()) == 64
    assert config.digest() != IsrConfig().digest()


@given(
    planes=st.lists(st.text(max_size=5), max_size=4),
    gains=st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=4),
    label=st.none() | st.text(max_size=8),
)
def test_yaml_round_trip(planes: list[str], gains: dict[str, float], label: str | None) -> None:
    config = IsrConfig(planes=planes, gains=gains, label=label)

    again = IsrConfig.from_yaml(config.to_yaml())

    assert again == config
    assert again.digest() == config.digest()


def test_text_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(TaskConfigError, match=r"must be a YAML mapping"):
        IsrConfig.from_yaml("- 3")
    with pytest.raises(TaskConfigError, match=r"is no YAML"):
        IsrConfig.from_yaml("{")


def test_value_without_plain_form_is_refused_by_name() -> None:
    with pytest.raises(TaskConfigError, match=r"IsrConfig.anything holds a object"):
        IsrConfig(anything=object()).to_yaml()


def test_pickling_keeps_values_history_and_frozenness() -> None:
    config = IsrConfig(planes=["X"])
    config.freeze()

    again = pickle.loads(pickle.dumps(config))

    assert again == config
    assert again.is_frozen
    assert again.history("planes") == config.history("planes")
    with pytest.raises(TaskConfigError):
        again.planes.append("Y")


def test_python_file_sets_fields_and_is_in_the_history(tmp_path: Path) -> None:
    file = tmp_path / "isr.py"
    file.write_text("config.doFlat = False\nconfig.planes.append('CR')\n")
    config = IsrConfig()

    config.load(file)

    assert config.history("doFlat")[-1] == (False, f"{file}:1")
    assert config.history("planes")[-1] == (["SAT", "CR"], str(file))


def test_faulty_python_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "isr.py"
    file.write_text("x = 1\n\nconfig.doFlt = x\n")

    with pytest.raises(TaskConfigError, match=r"isr.py:3: .*doFlt"):
        IsrConfig().load(file)
    with pytest.raises(TaskConfigError, match=r"config file '.*none.py' cannot be read"):
        IsrConfig().load(tmp_path / "none.py")
