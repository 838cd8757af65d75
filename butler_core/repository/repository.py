"""Making and opening a data repository; changes to files and tables as one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from butler_core.errors import ConfigError, ReadOnlyRepositoryError, RepositoryExistsError
from butler_core.registry.address import RegistryAddress
from butler_core.registry.migration import MigrationStep
from butler_core.registry.registry import Registry
from butler_core.repository.configuration import (
    CONFIG_NAME,
    DATABASE_NAME,
    ROOT_MARK,
    find_config,
    opened_config,
)
from butler_core.repository.file_journal import FileJournal
from butler_core.repository.known_runs import KnownRuns
from butler_core.repository.new_configuration import (
    choose_registry,
    new_config,
    new_universe,
    write_config,
)
from butler_core.repository.own_datastore import CAMERA_FOLDER, make_datastore

_LOG = logging.getLogger(__name__)


class Repository:
    """One data repository, open.

    Parameters
    ----------
    root
        The directory of its ``butler.yaml``.
    config
        The content of that file.
    config_path
        Where that file is, if not there.
    """

    def __init__(
        self,
        root: Path,
        config: Mapping[str, Any],
        registry: Registry,
        *,
        config_path: Path | None = None,
    ) -> None:
        self.root = root
        self.config = config
        self.config_path = config_path or root / CONFIG_NAME
        self.registry = registry
        self.datastore = make_datastore(root, config)
        self.known_runs = KnownRuns(registry.database)
        #: The journal of each thread's transaction, as the database's connection is a thread's.
        self._local = threading.local()

    @classmethod
    def create(
        cls,
        place: str | Path,
        *,
        seed_config: str | Path | None = None,
        dimension_config: str | Path | None = None,
        outfile: str | Path | None = None,
        standalone: bool = False,
        override: bool = False,
        registry: str | None = None,
        schema: str | None = None,
    ) -> Repository:
        """Make an empty repository in a new or empty directory.

        Parameters
        ----------
        registry
            URL of the registry's database, such as ``postgresql://HOST/NAME``;
            a SQLite file in the repository if None.
        schema
            The schema of that database to make the registry's tables in; each
            repository needs one of its own.
        seed_config
            A YAML file whose content goes into ``butler.yaml``.
        dimension_config
            A YAML file with another dimension universe.
        outfile
            Where ``butler.yaml`` goes if not into the repository.
        standalone
            Whether to write all defaults into ``butler.yaml``, so that later
            versions' defaults do not change the repository.
        override
            Whether ``seed_config`` may put datasets' files elsewhere than into
            the repository.

        Raises
        ------
        RepositoryExistsError
            If there is a repository already.
        """
        root = Path(place)
        config_path = Path(outfile) if outfile else root / CONFIG_NAME
        if config_path.exists() or (root / DATABASE_NAME).exists():
            raise RepositoryExistsError(f"there is a data repository in {str(root)!r} already")
        if root.exists() and not root.is_dir():
            raise RepositoryExistsError(f"{str(root)!r} is a file; a repository needs a directory")
        config = new_config(
            root, seed_config, standalone=standalone, is_apart=bool(outfile), override=override
        )
        choose_registry(config, registry, schema)
        universe = new_universe(dimension_config)
        address = _registry_address(root, config)
        if config_path.parent != root and not config_path.parent.is_dir():
            raise ConfigError(f"cannot write {str(config_path)!r}: its folder does not exist")
        with _directory(root):
            made = Registry.create(address, universe)
            try:
                write_config(config_path, config)
            except BaseException:
                made.discard()
                if address.path is not None:
                    address.path.unlink()
                raise
        return cls(root, config, made, config_path=config_path)

    @classmethod
    def open(cls, place: str | Path, *, writeable: bool = False) -> Repository:
        """Open a repository by directory, configuration file or label.

        Raises
        ------
        RepositoryNotFoundError
            If there is none.
        SchemaVersionError
            If it is Rubin's, or of a version that we do not know.
        """
        path = find_config(place)
        root, config = opened_config(path)
        registry = Registry.open(_registry_address(root, config), writeable=writeable)
        return cls(root, config, registry, config_path=path)

    @staticmethod
    def migrate(place: str | Path, *, dry_run: bool = False) -> tuple[MigrationStep, ...]:
        """Bring an older repository's tables up to this program's version; see `Registry`."""
        root, config = opened_config(find_config(place))
        return Registry.migrate(_registry_address(root, config), dry_run=dry_run)

    @property
    def is_writeable(self) -> bool:
        """Whether changes are allowed."""
        return self.registry.database.is_writeable

    @property
    def camera_folder(self) -> Path:
        """Where the YAML files of users' own cameras go; made when the first one comes."""
        return self.root / CAMERA_FOLDER

    @property
    def camera_directories(self) -> tuple[Path, ...]:
        """The folders with YAML files of users' own cameras that there are."""
        return (self.camera_folder,) if self.camera_folder.is_dir() else ()

    def require_writeable(self) -> None:
        """Raise ReadOnlyRepositoryError if the repository is open for reading only."""
        if not self.is_writeable:
            raise ReadOnlyRepositoryError(
                f"{str(self.root)!r} is open for reading only; open it with writeable=True"
            )

    def close(self) -> None:
        """Close the database."""
        self.registry.close()

    @contextmanager
    def transaction(self) -> Iterator[FileJournal]:
        """Keep all changes to tables and files made inside, or none of them.

        The files of the outermost transaction are synced once, before its
        commit; files to be removed go after it.
        """
        self.require_writeable()
        outer: FileJournal | None = getattr(self._local, "journal", None)
        if outer is not None:
            mark = outer.mark()
            try:
                with self.registry.database.transaction():
                    yield outer
            except BaseException:
                outer.undo(mark)
                raise
            return
        journal = self._local.journal = FileJournal(self.datastore.root)
        try:
            with self.registry.database.transaction():
                try:
                    yield journal
                    journal.sync()
                except BaseException:
                    # While the lock is held: afterwards a path may be another process's.
                    journal.undo()
                    raise
        except BaseException:
            journal.undo()  # does nothing twice; the commit itself may have failed
            raise
        finally:
            self._local.journal = None
        journal.finish(self.datastore)


@contextmanager
def _directory(root: Path) -> Iterator[None]:
    """Make a directory, with those above it; what was made goes again if anything fails."""
    new = [path for path in (root, *root.parents) if not path.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnlyRepositoryError(
            f"cannot make a repository in {str(root)!r}: {error.strerror}"
        ) from error
    try:
        yield
    except BaseException:
        for path in new:
            path.rmdir()
        raise


def _registry_address(root: Path, config: Mapping[str, Any]) -> RegistryAddress:
    settings = config.get("registry") or {}
    url = str(settings.get("db", f"sqlite:///{ROOT_MARK}/{DATABASE_NAME}"))
    return RegistryAddress(url.replace(ROOT_MARK, str(root)), settings.get("namespace"))
