from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butler_core.datasets.storage_class import StorageClassRegistry
from butler_core.errors import ConfigError, ReadFileError, UnknownFormatterError, WriteFileError
from butler_core.formatters.fits_image import FitsImageFormatter
from butler_core.formatters.formatter_table import FormatterTable, formatter_name
from butler_core.formatters.parquet import ParquetFormatter

Ask = Callable[..., Any]
REGISTRY = StorageClassRegistry.default()


@pytest.mark.parametrize(
    ("storage_class", "expected"),
    [
        ("ExposureF", "FitsImageFormatter"),
        ("MaskX", "FitsImageFormatter"),
        ("ArrowAstropy", "ParquetFormatter"),
        ("DataFrame", "ParquetFormatter"),
        ("SourceCatalog", "FitsTableFormatter"),
        ("Defects", "FitsTableFormatter"),
        ("NumpyArray", "NumpyFormatter"),
        ("StructuredDataDict", "YamlFormatter"),
        ("TaskMetadata", "JsonFormatter"),
        ("Camera", "CameraFormatter"),
        ("Linearizer", "FitsGenericFormatter"),
        ("RawExposure", "RawFormatter"),
        ("Plot", "PlotFormatter"),
    ],
)
def test_each_storage_class_has_its_formatter(storage_class: str, expected: str) -> None:
    formatter = FormatterTable().for_writing("thing", REGISTRY.get(storage_class))

    assert type(formatter).__name__ == expected
    assert type(FormatterTable().for_reading(formatter_name(formatter))) is type(formatter)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lsst.daf.butler.formatters.yaml.YamlFormatter", "YamlFormatter"),
        ("lsst.daf.butler.formatters.json.JsonFormatter", "JsonFormatter"),
        ("lsst.daf.butler.formatters.parquet.ParquetFormatter", "ParquetFormatter"),
        ("lsst.obs.base.formatters.fitsExposure.FitsExposureFormatter", "FitsImageFormatter"),
        ("lsst.obs.base.formatters.fitsGeneric.FitsGenericFormatter", "FitsGenericFormatter"),
        ("lsst.obs.lsst.rawFormatter.LatissRawFormatter", "RawFormatter"),
        ("lsst.obs.lsst.rawFormatter.LsstCamRawFormatter", "RawFormatter"),
        ("lsst.obs.subaru.rawFormatter.HyperSuprimeCamRawFormatter", "RawFormatter"),
        ("lsst.daf.butler.formatters.pickle.PickleFormatter", "PickleFormatter"),
    ],
)
def test_rubins_names_stand_for_ours(name: str, expected: str) -> None:
    assert type(FormatterTable().for_reading(name)).__name__ == expected


def test_an_unknown_formatter_is_named_when_it_is_needed() -> None:
    with pytest.raises(UnknownFormatterError, match=r"lsst\.meas\.foo\.BarFormatter"):
        FormatterTable().for_reading("lsst.meas.foo.BarFormatter")
    with pytest.raises(UnknownFormatterError, match=r"'jsn'.*Did you mean 'json'"):
        FormatterTable().for_reading("jsn")


def test_a_storage_class_nobody_writes_is_named() -> None:
    with pytest.raises(UnknownFormatterError, match="'map' of storage class 'HealSparseMap'"):
        FormatterTable().for_writing("map", REGISTRY.get("HealSparseMap"))


def test_overrides_by_dataset_type_and_storage_class() -> None:
    table = FormatterTable(
        {
            "src": "ecsv",
            "SourceCatalog": formatter_name(ParquetFormatter()),
            "ExposureF": {"formatter": "fits_image", "parameters": {"compression": "rice"}},
        }
    )
    catalogue = REGISTRY.get("SourceCatalog")

    assert table.for_writing("src", catalogue).extension == ".ecsv"
    assert table.for_writing("other", catalogue) == ParquetFormatter()
    assert table.for_writing("calexp", REGISTRY.get("ExposureF")) == FitsImageFormatter("rice")


def test_malformed_overrides_are_refused() -> None:
    with pytest.raises(ConfigError, match="'ExposureF' is 3"):
        FormatterTable({"ExposureF": 3})  # type: ignore[dict-item] # on purpose
    table = FormatterTable({"ExposureF": {"formatter": "fits_image", "parameters": {"zip": 1}}})
    with pytest.raises(ConfigError, match="no write parameter 'zip'; it has compression"):
        table.for_writing("x", REGISTRY.get("ExposureF"))


def test_pickles_are_read_only_where_allowed(tmp_path: Path, ask: Ask) -> None:
    name = "lsst.daf.butler.formatters.pickle.PickleFormatter"
    (tmp_path / "x.pickle").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "y.pickle").write_bytes(b"nonsense")
    allowed = FormatterTable(allow_pickle=True).for_reading(name)

    assert allowed.read(ask(tmp_path / "x.pickle", "SkyMap")) == {"a": 1}
    with pytest.raises(ReadFileError, match="cannot be unpickled"):
        allowed.read(ask(tmp_path / "y.pickle", "SkyMap"))
    with pytest.raises(ReadFileError, match=r"runs whatever program.*allow_pickle"):
        FormatterTable().for_reading(name).read(ask(tmp_path / "x.pickle", "SkyMap"))
    with pytest.raises(WriteFileError, match="not written"):
        allowed.write({}, tmp_path / "z.pickle")
