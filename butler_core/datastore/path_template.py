"""Path templates: from what is known of a dataset to where its file goes.

A template is Rubin's: ``{name:format}`` with ``?`` in the format for a part
that may be absent (the text before it goes too, unless it holds a ``/``),
``/`` for a value whose slashes make directories, and ``a|b`` for the first
that the dataset has. Pure: touches no disk.
"""

from __future__ import annotations

import os.path
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import PathTemplateError

_UNSAFE = str.maketrans(dict.fromkeys(' <>:"\\|?*', "_"))
#: A path that is in its shortest form already, whose last part has nothing to be replaced.
_SHORT = re.compile(r"(?:[^/.][^/]*/)*[^/.#]+")

_OWN_FIELDS = ("datasetType", "component", "run", "id")


@dataclass(frozen=True, slots=True)
class _Part:
    """Literal text, and the field behind it (None for text at the end)."""

    literal: str
    field: str | None = None
    format: str = ""
    is_optional: bool = False
    keeps_slashes: bool = False


class PathTemplate:
    """A template as written; `fit` makes it ready for one dimension group.

    Raises
    ------
    PathTemplateError
        If the text is no template, or has no run and so would mix runs.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts: list[_Part] = []
        try:
            parsed = list(string.Formatter().parse(text))
        except ValueError as error:
            raise PathTemplateError(f"path template {text!r} is malformed: {error}") from error
        for literal, field, spec, _ in parsed:
            spec = spec or ""
            self._parts.append(
                _Part(
                    literal, field, spec.replace("?", "").replace("/", ""), "?" in spec, "/" in spec
                )
            )
        fields = {part.field for part in self._parts}
        if "id" not in fields and not {"run", "datasetType"} <= fields:
            raise PathTemplateError(
                f"path template {text!r} needs {{id}}, or both {{run}} and {{datasetType}}, so "
                "that no two datasets share a path"
            )

    def fit(self, dimensions: DimensionGroup) -> FittedTemplate:
        """Choose among alternatives and drop optional parts that the dimensions do not have."""
        skypix = dimensions.skypix[0] if len(dimensions.skypix) == 1 else None
        parts: list[_Part] = []
        for part in self._parts:
            if part.field is None:
                parts.append(part)
                continue
            field = self._choose(part.field.split("|"), dimensions, skypix)
            if field is None:
                if not part.is_optional:
                    raise PathTemplateError(
                        f"path template {self.text!r} needs {part.field!r}, which datasets of "
                        f"{dimensions} do not have"
                    )
                parts.append(_Part(part.literal if "/" in part.literal else ""))
            else:
                parts.append(
                    _Part(part.literal, field, part.format, part.is_optional, part.keeps_slashes)
                )
        names = (part.field for part in parts if part.field and part.field not in _OWN_FIELDS)
        return FittedTemplate(self.text, tuple(parts), tuple(dict.fromkeys(names)))

    def _choose(
        self, alternatives: list[str], dimensions: DimensionGroup, skypix: str | None
    ) -> str | None:
        for alternative in alternatives:
            primary, _, rest = alternative.partition(".")
            if primary == "skypix" and skypix is not None:
                return f"{skypix}.{rest}" if rest else skypix
            if primary in dimensions or primary in _OWN_FIELDS:
                return alternative
        return None


@dataclass(frozen=True, slots=True)
class FittedTemplate:
    """A template whose fields are all ones that the datasets have."""

    text: str
    parts: tuple[_Part, ...]
    #: Dimensions and record fields whose values `format` needs.
    fields: tuple[str, ...]

    @property
    def has_id(self) -> bool:
        """Whether the dataset's id is part of the path."""
        return any(part.field == "id" for part in self.parts)

    def format(
        self, dataset_type: DatasetType, run: str, id_: str, values: Mapping[str, Any]
    ) -> str:
        """Return the path, without extension.

        Parameters
        ----------
        values
            A value for each of `fields`.
        """
        known = {"datasetType": dataset_type.parent_name, "run": run, "id": id_}
        if dataset_type.component:
            known["component"] = dataset_type.component
        pieces = []
        for part in self.parts:
            value = None if part.field is None else known.get(part.field, values.get(part.field))
            piece = _piece(part, value)
            if piece is None:
                raise self._lacks(part, values)
            pieces.append(piece)
        return self._in_short("".join(pieces), run, values)

    def format_many(
        self,
        dataset_type: DatasetType,
        run: str,
        ids: Sequence[str],
        columns: Mapping[str, Sequence[Any]],
    ) -> list[str]:
        """Return the paths of many datasets, without extension.

        Parameters
        ----------
        columns
            Values for each of `fields`, in the order of the ids.
        """
        known = {"datasetType": dataset_type.parent_name, "run": run}
        if dataset_type.component:
            known["component"] = dataset_type.component
        pieces: list[Iterable[str]] = []
        for part in self.parts:
            values: Sequence[Any] = ids if part.field == "id" else columns.get(part.field or "", ())
            if part.field in known or not len(values):
                values = [known.get(part.field or "")] * len(ids)
            by_value: dict[Any, str] = {}
            for value in dict.fromkeys(values):
                piece = _piece(part, value)
                if piece is None:
                    row = values.index(value)
                    raise self._lacks(part, {name: columns[name][row] for name in columns})
                by_value[value] = piece
            pieces.append(map(by_value.__getitem__, values))
        return [
            path if _SHORT.fullmatch(path) else self._in_short(path, run, {})
            for path in map("".join, zip(*pieces, strict=True))
        ]

    def _lacks(self, part: _Part, values: Mapping[str, Any]) -> PathTemplateError:
        return PathTemplateError(
            f"path template {self.text!r} needs {part.field!r}, which is not known for "
            f"{dict(values)}"
        )

    def _in_short(self, path: str, run: str, values: Mapping[str, Any]) -> str:
        """Return a path in its shortest form, which must be below the datastore's directory."""
        head, tail = os.path.split(path)
        path = os.path.normpath(os.path.join(head, tail.replace(".", "_").replace("#", "HASH")))  # noqa: PTH118 - text
        path = path.lstrip("/")
        if path.split("/", maxsplit=1)[0] in ("..", "."):
            raise PathTemplateError(
                f"path template {self.text!r} with run {run!r} and {dict(values)} gives {path!r}, "
                "which is outside the datastore; use another run name"
            )
        return path


