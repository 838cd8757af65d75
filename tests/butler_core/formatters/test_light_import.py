from __future__ import annotations

import subprocess
import sys

import pytest

import butler_core.formatters

HEAVY = "{'numpy', 'astropy', 'duckdb', 'yaml', 'fsspec', 'pydantic'}"


@pytest.mark.parametrize("module", ["butler_core.formatters", "butler_core.formatters.formatter"])
def test_importing_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; sys.exit(' '.join({HEAVY} & set(sys.modules)) or 0)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_found() -> None:
    for name in butler_core.formatters.__all__:
        assert getattr(butler_core.formatters, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        butler_core.formatters.Nothing  # noqa: B018
