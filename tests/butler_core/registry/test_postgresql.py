"""What only a server has: schemas, credentials, connections that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from butler_core import Butler, DatasetType
from butler_core.cli.butler_program import butler as program
from butler_core.errors import (
    ConfigError,
    CredentialsError,
    DatabaseBusyError,
    DatabaseUnreachableError,
    ReadOnlyRepositoryError,
    RepositoryExistsError,
)
from butler_core.registry import postgresql_backend
from butler_core.registry.address import RegistryAddress
from butler_core.registry.postgresql_options import connection_options


@pytest.fixture
def database(postgres_server: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of an empty database."""
    name = f"alone_{abs(hash(request.node.name)) % 10**8}"
    postgres_server.run(f"CREATE DATABASE {name}")
    yield postgres_server.url_of(name)
    postgres_server.run(f"DROP DATABASE {name} WITH (FORCE)")


def test_repositories_share_a_database_by_schema(database: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        with Butler.create(tmp_path / name, registry=database, schema=name) as butler:
            butler.collections.register(f"run/{name}")

    with Butler(tmp_path / "one") as one, Butler(tmp_path / "two") as two:
        assert one.collections.query() == ["run/one"]
        assert two.collections.query() == ["run/two"]


def test_a_schema_holds_one_repository(database: str, tmp_path: Path) -> None:
    Butler.create(tmp_path / "one", registry=database, schema="one").close()

    with pytest.raises(RepositoryExistsError, match=r"schema one.*--schema"):
        Butler.create(tmp_path / "two", registry=database, schema="one")

    assert not (tmp_path / "two").exists()
    Butler(tmp_path / "one").close()


def test_the_configuration_names_database_and_schema(database: str, tmp_path: Path) -> None:
    arguments = ["create", str(tmp_path / "repo"), "--registry", database, "--schema", "night"]

    result = CliRunner().invoke(program, arguments, prog_name="butler")

    assert result.exit_code == 0, result.output
    config = yaml.safe_load((tmp_path / "repo" / "butler.yaml").read_text())
    assert config["registry"] == {"db": database, "namespace": "night"}
    assert sorted(path.name for path in (tmp_path / "repo").iterdir()) == ["butler.yaml"]


def test_a_seed_configuration_may_name_them(database: str, tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(yaml.safe_dump({"registry": {"db": database, "namespace": "seeded"}}))

    Butler.create(tmp_path / "repo", seed_config=seed).close()

    with Butler(tmp_path / "repo") as butler:
        assert "schema seeded" in butler.repository.registry.database.place


def test_a_password_in_a_url_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"db-auth\.yaml") as caught:
        Butler.create(tmp_path / "repo", registry="postgresql://me:hunter2@host/db")

    assert "hunter2" not in str(caught.value)
    assert not (tmp_path / "repo").exists()


@pytest.mark.parametrize("schema", ["Night", "a-b", 'x"; DROP', "1st", "x" * 64])
def test_a_schema_that_would_need_quotes_is_refused(schema: str) -> None:
    with pytest.raises(ConfigError, match="lower-case"):
        RegistryAddress("postgresql://host/db", schema)


def test_a_sqlite_file_has_no_schema(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no schemas"):
        Butler.create(tmp_path / "repo", schema="night")


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachableError, match=r"cannot reach .*127\.0\.0\.1:1/db"):
        Butler.create(tmp_path / "repo", registry="postgresql://127.0.0.1:1/db")

    assert not (tmp_path / "repo").exists()


def test_a_database_that_is_not_there_is_told(postgres_server: Any, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachableError, match='"absent" does not exist'):
        Butler.create(tmp_path / "repo", registry=postgres_server.url_of("absent"))


# -------------------------------------------------------------------- credentials
@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of credentials that connections look at."""
    path = tmp_path / "db-auth.yaml"
    monkeypatch.setenv("LSST_DB_AUTH", str(path))
    for name in ("PGPASSWORD", "LSST_DB_AUTH_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    return path


def write_credentials(path: Path, url: str, mode: int = 0o600) -> None:
    entry = {"url": url, "username": "keeper", "password": "of secrets"}
    path.write_text(yaml.safe_dump([entry]))
    path.chmod(mode)


def test_a_login_comes_from_the_file_of_credentials(
    credentials: Path, database: str, postgres_server: Any, tmp_path: Path
) -> None:
    name = sa.make_url(database).database
    port = postgres_server.port or 5432
    url = f"postgresql://127.0.0.1:{port}/{name}"
    write_credentials(credentials, f"postgresql://127.0.0.1:{port}/*")
    assert connection_options(url) == {
        "host": "127.0.0.1", "port": str(port), "dbname": name, "user": "keeper",
        "password": "of secrets",
    }  # fmt: skip
    if postgres_server.port is None:
        return  # a server that was not started here need not listen on the network
    postgres_server.run(
        "DROP ROLE IF EXISTS keeper",
        "CREATE ROLE keeper LOGIN PASSWORD 'of secrets'",
        f"GRANT CREATE ON DATABASE {name} TO keeper",
    )

    with Butler.create(tmp_path / "repo", registry=url, schema="kept") as butler:
        butler.collections.register("run")
    stored = (tmp_path / "repo" / "butler.yaml").read_text()
    write_credentials(credentials, f"postgresql://elsewhere:{port}/*")
    with pytest.raises(DatabaseUnreachableError) as caught:
        Butler(tmp_path / "repo")

    assert "of secrets" not in stored + str(caught.value)
    postgres_server.run(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")


def test_a_file_of_credentials_that_others_can_read_is_refused(credentials: Path) -> None:
    write_credentials(credentials, "postgresql://host/*", 0o644)

    with pytest.raises(CredentialsError, match="db-auth.yaml"):
        connection_options("postgresql://host/db")


def test_without_an_entry_the_usual_variables_decide(credentials: Path) -> None:
    write_credentials(credentials, "postgresql://other/*")

    assert connection_options("postgresql://me@host/db") == {
        "host": "host", "user": "me", "dbname": "db",
    }  # fmt: skip


# ------------------------------------------------------------------------ in use
def test_a_role_that_may_only_read_is_told_so(
    database: str, postgres_server: Any, tmp_path: Path
) -> None:
    Butler.create(tmp_path / "repo", registry=database, schema="seen").close()
    _run(database, "DROP ROLE IF EXISTS onlooker", "CREATE ROLE onlooker LOGIN",
         "GRANT USAGE ON SCHEMA seen TO onlooker",
         "GRANT SELECT ON ALL TABLES IN SCHEMA seen TO onlooker")  # fmt: skip
    path = tmp_path / "repo" / "butler.yaml"
    config = yaml.safe_load(path.read_text())
    config["registry"]["db"] = (
        sa.make_url(database).set(username="onlooker").render_as_string(hide_password=False)
    )
    path.write_text(yaml.safe_dump(config))

    with Butler(tmp_path / "repo", writeable=True) as butler:
        assert butler.collections.query() == []
        with pytest.raises(ReadOnlyRepositoryError, match="permission denied"):
            butler.collections.register("run")


def test_a_lock_that_outlasts_our_patience_is_explained(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgresql_backend._SETTINGS, "lock_timeout", 50)
    monkeypatch.setattr(postgresql_backend, "LOCK_TIMEOUT_MS", 50)
    with (
        Butler.create(tmp_path / "repo", registry=database, schema="busy") as butler,
        psycopg.connect(**connection_options(database)) as holder,
    ):
        holder.execute("LOCK TABLE busy.dataset_type IN EXCLUSIVE MODE")

        with pytest.raises(DatabaseBusyError, match="another process kept"):
            butler.register_dataset_type(
                DatasetType.of("a", ["detector"], "StructuredDataDict", universe=butler.dimensions)
            )


def test_a_server_that_went_away_is_told_and_found_again(database: str, tmp_path: Path) -> None:
    with Butler.create(tmp_path / "repo", registry=database, schema="gone") as butler:
        _run(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()",
        )
        with pytest.raises(DatabaseUnreachableError, match="cannot reach"):
            butler.collections.register("run")

        assert butler.collections.register("run")


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(**connection_options(url), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
