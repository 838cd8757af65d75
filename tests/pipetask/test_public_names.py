"""What ``import pipetask`` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pipetask


@pytest.mark.parametrize("name", pipetask.__all__)
def test_public_name_is_there(name: str) -> None:
    assert getattr(pipetask, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Pipline'"):
        _ = pipetask.Pipline


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, pipetask; print(sorted({'pydantic', 'yaml'} & set(sys.modules)))"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )

    assert answer.stdout.strip() == "[]"
