"""`Config`: a typed, documented set of values, checked whenever one is assigned.

Reads no pipeline and applies no list of overrides; it says what one value may
be, remembers who set it, and stops changing once frozen.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from pipetask.config import dotted
from pipetask.config.freezing import freeze_model, thaw_model
from pipetask.config.history import DEFAULT, HistoryEntry, calling_line, recorded
from pipetask.config.plain import FieldDifference, differences, digest_of, leaves, plain
from pipetask.config.python_source import run_python
from pipetask.config.validation import config_error, unknown_field
from pipetask.errors import TaskConfigError


class Config(BaseModel):
    """A set of typed fields, as a whole configuration or as a part of one.

    Fields are declared as in any pydantic model, each with its description::

        class OverscanConfig(Config):
            n_sigma: float = Field(3.0, gt=0, description="Clipping threshold.")

    ``set_defaults`` may be overridden to change inherited defaults, and
    ``validate`` to check several fields against each other.

    Parameters
    ----------
    **values
        Fields to set. The others have their defaults.

    Raises
    ------
    UnknownFieldError
        If there is no field of a given name.
    TaskConfigError
        If a value is not what its field takes; all such faults together.
    """

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        validate_default=True,
        protected_namespaces=(),
    )

    #: Other spellings under which a field may be set.
    other_spellings: ClassVar[dict[str, str]] = {}

    _history: dict[str, list[HistoryEntry]] = PrivateAttr(default_factory=dict)
    _is_frozen: bool = PrivateAttr(default=False)

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        given = {cls.other_spellings.get(name, name): value for name, value in values.items()}
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise config_error(cls, error) from error
        chosen = {name: self.__dict__[name] for name in given}
        if cls.set_defaults is not Config.set_defaults:
            kept = copy.deepcopy(chosen)
            cls.set_defaults(self)
            for name, value in kept.items():
                super().__setattr__(name, value)
        if chosen:
            source = calling_line()
            for name, value in chosen.items():
                self._history.setdefault(name, []).append(HistoryEntry(recorded(value), source))

    def set_defaults(self) -> None:
        """Change defaults of inherited or nested fields; here, none."""

    def validate(self) -> None:  # type: ignore[override]
        """Check what no single field can say; raise ValueError if it does not hold.

        Called when the configuration freezes. Here, nothing is checked.
        """

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
            return
        assign(self, name, value, source=calling_line())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Config):
            return NotImplemented
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def freeze(self) -> None:
        """Check everything once more and let nothing change from here on.

        Raises
        ------
        TaskConfigError
            If a list or mapping was filled with what its field does not take,
            or if ``validate`` objects.
        """
        freeze_model(self)

    @property
    def is_frozen(self) -> bool:
        """Whether the configuration can no longer change."""
        return self._is_frozen

    def thawed_copy(self) -> Self:
        """Return a copy that can change."""
        twin = self.model_copy(deep=True)
        thaw_model(twin)
        return twin

    def set_dotted(
        self, path: str, value: Any, *, source: str, names: Mapping[str, Any] | None = None
    ) -> None:
        """Set a field of this configuration or of a part of it.

        Parameters
        ----------
        path
            Such as ``doFlat`` or ``overscan.n_sigma``; a key of a mapping
            counts as a part.
        value
            The new value. Text is read as a Python literal where the field
            takes that, and as itself where it does not.
        source
            Who sets it, for the history.
        names
            What bare names in text stand for, where the field takes that.

        Raises
        ------
        UnknownFieldError
            If the path leads nowhere.
        TaskConfigError
            If the field does not take the value, or nothing can change any more.
        """
        dotted.set_dotted(self, path, value, source=source, names=names or {})

    def get_dotted(self, path: str) -> Any:
        """Return the value of a field of this configuration or of a part of it.

        Parameters
        ----------
        path
            Such as ``overscan.n_sigma``.
        """
        return dotted.find(self, path)

    def history(self, path: str) -> tuple[HistoryEntry, ...]:
        """Return every value a field has had, the default first.

        Parameters
        ----------
        path
            Such as ``overscan.n_sigma``.
        """
        owner, name = dotted.owner_of(self, path)
        field = type(owner).model_fields[name]
        default = field.get_default(call_default_factory=True, validated_data={})
        recorded = () if field.is_required() else (HistoryEntry(default, DEFAULT),)
        return (*recorded, *owner._history.get(name, ()))  # noqa: SLF001 - a part of this one

    def provenance(self) -> dict[str, tuple[HistoryEntry, ...]]:
        """Return the history of every field that something has set, by dotted path."""
        found = {path: self.history(path) for path in leaves(self)}
        return {path: entries for path, entries in found.items() if entries[-1].source != DEFAULT}

    def load(self, filename: str | Path, *, parameters: SimpleNamespace | None = None) -> None:
        """Run a Python file that sets fields of ``config``.

        Parameters
        ----------
        filename
            The file. In it, ``config`` is this configuration and
            ``parameters`` holds the pipeline's, if there are any.
        parameters
            The pipeline's parameters.

        Raises
        ------
        TaskConfigError
            If the file cannot be read or raises; the message has file and line.
        """
        try:
            code = Path(filename).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TaskConfigError(
                f"config file {str(filename)!r} cannot be read: {error}"
            ) from error
        names: dict[str, Any] = {"config": self, "__file__": str(filename)}
        if parameters is not None:
            names["parameters"] = parameters
        before = leaves(self)
        try:
            run_python(code, names, filename=str(filename))
        finally:
            dotted.note_changes(self, before, source=str(filename))

    def to_yaml(self) -> str:
        """Write every field as YAML; the same values always give the same text."""
        import yaml

        text: str = yaml.safe_dump(plain(self, type(self).__name__), sort_keys=False, width=100)
        return text

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read what `to_yaml` wrote.

        Parameters
        ----------
        text
            The YAML.
        """
        import yaml

        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise TaskConfigError(f"text for {cls.__name__} is no YAML: {error}") from error
        if not isinstance(values, dict):
            raise TaskConfigError(
                f"text for {cls.__name__} must be a YAML mapping of fields to values, not a "
                f"{type(values).__name__}."
            )
        return cls(**values)

    def digest(self) -> str:
        """Return the SHA-256 of all values, in hexadecimal."""
        return digest_of(self)

    def diff(self, other: Config) -> list[FieldDifference]:
        """List the fields in which two configurations differ.

        Parameters
        ----------
        other
            The configuration to compare with.
        """
        return differences(leaves(self), leaves(other))


def assign(config: Config, name: str, value: Any, *, source: str) -> None:
    """Give one field a value and remember who did.

    Parameters
    ----------
    config
        The configuration that has the field itself, not in a part.
    name
        The field's name.
    value
        Its new value. A configuration is copied, so that it is not shared.
    source
        Who sets it.

    Raises
    ------
    UnknownFieldError
        If there is no such field.
    TaskConfigError
        If the field does not take the value, or the configuration is frozen.
    """
    cls = type(config)
    name = cls.other_spellings.get(name, name)
    if name not in cls.model_fields:
        raise unknown_field(cls, name)
    if config._is_frozen:  # noqa: SLF001 - the class's own function
        raise TaskConfigError(
            f"{cls.__name__}.{name} cannot be set to {value!r}: the configuration is frozen; "
            "change a thawed_copy() of it."
        )
    if isinstance(value, Config):
        value = Config.thawed_copy(value)
    try:
        BaseModel.__setattr__(config, name, value)
    except ValidationError as error:
        raise config_error(cls, error, field=name) from error
    entry = HistoryEntry(recorded(config.__dict__[name]), source)
    config._history.setdefault(name, []).append(entry)  # noqa: SLF001
