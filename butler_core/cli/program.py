"""A program of many subcommands, each imported only when it is called.

Turns what a command raises into a message and an exit code. Knows no command.

Exit codes: 0 done, 1 an error (its message on stderr), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from butler_core.cli.log_options import log_options
from butler_core.errors import ButlerError, near_misses

_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A line of a program's command table."""

    #: Where the command is: ``module:attribute``.
    home: str
    #: The first line of the command's own help.
    help: str


@dataclass(frozen=True, slots=True)
class ProgramState:
    """What the options before the subcommand say; a command finds it as its context's object."""

    #: Whether errors come with their traceback.
    debug: bool = False
    #: Whether slow work shows how far it is, where there is a terminal.
    show_progress: bool = True


class Program(click.Group):
    """A program made of a command table.

    Parameters
    ----------
    name
        What the user types.
    table
        The subcommands by name.
    help
        What the program is for.
    distribution
        Name of the installed package whose version ``--version`` prints.
    loggers
        Names of the loggers that ``--log-level LEVEL`` sets.
    """

    def __init__(
        self,
        name: str,
        table: Mapping[str, CommandEntry],
        *,
        help: str,  # noqa: A002 - click's name
        distribution: str,
        loggers: tuple[str, ...],
    ) -> None:
        super().__init__(
            name=name,
            help=help,
            params=[
                *log_options(),
                _progress_option(),
                _debug_option(),
                _version_option(distribution),
            ],
            callback=_prepare,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        self.table = dict(table)
        self.loggers = loggers

    # ------------------------------------------------------------- commands
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - overrides
        """Return the names of all subcommands, in order."""
        return sorted(self.table)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - overrides
        cmd_name: str,
    ) -> click.Command | None:
        """Import a subcommand, or return None if there is none of this name."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.home.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that the arguments begin with.

        Raises
        ------
        click.UsageError
            If there is none of this name; a near miss is offered.
        """
        name = args[0]
        if name not in self.table and not name.startswith("-"):
            ctx.fail(f"no command {name!r}.{near_misses(name, self.table)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and helps of all subcommands, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name].help) for name in self.list_commands(ctx)])

    # --------------------------------------------------------------- running
    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; what it raises becomes a message and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # while a closed pipe can still be dealt with
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (click.Abort, KeyboardInterrupt) as error:
            if isinstance(error, click.Abort) and not isinstance(
                error.__context__, KeyboardInterrupt
            ):
                raise
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(_INTERRUPTED) from error
        except ButlerError as error:
            _fail(ctx, error, str(error))
        except OSError as error:
            _fail(ctx, error, _os_error_text(error))
        except Exception as error:  # noqa: BLE001 - the last door: nobody above can say it better
            _fail(
                ctx,
                error,
                f"{type(error).__name__}: {error}. This is a bug; use --debug for the traceback "
                f"(`{ctx.command_path} --debug ...`).",
            )
        return result


def _fail(ctx: click.Context, error: BaseException, message: str) -> NoReturn:
    if ctx.params.get("debug"):
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    raise click.ClickException(message) from error


def _os_error_text(error: OSError) -> str:
    if error.strerror is None:
        return str(error)
    names = [repr(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' and '.join(names)}: {error.strerror}" if names else error.strerror


def _prepare(
    debug: bool,
    progress: bool,
    **log_values: Any,
) -> None:
    from butler_core.cli.log_setup import LogSettings, logging_as

    ctx = click.get_current_context()
    assert isinstance(ctx.command, Program)
    ctx.obj = ProgramState(debug=debug, show_progress=progress)
    settings = LogSettings.from_options(loggers=ctx.command.loggers, **log_values)
    ctx.with_resource(logging_as(settings))


def _progress_option() -> click.Option:
    return click.Option(
        ["--progress/--no-progress"],
        default=True,
        help="Show how far slow work is, where there is a terminal (default).",
    )


def _debug_option() -> click.Option:
    return click.Option(["--debug"], is_flag=True, help="Show the traceback of an error.")


def _version_option(distribution: str) -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if not value or ctx.resilient_parsing:
            return
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version(distribution)
        except PackageNotFoundError:
            number = "(not installed: run from its source)"
        click.echo(f"{ctx.command_path} of {distribution} {number}")
        ctx.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Show the version and exit.",
    )
