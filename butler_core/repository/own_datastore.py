"""A repository's datastore alone: for workers, which know no registry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from butler_core.datasets.storage_class import StorageClassRegistry
from butler_core.datastore.file_datastore import FileDatastore
from butler_core.datastore.path_template import TemplateTable
from butler_core.formatters.formatter_table import FormatterTable
from butler_core.repository.configuration import (
    ROOT_MARK,
    default_datastore_config,
    find_config,
    merged,
    opened_config,
)

#: Folder of the repository for YAML files of cameras that are not packaged.
CAMERA_FOLDER = "cameras"


def open_datastore(place: str | Path) -> tuple[Path, Mapping[str, Any], FileDatastore]:
    """Return a repository's directory, configuration and datastore; touch no database."""
    root, config = opened_config(find_config(place))
    return root, config, make_datastore(root, config)


def make_datastore(root: Path, config: Mapping[str, Any]) -> FileDatastore:
    """Return the datastore that a repository's configuration describes.

    Parameters
    ----------
    root
        The repository's directory.
    config
        The content of its ``butler.yaml``.
    """
    settings = merged(default_datastore_config(), config.get("datastore") or {})
    place = str(settings.get("root", ROOT_MARK)).replace(ROOT_MARK, str(root))
    extra = config.get("storageClasses")
    storage_classes = StorageClassRegistry(extra) if extra else StorageClassRegistry.default()
    return FileDatastore(
        Path(place),
        templates=TemplateTable(settings["templates"]),
        formatters=FormatterTable(settings.get("formatters") or {}),
        storage_classes=storage_classes,
        checksum=str(settings["checksum"]),
        camera_folder=root / CAMERA_FOLDER,
    )
