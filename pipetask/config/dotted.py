"""Fields reached by a dotted path, through parts and mappings.

Finds and sets values; says nothing about where a path came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from butler_core.errors import near_misses
from pipetask.config.history import HistoryEntry, recorded
from pipetask.config.literal import readings
from pipetask.config.plain import NO_FIELD, canonical_json, differences, leaves, plain
from pipetask.config.validation import unknown_field
from pipetask.errors import TaskConfigError, UnknownFieldError

if TYPE_CHECKING:
    from pipetask.config.fields import Config


def find(config: Config, path: str) -> Any:
    """Return what a dotted path leads to.

    Parameters
    ----------
    config
        Where to start.
    path
        Such as ``overscan.n_sigma``; empty for the configuration itself.

    Raises
    ------
    UnknownFieldError
        If a step of the path leads nowhere.
    """
    found: Any = config
    for step in path.split(".") if path else ():
        found = _step(found, step, path)
    return found


def owner_of(config: Config, path: str) -> tuple[Config, str]:
    """Return the part that has the field at the end of a path, and its name.

    Parameters
    ----------
    config
        Where to start.
    path
        Such as ``overscan.n_sigma``.

    Raises
    ------
    UnknownFieldError
        If the path does not end in a field.
    """
    parent, _, name = path.rpartition(".")
    owner = find(config, parent)
    fields = getattr(type(owner), "model_fields", {})
    name = getattr(type(owner), "other_spellings", {}).get(name, name)
    if name not in fields:
        _step(owner, name, path)
        raise UnknownFieldError(f"{path!r} is an entry of {parent!r}, not a field.")
    return owner, name


def set_dotted(
    config: Config, path: str, value: Any, *, source: str, names: Mapping[str, Any]
) -> None:
    """Set what a dotted path leads to.

    Parameters
    ----------
    config
        Where to start.
    path
        Such as ``overscan.n_sigma``.
    value
        The value, or text to be read as one.
    source
        Who sets it.
    names
        What bare names in text stand for, where the field takes that.

    Raises
    ------
    UnknownFieldError
        If the path leads nowhere.
    TaskConfigError
        If the field does not take the value.
    """
    from pipetask.config.fields import assign

    owner, name, entries, key = _target(config, path)
    refusal: TaskConfigError | None = None
    # Rule: text that is a literal may still be meant as text, as 2024 for a name.
    for reading in readings(value, names):
        try:
            assign(
                owner, name, reading if key is None else {**entries, key: reading}, source=source
            )
        except UnknownFieldError:
            raise
        except TaskConfigError as error:
            refusal = refusal or error
        else:
            return
    if refusal is not None:
        raise refusal


def _target(config: Config, path: str) -> tuple[Config, str, dict[str, Any], str | None]:
    """Return the part and field to assign to; for a mapping, its entries and the key."""
    parent, _, name = path.rpartition(".")
    owner = find(config, parent)
    if isinstance(owner, dict):
        above, _, field = parent.rpartition(".")
        return find(config, above), field, owner, name
    if not hasattr(type(owner), "model_fields"):
        raise UnknownFieldError(f"{parent!r} is a {type(owner).__name__} and has no fields.")
    return owner, name, {}, None


def note_changes(config: Config, before: dict[str, Any], *, source: str) -> None:
    """Add to the histories what was changed in place, without an assignment.

    Parameters
    ----------
    config
        The configuration after the change.
    before
        Its `leaves` before.
    source
        Who changed it.
    """
    for path, _, new in differences(before, leaves(config)):
        owner, name = owner_of(config, path)
        entries = owner._history.setdefault(name, [])  # noqa: SLF001 - part of the class
        known = plain(entries[-1].value, path) if entries else NO_FIELD
        if canonical_json(known) != canonical_json(new):
            entries.append(HistoryEntry(recorded(owner.__dict__[name]), source))


def _step(found: Any, step: str, path: str) -> Any:
    """Follow one step of a path."""
    fields = getattr(type(found), "model_fields", None)
    if fields is not None:
        step = getattr(type(found), "other_spellings", {}).get(step, step)
        if step in fields:
            return found.__dict__[step]
        raise unknown_field(type(found), step)
    if isinstance(found, dict):
        if step in found:
            return found[step]
        hint = near_misses(step, [str(key) for key in found])
        raise UnknownFieldError(f"{path!r}: no entry {step!r}.{hint}")
    raise UnknownFieldError(
        f"{path!r}: {step!r} cannot be looked up in a {type(found).__name__} ({found!r})."
    )