def _piece(part: _Part, value: Any) -> str | None:
    """Return the text of a part and of the value behind it; None if a value is needed."""
    if value is not None:
        return part.literal + format(_safe(value, part), part.format)
    if part.field is None:
        return part.literal
    if not part.is_optional:
        return None
    return part.literal if "/" in part.literal else ""


def _safe(value: Any, part: _Part) -> Any:
    if not isinstance(value, str):
        return value
    value = value.translate(_UNSAFE)
    return value if part.keeps_slashes else value.replace("/", "_")


def folder_of(run: str) -> str:
    """Return the folder that ``{run:/}`` is where a template begins with it."""
    return os.path.normpath(run.translate(_UNSAFE)).lstrip("/")


class TemplateTable:
    """Which template is for which dataset type.

    Parameters
    ----------
    config
        Template texts by dataset type name, by storage class name, by
        dimensions joined with ``+``, or ``default``. A key
        ``instrument<NAME>`` holds such a mapping for one instrument alone.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._fitted: dict[tuple[DatasetType, str | None], FittedTemplate] = {}

    def template_for(
        self, dataset_type: DatasetType, instrument: str | None = None
    ) -> FittedTemplate:
        """Return the template for a dataset type, fitted to its dimensions."""
        key = (dataset_type, instrument)
        if key not in self._fitted:
            text = self._find(dataset_type, instrument)
            self._fitted[key] = PathTemplate(text).fit(dataset_type.dimensions)
        return self._fitted[key]

    def _find(self, dataset_type: DatasetType, instrument: str | None) -> str:
        tables = [self._config]
        own = self._config.get(f"instrument<{instrument}>")
        if isinstance(own, Mapping):
            tables.insert(0, own)
        for table in tables:
            for name in (dataset_type.name, dataset_type.parent_name):
                if isinstance(table.get(name), str):
                    return str(table[name])
            for key, text in table.items():
                if "+" in key and _same_dimensions(key, dataset_type.dimensions):
                    return str(text)
            for name in (dataset_type.storage_class, "default"):
                if isinstance(table.get(name), str):
                    return str(table[name])
        raise PathTemplateError(f"there is no path template for {dataset_type}")


def _same_dimensions(key: str, dimensions: DimensionGroup) -> bool:
    names = key.split("+")
    if any(name not in dimensions.universe for name in names):
        return False
    return dimensions.universe.conform(names) == dimensions
