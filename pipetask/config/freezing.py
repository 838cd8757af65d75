"""Freezing a configuration and thawing a copy of it.

Works on whole models, their parts and containers; sets no field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from pipetask.config.frozen_values import freeze_value, thaw_value
from pipetask.config.validation import config_error
from pipetask.errors import TaskConfigError

if TYPE_CHECKING:
    from pipetask.config.fields import Config


def freeze_model(config: Config) -> None:
    """Check a configuration and make it and its parts unchangeable.

    Parameters
    ----------
    config
        The configuration. Nothing happens if it is frozen.

    Raises
    ------
    TaskConfigError
        If any of its values is not what its field takes; all faults together.
    """
    if config._is_frozen:  # noqa: SLF001 - this module is part of the class
        return
    faults = _faults(config)
    if faults:
        raise TaskConfigError("\n".join(faults))
    _set_frozen(config)


def thaw_model(config: Config) -> None:
    """Make a configuration and its parts changeable.

    Parameters
    ----------
    config
        The configuration.
    """
    for name in type(config).model_fields:
        config.__dict__[name] = thaw_value(config.__dict__[name], _thawed)
    config._is_frozen = False  # noqa: SLF001


def _faults(config: Config) -> list[str]:
    """Check containers changed in place, parts, and the class's own rules."""
    cls = type(config)
    faults: list[str] = []
    for name in cls.model_fields:
        value = config.__dict__[name]
        faults += [fault for part in _configs_in(value) for fault in _faults(part)]
        if isinstance(value, (list, dict, set)):
            try:
                BaseModel.__setattr__(config, name, value)
            except ValidationError as error:
                faults.append(str(config_error(cls, error, field=name)))
    if faults:
        return faults
    try:
        cls.validate(config)
    except (ValueError, TypeError) as error:
        return [f"{cls.__name__}: {error}"]
    return []


def _configs_in(value: Any) -> list[Config]:
    """Return the configurations that a field's value is or holds."""
    from pipetask.config.fields import Config

    if isinstance(value, Config):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in _configs_in(item)]
    return []


def _set_frozen(config: Config) -> None:
    """Freeze a checked configuration."""
    for name in type(config).model_fields:
        config.__dict__[name] = freeze_value(config.__dict__[name], _frozen)
    config._is_frozen = True  # noqa: SLF001


def _frozen(value: Any) -> Any:
    """Freeze a part in place; leave anything else alone."""
    for part in _configs_in(value):
        _set_frozen(part)
    return value


def _thawed(value: Any) -> Any:
    """Thaw a part in place; leave anything else alone."""
    for part in _configs_in(value):
        thaw_model(part)
    return value
