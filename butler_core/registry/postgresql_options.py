"""How to reach a PostgreSQL server: its URL, and the credentials that are kept elsewhere.

A password is never taken from a command line and never shown.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

import sqlalchemy as sa

from butler_core.errors import ConfigError, CredentialsError

_AUTH_VARIABLE = "LSST_DB_AUTH"
_AUTH_FILE = "~/.lsst/db-auth.yaml"


def parse_url(url: str) -> sa.URL:
    """Return a URL's parts.

    Raises
    ------
    ConfigError
        If it is malformed.
    """
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise ConfigError(
            "the URL of the registry's database is malformed; it must look like "
            "postgresql://HOST:PORT/NAME"
        ) from error


def refuse_password(url: str) -> None:
    """Raise ConfigError if a URL has a password in it."""
    if parse_url(url).password is not None:
        raise ConfigError(
            f"the URL {parse_url(url).render_as_string(hide_password=True)!r} has a password in "
            "it, which would be readable in the repository's configuration and in your shell's "
            f"history: put it into {_AUTH_FILE} or PGPASSWORD"
        )


def place_of(url: str, schema: str) -> str:
    """Return a database's name for messages, without credentials."""
    parts = parse_url(url)
    host = parts.host or unquote(str(parts.query.get("host", ""))) or os.environ.get("PGHOST", "")
    port = f":{parts.port}" if parts.port else ""
    return f"postgresql://{host}{port}/{parts.database or ''} (schema {schema})"


def connection_options(url: str) -> dict[str, str]:
    """Return the parameters of a connection, as libpq names them.

    What the URL leaves open comes from the file of credentials
    (``~/.lsst/db-auth.yaml``, or the one that ``LSST_DB_AUTH`` names), then
    from libpq's ``PG*`` variables and its password file.

    Raises
    ------
    CredentialsError
        If the file of credentials is malformed or readable by others.
    """
    parts = parse_url(url)
    options = {name: str(value) for name, value in parts.query.items()}
    given = {"host": parts.host, "user": parts.username, "password": parts.password,
             "dbname": parts.database, "port": str(parts.port) if parts.port else None}  # fmt: skip
    options |= {name: value for name, value in given.items() if value}
    if parts.host and parts.password is None and "PGPASSWORD" not in os.environ:
        user, password = _from_file(parts)
        options |= {"user": user, "password": password} if user and password else {}
    return options


def _from_file(parts: sa.URL) -> tuple[str | None, str | None]:
    """Return user and password for a server from the file of credentials, if it has them."""
    path = Path(os.environ.get(_AUTH_VARIABLE, _AUTH_FILE)).expanduser()
    if not path.exists() and "LSST_DB_AUTH_CREDENTIALS" not in os.environ:
        return None, None
    from lsst.utils.db_auth import DbAuth, DbAuthError, DbAuthNotFoundError

    try:
        found = DbAuth(str(path)).getAuth(
            "postgresql", parts.username, parts.host, parts.port, parts.database
        )
    except DbAuthNotFoundError:
        return None, None
    except DbAuthError as error:
        raise CredentialsError(
            f"the credentials in {str(path)!r} cannot be used: {error}"
        ) from error
    return found[0], found[1]
