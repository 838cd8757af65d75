"""Running Python that sets configuration fields.

The code is the user's own and is trusted like any module it could import. Its
errors come out as one `TaskConfigError` with the file and line they came from.
"""

from __future__ import annotations

import ast
import sys
import traceback
from typing import Any

from pipetask.errors import TaskConfigError

#: What faulty code raises; anything else is not about the configuration.
_CODE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


def run_python(code: str, names: dict[str, Any], *, filename: str, first_line: int = 1) -> None:
    """Run code with some names defined.

    Parameters
    ----------
    code
        The source text.
    names
        The namespace it runs in, changed by it.
    filename
        The file the code is from, for messages and histories.
    first_line
        The line of that file at which the code starts.

    Raises
    ------
    TaskConfigError
        If the code cannot be compiled or raises; the message has file and line.
    """
    try:
        tree = ast.parse(code, filename=filename)
    except (SyntaxError, ValueError) as error:
        line = (getattr(error, "lineno", None) or 1) + first_line - 1
        raise TaskConfigError(f"{filename}:{line}: {_one_line(error)}") from error
    ast.increment_lineno(tree, first_line - 1)
    try:
        exec(compile(tree, filename, "exec"), names)  # noqa: S102 - the user's own overrides
    except _CODE_ERRORS as error:
        line = _line_of(error, filename, first_line)
        shown = str(error) if isinstance(error, TaskConfigError) else _one_line(error)
        raise TaskConfigError(f"{filename}:{line}: {shown}") from error


def module_names(model: object) -> dict[str, Any]:
    """Return what the module that defines a configuration class has in scope.

    Parameters
    ----------
    model
        The configuration.

    Returns
    -------
    dict
        Objects by name, private names left out.
    """
    module = sys.modules.get(type(model).__module__)
    return {k: v for k, v in vars(module).items() if not k.startswith("__")} if module else {}


def _line_of(error: BaseException, filename: str, first_line: int) -> int:
    """Return the last line of the file that the error passed through."""
    if isinstance(error, SyntaxError) and error.filename == filename and error.lineno:
        return error.lineno
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == filename and frame.lineno
    ]
    return lines[-1] if lines else first_line


def _one_line(error: BaseException) -> str:
    """Name an error of foreign code by its type and message."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
