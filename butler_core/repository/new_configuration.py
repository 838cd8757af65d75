"""What a new repository's ``butler.yaml`` says. Makes no repository."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from butler_core.dimensions.universe import DimensionUniverse
from butler_core.dimensions.universe_file import parse_universe
from butler_core.errors import ConfigError, ReadOnlyRepositoryError
from butler_core.registry.postgresql_options import refuse_password
from butler_core.repository.configuration import (
    DATABASE_NAME,
    ROOT_MARK,
    default_datastore_config,
    load_yaml,
    merged,
)

_LOG = logging.getLogger(__name__)


def new_config(
    root: Path,
    seed_config: str | Path | None,
    *,
    standalone: bool,
    is_apart: bool,
    override: bool,
) -> dict[str, Any]:
    """Return the content of a new repository's ``butler.yaml``."""
    config: dict[str, Any] = {
        # Rubin's butler reads this first, and says that it does not know the class.
        "cls": "butler_core.Butler",
        "datastore": {"root": ROOT_MARK},
        "registry": {"db": f"sqlite:///{ROOT_MARK}/{DATABASE_NAME}"},
    }
    if standalone:
        config["datastore"] = merged(default_datastore_config(), config["datastore"])
    if seed_config is not None:
        seed = load_yaml(_existing(seed_config))
        if not isinstance(seed, Mapping):
            raise ConfigError(f"the seed configuration {str(seed_config)!r} must be a mapping")
        config = merged(config, seed)
        for section in ("datastore", "registry"):
            if not isinstance(config[section], Mapping):
                raise ConfigError(f"{section!r} in {str(seed_config)!r} must be a mapping")
        if not override and config["datastore"]["root"] != ROOT_MARK:
            _LOG.warning(
                "the files of datasets go into the repository; for %r, as the seed configuration "
                "says, use --override",
                config["datastore"]["root"],
            )
            config["datastore"]["root"] = ROOT_MARK
    if is_apart:
        config["root"] = str(root.absolute())
    return config


def new_universe(file: str | Path | None) -> DimensionUniverse:
    """Return the universe of a file, or the packaged one."""
    if file is None:
        return DimensionUniverse.default()
    path = _existing(file)
    try:
        return DimensionUniverse(parse_universe(path.read_text(encoding="utf-8")))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{str(file)!r} is no text: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{str(file)!r} holds no dimension universe: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{str(file)!r} does not have the form of a dimension universe: "
            f"{type(error).__name__}: {error}"
        ) from error


def _existing(path: str | Path) -> Path:
    if not Path(path).is_file():
        raise ConfigError(f"there is no configuration file {str(path)!r}")
    return Path(path)


def write_config(path: Path, config: Mapping[str, Any]) -> None:
    """Write ``butler.yaml``."""
    import yaml

    try:
        path.write_text(yaml.safe_dump(dict(config), sort_keys=True), encoding="utf-8")
    except OSError as error:
        raise ReadOnlyRepositoryError(f"cannot write {str(path)!r}: {error.strerror}") from error


def choose_registry(config: dict[str, Any], url: str | None, schema: str | None) -> None:
    """Let the options of a new repository say where its registry is."""
    settings = dict(config["registry"])
    if url is not None:
        settings = {"db": url}
    if schema is not None:
        settings["namespace"] = schema
    if not str(settings.get("db", "")).startswith("sqlite:"):
        refuse_password(str(settings.get("db", "")))
    config["registry"] = settings
