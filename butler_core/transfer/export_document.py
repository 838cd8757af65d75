"""What an export file says, as typed values: records, collections, dataset types, datasets.

Checks the form of each section, and knows no repository: whether what is named
exists is for the importer to see.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from butler_core.datasets.collection import CollectionType
from butler_core.errors import TimespanError
from butler_core.timespan import Timespan
from butler_core.transfer.yaml_reader import YamlDocument

FileId = uuid.UUID | int
Record = dict[str, Any]

#: The newest version of the format, and the one that is written.
FORMAT_VERSION = "1.0.2"


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """One collection."""

    name: str
    type: CollectionType
    doc: str = ""
    #: Names of a chain's children.
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetTypeEntry:
    """The definition of a dataset type."""

    name: str
    dimensions: tuple[str, ...]
    storage_class: str
    is_calibration: bool
    line: int


@dataclass(slots=True)
class DatasetBlock:
    """Datasets of one type in one run: lists of equal length."""

    dataset_type: str
    run: str
    line: int
    ids: list[FileId] = field(default_factory=list)
    data_ids: list[Mapping[str, Any]] = field(default_factory=list)
    #: Of the files; None for a dataset that has none.
    paths: list[str | None] = field(default_factory=list)
    #: Names of the formatters; None for the dataset type's own.
    formatters: list[str | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Association:
    """Datasets that a TAGGED or CALIBRATION collection names."""

    collection: str
    type: CollectionType
    ids: list[FileId]
    #: Validity range; None in a TAGGED collection.
    timespan: Timespan | None
    line: int


@dataclass(slots=True)
class ExportDocument:
    """All of an export file, and what is wrong with it."""

    #: Version of the dimension universe that wrote it; 0 if the file does not say.
    universe_version: int = 0
    #: Records by element.
    records: dict[str, list[Record]] = field(default_factory=dict)
    collections: dict[str, CollectionEntry] = field(default_factory=dict)
    dataset_types: dict[str, DatasetTypeEntry] = field(default_factory=dict)
    datasets: list[DatasetBlock] = field(default_factory=list)
    associations: list[Association] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Fault(Exception):  # noqa: N818 - ends one section's reading, and is never seen outside
    """What is wrong with a section."""


def parse_document(document: YamlDocument) -> ExportDocument:
    """Return the sections of an export file as typed values.

    Parameters
    ----------
    document
        The file's YAML; its faults are kept.

    Returns
    -------
    ExportDocument
        What could be understood; for each section that could not, there is a
        line in ``faults``.
    """
    found = ExportDocument(faults=list(document.faults))
    top = document.value
    if not isinstance(top, dict) or not isinstance(top.get("data"), list):
        found.faults.append("it is no export file: that is a mapping with 'version' and 'data'")
        return found
    _check_version(top.get("version"), found.faults)
    version = top.get("universe_version", 0)
    if isinstance(version, int):
        found.universe_version = version
    else:
        found.faults.append(f"universe_version must be an integer, not {version!r}")
    lines = iter(document.section_lines)
    for section in top["data"]:
        line = next(lines, 0) if isinstance(section, dict) else 0
        try:
            _parse_section(section, line, found)
        except _Fault as fault:
            kind = section.get("type") if isinstance(section, dict) else None
            found.faults.append(f"line {line} ({kind or 'section'}): {fault}")
    return found


def _check_version(version: Any, faults: list[str]) -> None:
    """Accept 0 (which was written before versions were) and 1.0.x."""
    text = str(version)
    if version != 0 and text.split(".")[:2] != ["1", "0"]:
        faults.append(f"its format is version {text}; versions 0 and 1.0.x can be read")


def _parse_section(section: Any, line: int, found: ExportDocument) -> None:
    kind = _field(section, "type", str)
    parse = _PARSERS.get(kind)
    if parse is None:
        raise _Fault(f"there is no section of type {kind!r}; there are {', '.join(_PARSERS)}")
    parse(section, line, found)


def _parse_dimension(section: Record, line: int, found: ExportDocument) -> None:  # noqa: ARG001 - one signature for all
    element = _field(section, "element", str)
    records = _field(section, "records", list)
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            raise _Fault(f"record {i + 1} of {element!r} is no mapping, but {record!r}")
    found.records.setdefault(element, []).extend(records)


def _parse_collection(section: Record, line: int, found: ExportDocument) -> None:  # noqa: ARG001 - as above
    name = _field(section, "name", str)
    type_ = _collection_type(section)
    children: list[str] = []
    if type_ is CollectionType.CHAINED:
        for child in _field(section, "children", list):
            # The first exports wrote a pair of a name and a restriction of the search.
            child = child[0] if isinstance(child, list) and child else child
            if not isinstance(child, str):
                raise _Fault(f"{child!r} is no name of a child of {name!r}")
            children.append(child)
    doc = section.get("doc")
    found.collections[name] = CollectionEntry(name, type_, str(doc or ""), tuple(children))


def _parse_run(section: Record, line: int, found: ExportDocument) -> None:  # noqa: ARG001 - as above
    name = _field(section, "name", str)
    found.collections[name] = CollectionEntry(name, CollectionType.RUN)


def _parse_dataset_type(section: Record, line: int, found: ExportDocument) -> None:
    name = _field(section, "name", str)
    dimensions = _field(section, "dimensions", list)
    if not all(isinstance(dimension, str) for dimension in dimensions):
        raise _Fault(f"the dimensions of {name!r} are not all names: {dimensions!r}")
    entry = DatasetTypeEntry(
        name,
        tuple(dimensions),
        _field(section, "storage_class", str),
        bool(section.get("is_calibration", False)),
        line,
    )
    known = found.dataset_types.setdefault(name, entry)
    if (known.storage_class, set(known.dimensions)) != (entry.storage_class, set(entry.dimensions)):
        raise _Fault(f"{name!r} was defined otherwise on line {known.line}")


def _parse_datasets(section: Record, line: int, found: ExportDocument) -> None:
    block = DatasetBlock(_field(section, "dataset_type", str), _field(section, "run", str), line)
    for i, record in enumerate(_field(section, "records", list)):
        if not isinstance(record, dict) or not {"dataset_id", "data_id"} <= record.keys():
            raise _Fault(f"record {i + 1} lacks a dataset_id or a data_id")
        ids, data_ids = record["dataset_id"], record["data_id"]
        ids = ids if type(ids) is list else [ids]
        data_ids = data_ids if type(data_ids) is list else [data_ids]
        if len(ids) != len(data_ids) or not all(isinstance(d, dict) for d in data_ids):
            raise _Fault(
                f"record {i + 1} has {len(ids)} dataset_id and "
                f"{len(data_ids)} data_id; there must be as many mappings as ids"
            )
        block.ids += ids
        block.data_ids += data_ids
        block.paths += [record.get("path")] * len(ids)
        block.formatters += [record.get("formatter")] * len(ids)
    _check_ids(block.ids)
    for name, values in (("path", block.paths), ("formatter", block.formatters)):
        if not set(map(type, values)) <= {str, type(None)}:
            wrong = next(v for v in values if v is not None and type(v) is not str)
            raise _Fault(f"{wrong!r} is no {name}; that is a text")
    found.datasets.append(block)


def _parse_associations(section: Record, line: int, found: ExportDocument) -> None:
    name, type_ = _field(section, "collection", str), _collection_type(section)
    if type_ is CollectionType.TAGGED:
        ids = _check_ids(_field(section, "dataset_ids", list))
        found.associations.append(Association(name, type_, ids, None, line))
    elif type_ is CollectionType.CALIBRATION:
        for entry in _field(section, "validity_ranges", list):
            ids = _check_ids(_field(entry, "dataset_ids", list))
            found.associations.append(Association(name, type_, ids, _validity(entry), line))
    else:
        raise _Fault(f"{name!r} is {type_}; only TAGGED and CALIBRATION have associations")


def _validity(entry: Record) -> Timespan:
    span = entry.get("timespan")
    if span is None and not {"begin", "end"} <= entry.keys():
        raise _Fault("a validity range has neither 'timespan' nor 'begin' and 'end'")
    try:
        if span is None:
            span = Timespan.from_times(entry["begin"], entry["end"])
        elif isinstance(span, dict):
            span = Timespan.from_times(span["begin"], span["end"])
    except (TimespanError, KeyError) as error:
        raise _Fault(f"a validity range cannot be understood: {error}") from error
    if not isinstance(span, Timespan) or span.is_empty:
        raise _Fault(f"{span} is no validity range")
    return span


_PARSERS: dict[str, Callable[[Record, int, ExportDocument], None]] = {
    "dimension": _parse_dimension,
    "collection": _parse_collection,
    "run": _parse_run,
    "dataset_type": _parse_dataset_type,
    "dataset": _parse_datasets,
    "associations": _parse_associations,
}


def _field(section: Any, name: str, type_: type) -> Any:
    if not isinstance(section, dict):
        raise _Fault(f"a mapping should stand here, not {section!r}")
    value = section.get(name)
    if not isinstance(value, type_):
        given = "is not there" if name not in section else f"is {value!r}"
        kind = "a text" if type_ is str else "a list"
        raise _Fault(f"{name!r} must be {kind}, and {given}")
    return value


def _collection_type(section: Record) -> CollectionType:
    text = _field(section, "collection_type", str)
    try:
        return CollectionType[text]
    except KeyError:
        kinds = ", ".join(kind.name for kind in CollectionType)
        raise _Fault(f"there is no collection type {text!r}; there are {kinds}") from None


def _check_ids(ids: list[Any]) -> list[FileId]:
    if not set(map(type, ids)) <= {uuid.UUID, int}:
        wrong = next(i for i in ids if type(i) not in (uuid.UUID, int))
        raise _Fault(f"{wrong!r} is no dataset id; that is !uuid and its digits, or an integer")
    return ids
