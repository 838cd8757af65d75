from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.extra import numpy as hnp

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.numpy import NumpyFormatter
from butler_core.formatters.plot import PlotFormatter

Ask = Callable[..., Any]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)))
def test_arrays_come_back(tmp_path: Path, ask: Ask, array: Any) -> None:
    NumpyFormatter().write(array, tmp_path / "a.npy")
    back = NumpyFormatter().read(ask(tmp_path / "a.npy", "NumpyArray"))

    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_arrays_through_a_url(tmp_path: Path, ask: Ask) -> None:
    NumpyFormatter().write(np.arange(5), tmp_path / "a.npy")
    fsspec.filesystem("memory").pipe("/bucket/a.npy", (tmp_path / "a.npy").read_bytes())

    assert NumpyFormatter().read(ask("memory://bucket/a.npy", "NumpyArray")).tolist() == [
        0, 1, 2, 3, 4
    ]  # fmt: skip


def test_arrays_without_a_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteFileError, match="Python objects"):
        NumpyFormatter().write(np.array([object()]), tmp_path / "a.npy")
    with pytest.raises(WriteFileError, match="masked array"):
        NumpyFormatter().write(np.ma.masked_array([1], [True]), tmp_path / "a.npy")


def test_broken_arrays_are_named(tmp_path: Path, ask: Ask) -> None:
    NumpyFormatter().write(np.zeros(1000), tmp_path / "whole.npy")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:500])
    np.save(tmp_path / "pickle.npy", np.array([{"a": 1}]), allow_pickle=True)

    for name in ("cut.npy", "pickle.npy"):
        with pytest.raises(ReadFileError, match=name):
            NumpyFormatter().read(ask(tmp_path / name, "NumpyArray"))
    with pytest.raises(ReadFileError, match="no file at"):
        NumpyFormatter().read(ask(tmp_path / "absent.npy", "NumpyArray"))


def test_figures_become_the_same_png(tmp_path: Path, ask: Ask) -> None:
    from matplotlib.figure import Figure

    for name in ("one.png", "two.png"):
        figure = Figure()
        figure.add_subplot().plot([1, 2, 3])
        PlotFormatter(dots_per_inch=30).write(figure, tmp_path / name)

    content = PlotFormatter().read(ask(tmp_path / "one.png", "Plot"))
    assert content == (tmp_path / "two.png").read_bytes()
    PlotFormatter().write(content, tmp_path / "three.png")
    assert (tmp_path / "three.png").read_bytes() == content


def test_what_is_no_picture_is_refused(tmp_path: Path, ask: Ask) -> None:
    with pytest.raises(WriteFileError, match="is no picture"):
        PlotFormatter().write(3, tmp_path / "a.png")
    with pytest.raises(WriteFileError, match="does not begin a PNG"):
        PlotFormatter().write(b"GIF89a", tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"GIF89a")
    with pytest.raises(ReadFileError, match="is no PNG file"):
        PlotFormatter().read(ask(tmp_path / "a.png", "Plot"))
