"""``-c`` and ``-C`` of ``butler ingest-raws``: the fields of Rubin's ingest task, as options."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from butler_core.datastore.transfer_mode import TransferMode
from butler_core.errors import ConfigError, near_misses

_FIELDS = ("failFast", "transfer")
_LINE = re.compile(r"\s*config\.(?P<name>[\w.]+)\s*=\s*(?P<value>.+?)\s*(#.*)?")


def ingest_settings(files: Sequence[str], pairs: Sequence[str]) -> dict[str, Any]:
    """Return what files and pairs set, pairs winning: ``fail_fast`` and ``transfer`` at most.

    Parameters
    ----------
    files
        Files of lines ``config.NAME = VALUE``.
    pairs
        Texts ``NAME=VALUE``.

    Raises
    ------
    ConfigError
        If a file cannot be read, a line is of another form, or there is no such field.
    """
    given: dict[str, str] = {}
    for file in files:
        given |= _from_file(file)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--config {pair!r} is not of the form NAME=VALUE")
        given[name.strip()] = text.strip()
    return dict(_setting(name, text) for name, text in given.items())


def _from_file(file: str) -> dict[str, str]:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {file!r}: {error.strerror}") from error
    given = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{file}, line {number}: {line!r} is not 'config.NAME = VALUE'")
        given[match["name"]] = match["value"]
    return given


def _setting(name: str, text: str) -> tuple[str, Any]:
    if name not in _FIELDS:
        raise ConfigError(
            f"ingest-raws has no configuration {name!r}; it has {', '.join(_FIELDS)}."
            f"{near_misses(name, _FIELDS)}"
        )
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if name == "transfer":
        return name, TransferMode.parse(str(value))
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be True or False, not {text!r}")
    return "fail_fast", value


def config_options(command: Any) -> Any:
    """Declare ``-c`` and ``-C`` on a command."""
    pairs = click.option(
        "-c",
        "--config",
        multiple=True,
        metavar="NAME=VALUE ...",
        help=f"Set a field of the ingest's configuration: {' or '.join(_FIELDS)}.",
    )
    files = click.option(
        "-C",
        "--config-file",
        multiple=True,
        metavar="FILE ...",
        help="File of lines 'config.NAME = VALUE' with the same fields.",
    )
    return pairs(files(command))
