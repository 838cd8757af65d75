"""Where a pipeline is: environment variables, packages, folders, URLs.

Finds and reads text. Knows no YAML.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipetask.errors import PipelineFileError

_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_PACKAGE = re.compile(r"^(?:resource://(?P<uri>[\w.]+)/|(?P<name>[\w.]+)!)(?P<resource>.+)$")


def find(location: str, folder: Path | None = None) -> str:
    """Return the full name of a pipeline's file.

    Parameters
    ----------
    location
        A path, perhaps with ``$NAME`` or ``${NAME}`` for environment variables;
        ``package!file`` or ``resource://package/file``; or a URL.
    folder
        Where a relative path is looked for first; then, as always, in the
        working directory.

    Returns
    -------
    str
        An absolute path or a URL.

    Raises
    ------
    PipelineFileError
        If a variable is not set, or a package or file is not there; the
        message names it.
    """
    expanded = os.path.expandvars(location)
    unset = _VARIABLE.search(expanded)
    if unset is not None:
        raise PipelineFileError(
            f"{location!r} needs the environment variable {unset.group(1)!r}, which is not set; "
            "set it to the folder of that package."
        )
    package = _PACKAGE.match(expanded)
    if package is not None:
        return _in_package(package["uri"] or package["name"], package["resource"], location)
    expanded = expanded.removeprefix("file://")
    if "://" in expanded:
        return expanded
    folders = [folder] if folder is not None else []
    candidates = [place / Path(expanded).expanduser() for place in (*folders, Path.cwd())]
    for candidate in candidates:
        if candidate.is_file():
            return str(candidate.resolve())
    tried = " or ".join(dict.fromkeys(repr(str(candidate)) for candidate in candidates))
    variables = ", ".join(f"${v} is {os.environ[v]!r}" for v in _VARIABLE.findall(location))
    raise PipelineFileError(
        f"there is no pipeline file {tried}" + (f" ({variables})" if variables else "") + "."
    )


def read(found: str) -> str:
    """Read the text of a pipeline's file.

    Parameters
    ----------
    found
        What `find` returned.

    Raises
    ------
    PipelineFileError
        If it cannot be read.
    """
    try:
        if "://" not in found:
            return Path(found).read_text(encoding="utf-8")
        import fsspec

        with fsspec.open(found, "r", encoding="utf-8") as stream:
            return str(stream.read())
    except (OSError, UnicodeDecodeError, ImportError, ValueError) as error:
        raise PipelineFileError(f"the pipeline {found!r} cannot be read: {error}") from error


def _in_package(package: str, resource: str, location: str) -> str:
    """Return the path of a file inside an installed package."""
    import importlib.resources

    try:
        found = importlib.resources.files(package).joinpath(resource)
    except (ImportError, TypeError) as error:
        raise PipelineFileError(
            f"{location!r} needs the Python package {package!r}, which cannot be imported "
            f"({error}); install it."
        ) from error
    if not found.is_file():
        raise PipelineFileError(f"the Python package {package!r} has no file {resource!r}.")
    return str(found)
