"""``-@ FILE``: values for a subcommand's options, kept in a YAML file.

The file has the names of subcommands at its top, several to a section with commas
between them; under each, option names without their dashes. What is typed wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from butler_core.errors import near_misses


def options_file_option() -> click.Option:
    """Return the option."""
    return click.Option(
        ["-@", "--options-file"],
        expose_value=False,
        is_eager=True,
        callback=_apply,
        metavar="FILE",
        help="YAML file with option values, under the name of the subcommand. What is typed wins.",
    )


def _apply(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if not value or ctx.resilient_parsing:
        return
    try:
        section = _section(value, ctx.info_name or "")
        given = {}
        for name, content in section.items():
            target = _parameter_named(ctx, value, name)
            assert target.name is not None
            given[target.name] = _as_list(content) if _takes_several(target) else content
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from error
    ctx.default_map = {**(ctx.default_map or {}), **given}


def _section(file: str, command: str) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read {file!r}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file!r} is not valid YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"{file!r} must map names of subcommands to options")  # noqa: TRY004 - reported as usage
    found: dict[str, Any] = {}
    for names, options in content.items():
        if command in [name.strip() for name in str(names).split(",")]:
            if not isinstance(options, Mapping):
                raise ValueError(f"in {file!r}, {names!r} must hold options and their values")
            found.update({str(name): value for name, value in options.items()})
    return found


def _parameter_named(ctx: click.Context, file: str, name: str) -> click.Parameter:
    wanted = name.lstrip("-").replace("_", "-").lower()
    choices: dict[str, click.Parameter] = {}
    for param in ctx.command.params:
        for spelling in (*param.opts, *param.secondary_opts):
            choices[spelling.lstrip("-").replace("_", "-").lower()] = param
    if wanted not in choices:
        raise ValueError(
            f"{ctx.info_name!r} has no option {name!r} (in {file!r}).{near_misses(wanted, choices)}"
        )
    return choices[wanted]


def _takes_several(param: click.Parameter) -> bool:
    return param.multiple or param.nargs == -1


def _as_list(content: Any) -> list[Any]:
    return list(content) if isinstance(content, list | tuple) else [content]
