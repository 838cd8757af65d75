"""``butler config-dump``: a repository's configuration, with all defaults, as YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.errors import ConfigError, near_misses


@click.command("config-dump", cls=Subcommand)
@parameters.repo_argument()
@click.option(
    "-s",
    "--subset",
    help="A key to show alone; one further down is written with what is between its parts at its "
    "front, as in .datastore.root.",
)
@click.option(
    "--file",
    type=click.File("w", lazy=True),
    default="-",
    help="Where to write; stdout if not given.",
)
def config_dump(repo: str, subset: str | None, file: TextIO) -> None:
    """Print a repository's configuration."""
    import yaml

    content: Any = _whole(repo)
    if subset:
        content = _part(content, subset)
        if not isinstance(content, Mapping | list):
            content = {subset: content}
    file.write(yaml.safe_dump(content, sort_keys=True, default_flow_style=False))


def _whole(repo: str) -> dict[str, Any]:
    from butler_core.repository.configuration import (
        default_datastore_config,
        find_config,
        load_yaml,
        merged,
    )

    path = find_config(repo)
    content = load_yaml(path)
    if not isinstance(content, Mapping):
        raise ConfigError(f"{str(path)!r} holds no configuration of a data repository")
    return merged({"datastore": default_datastore_config()}, content)


def _part(content: Mapping[str, Any], subset: str) -> Any:
    names = [subset] if subset[0].isalnum() or subset[0] == "_" else subset[1:].split(subset[0])
    found: Any = content
    for i, name in enumerate(names):
        if not isinstance(found, Mapping) or name not in found:
            choices = list(found) if isinstance(found, Mapping) else []
            above = f"{'.'.join(names[:i])!r}" if i else "the configuration"
            raise ConfigError(
                f"no {name!r} in {above} (asked for {subset!r}); it has "
                f"{', '.join(choices) or 'no keys'}.{near_misses(name, choices)}"
            )
        found = found[name]
    return found
