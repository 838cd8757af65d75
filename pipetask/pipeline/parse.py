"""A pipeline document as typed values, checked once and completely.

Knows the keys and what may stand under them. Opens no file and follows no
import.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from butler_core.errors import near_misses
from pipetask.pipeline.definition import (
    ConfigBlock,
    Contract,
    ImportDefinition,
    LabeledSubset,
    PipelineData,
    Step,
    TaskDefinition,
)
from pipetask.pipeline.parse_imports import parse_import
from pipetask.pipeline.yaml_document import (
    Faults,
    LocatedDict,
    LocatedList,
    Place,
    read_document,
    without_places,
)

_LOG = logging.getLogger(__name__)

_ItemT = TypeVar("_ItemT")

#: Keys of a pipeline document.
TOP_KEYS = (
    "description",
    "instrument",
    "parameters",
    "tasks",
    "imports",
    "subsets",
    "steps",
    "contracts",
)


@dataclass(frozen=True)
class PipelineDocument:
    """What one file says itself."""

    #: Everything but its imports.
    data: PipelineData
    #: What it imports, each with the place where it says so.
    imports: tuple[tuple[ImportDefinition, Place], ...]


class Parser:
    """Reads one document, noting every fault.

    Parameters
    ----------
    faults
        Takes the faults; its name is the document's.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def parse(self, text: str) -> PipelineDocument:
        """Read a document.

        Parameters
        ----------
        text
            The YAML.

        Returns
        -------
        PipelineDocument
            What it says; faulty parts are left out and noted.
        """
        document = read_document(text, self._faults)
        self._check_keys(document, TOP_KEYS, "a pipeline")
        if "description" not in document:
            self._faults.add(document.place, "a pipeline must have a description")
        if "tasks" not in document and "imports" not in document:
            self._faults.add(document.place, "a pipeline must have tasks or imports")
        data = PipelineData(
            description=str(document.get("description") or ""),
            tasks=self._tasks(document),
            instrument=self._instrument(document),
            parameters=self._parameters(document),
            subsets=self._subsets(document),
            steps=tuple(self._each(document, "steps", self._step)),
            contracts=tuple(self._each(document, "contracts", self._contract)),
        )
        imports = self._each(document, "imports", self._import)
        return PipelineDocument(data, tuple(imports))

    def _check_keys(self, found: LocatedDict, known: Iterable[str], what: str) -> None:
        """Refuse keys that look like misspelt ones; log others, which mean nothing."""
        for key in found:
            if key in known:
                continue
            place = found.key_places[key]
            hint = near_misses(str(key), known)
            if key == "inherits":
                self._faults.add(place, "'inherits' is not supported; write 'imports'")
            elif hint:
                self._faults.add(place, f"{what} has no key {key!r}.{hint}")
            else:
                where = f"{self._faults.name}:{place.line}:{place.column}"
                _LOG.warning("%s: %s has no key %r; it is ignored.", where, what, key)

    def _mapping(self, owner: LocatedDict, key: str) -> LocatedDict:
        """Return the mapping under a key; empty if there is none."""
        value = owner.get(key)
        if isinstance(value, LocatedDict):
            return value
        if value is not None:
            place = owner.value_places[key]
            self._faults.add(place, f"{key!r} must be a mapping, not {value!r}")
        empty = LocatedDict()
        empty.key_places, empty.value_places = {}, {}
        return empty

    def _each(
        self, owner: LocatedDict, key: str, read: Callable[[Any, Place], _ItemT | None]
    ) -> list[_ItemT]:
        """Read the elements of a list, or the one element that stands for a list."""
        value = owner.get(key)
        if value is None:
            return []
        if isinstance(value, LocatedList):
            read_items = [read(v, place) for v, place in zip(value, value.places, strict=True)]
        else:
            read_items = [read(value, owner.value_places[key])]
        return [item for item in read_items if item is not None]

    def _instrument(self, document: LocatedDict) -> str | None:
        value = document.get("instrument")
        if value is None or isinstance(value, str):
            return value
        place = document.value_places["instrument"]
        self._faults.add(place, f"'instrument' must be one class name, not {value!r}")
        return None

    def _parameters(self, document: LocatedDict) -> dict[str, Any]:
        if "parameters" in document and document["parameters"] is None:
            place = document.key_places["parameters"]
            self._faults.add(place, "'parameters' must be a mapping; remove it if there are none")
        found = self._mapping(document, "parameters")
        for name in found:
            if not isinstance(name, str) or not name.isidentifier():
                self._faults.add(found.key_places[name], f"{name!r} cannot name a parameter")
        return {str(name): without_places(value) for name, value in found.items()}

    def _tasks(self, document: LocatedDict) -> dict[str, TaskDefinition]:
        found = self._mapping(document, "tasks")
        tasks = {}
        for label, value in found.items():
            place = found.key_places[label]
            if label == "parameters":
                self._faults.add(place, "'parameters' is reserved and cannot be a task's label")
            elif not isinstance(label, str):
                self._faults.add(place, f"{label!r} cannot be a label; write it in quotes")
            elif (definition := self._task(label, value, found.value_places[label])) is not None:
                tasks[label] = definition
        return tasks

    def _task(self, label: str, value: Any, place: Place) -> TaskDefinition | None:
        if isinstance(value, str):
            return TaskDefinition(label, value)
        if not isinstance(value, LocatedDict):
            self._faults.add(place, f"{label!r} must be a class name or a mapping, not {value!r}")
            return None
        self._check_keys(value, ("class", "config"), f"task {label!r}")
        class_name = value.get("class")
        if not isinstance(class_name, str) or not class_name:
            self._faults.add(place, f"task {label!r} must have a class, not {class_name!r}")
            return None
        blocks = self._each(value, "config", self._config_block)
        return TaskDefinition(label, class_name, tuple(blocks))

    def _config_block(self, value: Any, place: Place) -> ConfigBlock | None:
        if not isinstance(value, LocatedDict):
            self._faults.add(place, f"a config must map fields to values, not be {value!r}")
            return None
        sources = {}
        for key, key_place in value.key_places.items():
            sources[str(key)] = f"{self._faults.name}:{key_place.line}"
            if not isinstance(key, str):
                self._faults.add(key_place, f"{key!r} is no field; write it in quotes")
        files = value.get("file")
        data_id, python = value.get("dataId"), value.get("python")
        if python is not None and not isinstance(python, str):
            self._faults.add(value.value_places["python"], f"'python' is no code: {python!r}")
        if data_id is not None and not isinstance(data_id, dict):
            self._faults.add(value.value_places["dataId"], f"'dataId' is no mapping: {data_id!r}")
        rest = {k: v for k, v in value.items() if k not in {"file", "python", "dataId"}}
        start = value.value_places.get("python", place)
        return ConfigBlock(
            values=without_places(rest),
            python=python if isinstance(python, str) else None,
            files=() if files is None else self._names(files, value.value_places["file"], "file"),
            data_id=without_places(data_id) if isinstance(data_id, dict) else None,
            sources=sources,
            python_place=(self._faults.name, start.line),
        )

    def _names(self, value: Any, place: Place, what: str) -> tuple[str, ...]:
        """Read a list of texts, or one text that stands for a list."""
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return tuple(dict.fromkeys(names))
        self._faults.add(place, f"{what!r} must be a list of names, not {value!r}")
        return ()

    def _subsets(self, document: LocatedDict) -> dict[str, LabeledSubset]:
        found = self._mapping(document, "subsets")
        subsets = {}
        for label, value in found.items():
            place, description = found.value_places[label], None
            if isinstance(value, LocatedDict):
                self._check_keys(value, ("subset", "description"), f"subset {label!r}")
                description, value = value.get("description"), value.get("subset")
            if isinstance(value, list):
                names = self._names(value, place, str(label))
                subsets[str(label)] = LabeledSubset(str(label), names, description)
            else:
                message = f"subset {label!r} must be a list of labels, or a mapping with 'subset'"
                self._faults.add(place, message)
        return subsets

    def _step(self, value: Any, place: Place) -> Step | None:
        if not isinstance(value, LocatedDict) or set(value) != {"label", "dimensions"}:
            self._faults.add(place, f"a step has a label and dimensions, not {value!r}")
            return None
        dimensions = self._names(
            value["dimensions"], value.value_places["dimensions"], "dimensions"
        )
        return Step(str(value["label"]), dimensions)

    def _contract(self, value: Any, place: Place) -> Contract | None:
        if isinstance(value, str):
            return Contract(value)
        if not isinstance(value, LocatedDict) or not isinstance(value.get("contract"), str):
            self._faults.add(place, f"a contract is an expression, not {value!r}")
            return None
        unknown = set(value) - {"contract", "msg"}
        if unknown:
            self._faults.add(place, f"a contract has 'contract' and 'msg', not {sorted(unknown)}")
        return Contract(value["contract"], value.get("msg"))

    def _import(self, value: Any, place: Place) -> tuple[ImportDefinition, Place] | None:
        definition = parse_import(value, place, self._faults)
        return None if definition is None else (definition, place)
