"""``butler.yaml``: where it is, what is in it, and labels for repositories."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from butler_core.errors import ConfigError, RepositoryNotFoundError, near_misses

CONFIG_NAME = "butler.yaml"

#: The registry's SQLite file, where nothing else is said.
DATABASE_NAME = "gen3.sqlite3"

#: What stands for the repository's directory in its configuration.
ROOT_MARK = "<butlerRoot>"

_INDEX_VARIABLE = "DAF_BUTLER_REPOSITORY_INDEX"


def load_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises
    ------
    ConfigError
        If it is malformed; the message says where.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise ConfigError(f"{str(path)!r} is not valid YAML: {error}") from error


def find_config(place: str | Path) -> Path:
    """Return the configuration file of a repository named by directory, file or label.

    Raises
    ------
    RepositoryNotFoundError
        If there is none.
    """
    text = os.fspath(place)
    path = Path(text.removeprefix("file://"))
    if path.is_dir():
        path = path / CONFIG_NAME
        if path.is_file():
            return path
        raise RepositoryNotFoundError(
            f"the directory {text!r} is no data repository: it has no {CONFIG_NAME}. "
            f"`butler create {text}` makes one."
        )
    if path.is_file():
        return path
    labels = repository_index()
    if text in labels:
        return find_config(labels[text])
    raise RepositoryNotFoundError(
        f"there is no data repository {text!r}: no such directory or file, and no such label in "
        f"the repository index.{near_misses(text, labels)}"
    )


def repository_index() -> dict[str, str]:
    """Return the places of repositories by label, from the file that the environment names.

    Raises
    ------
    ConfigError
        If the file is not there, or holds no mapping.
    """
    name = os.environ.get(_INDEX_VARIABLE)
    if not name:
        return {}
    path = Path(name.removeprefix("file://"))
    if not path.is_file():
        raise ConfigError(f"{_INDEX_VARIABLE} names {name!r}, which is no file")
    content = load_yaml(path) or {}
    if not isinstance(content, Mapping):
        raise ConfigError(f"the repository index {name!r} must map labels to places")
    return {str(label): str(place) for label, place in content.items()}


def default_datastore_config() -> dict[str, Any]:
    """Return what a datastore does where ``butler.yaml`` does not say otherwise."""
    import yaml

    text = files("butler_core.datastore").joinpath("default_datastore.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings as one; the second wins."""
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def opened_config(path: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return a repository's directory, and the content of its configuration file."""
    config = load_yaml(path)
    if not isinstance(config, Mapping):
        raise ConfigError(f"{str(path)!r} holds no configuration of a data repository")
    return Path(str(config.get("root", path.parent)).replace(ROOT_MARK, str(path.parent))), config
