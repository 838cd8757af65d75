"""Reads the YAML text of a dimension universe."""

from __future__ import annotations

from typing import Any

import yaml

from butler_core.errors import ConfigError

_REQUIRED_KEYS = ("version", "common_skypix", "elements")


def parse_universe(text: str) -> dict[str, Any]:
    """Return the mapping in a universe file's text.

    Raises
    ------
    ConfigError
        If the text is not YAML, or one of the keys that must be there is not.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        config = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise ConfigError(f"the dimension universe is not readable as YAML: {error}") from error
    missing = [key for key in _REQUIRED_KEYS if not isinstance(config, dict) or key not in config]
    if missing:
        raise ConfigError(f"the dimension universe lacks the keys {', '.join(missing)}")
    return dict(config)
