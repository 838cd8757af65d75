"""Instructions applied to a configuration, in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from pipetask.config import Config
from pipetask.config_overrides import (
    DictOverride,
    FileOverride,
    InstrumentOverride,
    PythonOverride,
    ValueOverride,
    apply_overrides,
    command_line_override,
)
from pipetask.errors import TaskConfigError, UnknownFieldError

SURVEY = 7


class FitConfig(Config):
    order: int = Field(3, ge=0, description="Order of the polynomial.")
    name: str = Field("legendre", description="Its family.")
    bands: list[str] = Field([], description="Bands to fit.")
    free: Any = Field(None, description="Anything.")


def made(*overrides: Any, **parameters: Any) -> FitConfig:
    config = FitConfig()
    apply_overrides(config, overrides, label="fit", parameters=parameters)
    return config


def test_later_instruction_wins() -> None:
    config = made(
        ValueOverride("order", "4", "a.yaml:3"),
        PythonOverride("config.order += 1", "a.yaml", 7),
        DictOverride({"name": "chebyshev"}, "a program"),
    )

    assert (config.order, config.name) == (5, "chebyshev")
    assert [e.source for e in config.history("order")] == ["default", "a.yaml:3", "a.yaml:7"]


def test_python_blocks_share_names_with_each_other_and_with_values() -> None:
    config = made(
        PythonOverride("from math import pi\nnumbers = [2, 3]", "a.yaml", 1),
        PythonOverride("config.order = max(n * SURVEY for n in numbers)", "a.yaml", 5),
        ValueOverride("free", "pi", "a.yaml:6"),
        ValueOverride("name", "pi", "a.yaml:7"),
    )

    assert config.order == 21
    assert config.free == pytest.approx(3.14159, abs=1e-5)
    assert config.name == "pi"


def test_parameters_are_in_scope_and_cannot_be_set(tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("config.bands = [parameters.band]\n")

    config = made(
        PythonOverride("config.order = parameters.order", "a.yaml"),
        FileOverride(str(tmp_path / "fit.py"), "a.yaml:3"),
        order=8,
        band="r",
    )

    assert (config.order, config.bands) == (8, ["r"])
    with pytest.raises(TaskConfigError, match=r"a.yaml:4: parameters.order cannot be set to 3"):
        made(PythonOverride("parameters.order = 3", "a.yaml", 4), order=8)


def test_file_is_found_through_environment_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fit.py").write_text("config.order = 1\n")
    monkeypatch.setenv("FIT_DIR", str(tmp_path))

    assert made(FileOverride("$FIT_DIR/fit.py", "a.yaml:3")).order == 1


def test_instrument_files_apply_where_there_are_any(tmp_path: Path) -> None:
    for folder, order in (("camera", 1), ("site", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "fit.py").write_text(f"config.order = {order}\n")
    folders = tuple(str(tmp_path / name) for name in ("camera", "site", "absent"))

    assert made(InstrumentOverride(folders, "fit")).order == 2
    assert made(InstrumentOverride(folders, "other")).order == 3


def test_every_problem_of_a_task_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "fit.py").write_text("\nconfig.order = -1\n")

    with pytest.raises(TaskConfigError) as caught:
        made(
            ValueOverride("ordr", 3, "a.yaml:3"),
            PythonOverride("x = 1\nassert x == 2, 'not two'", "a.yaml", 11),
            PythonOverride("x = ", "a.yaml", 20),
            PythonOverride("1 / 0", "a.yaml", 30),
            FileOverride(str(tmp_path / "fit.py"), "a.yaml:40"),
            FileOverride("/nowhere/fit.py", "a.yaml:50"),
        )

    text = str(caught.value)
    for problem in (
        "The configuration of 'fit' cannot be made",
        "a.yaml:3: ordr: FitConfig has no field 'ordr'. Did you mean 'order'?",
        "a.yaml:12: AssertionError: not two",
        "a.yaml:20: SyntaxError",
        "a.yaml:30: ZeroDivisionError",
        "fit.py:2: FitConfig.order = -1",
        "a.yaml:50: config file '/nowhere/fit.py' cannot be read",
    ):
        assert problem in text


def test_only_unknown_fields_make_that_error() -> None:
    with pytest.raises(UnknownFieldError):
        made(ValueOverride("ordr", 3, "a.yaml:3"), ValueOverride("nam", 3, "a.yaml:4"))


def test_change_in_place_is_in_the_history() -> None:
    config = made(PythonOverride("config.bands.append('r')", "a.yaml", 6))

    assert config.history("bands")[-1] == (["r"], "a.yaml:6")


def test_command_line_override_is_read() -> None:
    label, override = command_line_override("fit:name=a=b:c")

    assert label == "fit"
    assert override == ValueOverride("name", "a=b:c", "-c fit:name=a=b:c")


@pytest.mark.parametrize("text", ["fit", "fit:name", ":name=3", "fit:=3", "name=3"])
def test_malformed_command_line_override_is_refused(text: str) -> None:
    with pytest.raises(TaskConfigError, match=r"write label:field=value"):
        command_line_override(text)
