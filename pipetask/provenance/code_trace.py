"""Which source files a task's code is in, and what they say: so that a change of it shows.

Imports are followed as they are written, whether they are at the top of a
module or in a function, within the top-level package of the task, or within
the folder of a module that is in no package. Of whatever else is imported, the
version of its distribution counts, or all of its source if it has none; of a
compiled module, its bytes.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

_DIGEST_BYTES = 16


@dataclass(frozen=True)
class CodeTrace:
    """What a task's code is made of."""

    #: Digest of each source file, by the name of its module.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Version of each distribution that is imported, by its name.
    versions: Mapping[str, str] = field(default_factory=dict)
    #: Whether the source was found; what is not known cannot be said to be unchanged.
    is_known: bool = True

    @property
    def digest(self) -> str:
        """One digest of all; empty where the source was not found."""
        if not self.is_known:
            return ""
        parts = [*sorted(self.files.items()), *sorted(self.versions.items())]
        return digest_of("\n".join(f"{name} {value}" for name, value in parts).encode())


def digest_of(content: bytes) -> str:
    """Return a short digest in hex digits."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()


def trace_code(module_name: str) -> CodeTrace:
    """Return what the code of a module that was imported is made of."""
    module = sys.modules.get(module_name)
    source = getattr(module, "__file__", None)
    if module is None or source is None or not source.endswith(".py"):
        return CodeTrace(is_known=False)
    scope = _Scope.of(module_name, Path(source))
    if scope.find(module_name) != Path(source):
        return CodeTrace(is_known=False)
    files: dict[str, str] = {}
    others: set[str] = set()
    queue = [(module_name, True), *scope.above(module_name)]
    while queue:
        name, is_followed = queue.pop()
        path = scope.find(name)
        if path is None:
            others.add(name.partition(".")[0])
            continue
        is_new = name not in files
        content = _Source.read(path, path.stat().st_mtime_ns)
        files[name] = content.digest
        if is_followed and (is_new or name in scope.passed):
            scope.passed.discard(name)
            queue += scope.imports(name, path, content)
        elif is_new:
            scope.passed.add(name)
    known = others - set(sys.stdlib_module_names)
    return CodeTrace(files, _versions(known))


@dataclass(frozen=True)
class _Source:
    """One source file: its digest, and what it imports as it is written there."""

    digest: str
    #: Module, names, and level of each import.
    imports: tuple[tuple[str, tuple[str, ...], int], ...]

    @staticmethod
    @cache
    def read(path: Path, _changed_ns: int) -> _Source:
        content = path.read_bytes()
        tree = _parsed(content) if path.suffix == ".py" else None
        return _Source(digest_of(content), tuple(_imports_in(tree)) if tree else ())


def _parsed(content: bytes) -> ast.AST | None:
    """Return a source's syntax tree; None if it is for another Python, and never imported here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whoever imports it will hear of them
            return ast.parse(content)
    except (SyntaxError, ValueError):
        return None


def _imports_in(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...], int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, (), 0
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(alias.name for alias in node.names), node.level


@dataclass
class _Scope:
    """Where imports are followed: a top-level package, or the folder of loose modules."""

    #: Name of the package; empty for loose modules.
    package: str
    #: Folder of the package, or of the modules.
    folder: Path
    #: Modules that were noted because they are above others, and not followed.
    passed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, module_name: str, source: Path) -> _Scope:
        package, dot, _ = module_name.partition(".")
        if not dot and source.name != "__init__.py":
            return cls("", source.parent)
        spec = importlib.util.find_spec(package)
        places = map(Path, (spec.submodule_search_locations or ()) if spec else ())
        return cls(package, next(filter(source.is_relative_to, places), source.parent))

    def find(self, name: str) -> Path | None:
        """Return the source of a module, or what was compiled of it; None if it is elsewhere."""
        parts = name.split(".")
        if self.package:
            if parts[0] != self.package:
                return None
            parts = parts[1:]
        stem = self.folder.joinpath(*parts)
        compiled = (stem.with_name(stem.name + suffix) for suffix in EXTENSION_SUFFIXES)
        for path in (stem / "__init__.py", *compiled, stem.with_suffix(".py")):
            if parts and path.is_file():
                return path
        path = self.folder / "__init__.py"
        return path if not parts and path.is_file() else None

    def imports(self, name: str, path: Path, source: _Source) -> Iterator[tuple[str, bool]]:
        """Give the modules that a module imports, and whether they are to be followed.

        A package that is passed on the way to a module in it is not.
        """
        here = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for module, names, level in source.imports:
            target = module
            if level:
                above = here.split(".")[: len(here.split(".")) - (level - 1)]
                target = ".".join([*above, module] if module else above)
            yield from self.above(target)
            inner = [f"{target}.{n}" for n in names if self.find(f"{target}.{n}")]
            yield from ((each, True) for each in inner)
            yield target, len(inner) < max(1, len(names))

    def above(self, name: str) -> Iterator[tuple[str, bool]]:
        """Give the packages that are imported on the way to a module; they are not followed."""
        parts = name.split(".")
        for n in range(1, len(parts)):
            above = ".".join(parts[:n])
            if self.find(above) is not None:
                yield above, False


@cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


@cache
def _versions_of(package: str) -> tuple[tuple[str, str], ...]:
    """Return what a package is of: names and versions of distributions, or a digest of its own."""
    try:
        return ((package, importlib.metadata.version(package)),)
    except importlib.metadata.PackageNotFoundError:
        names = sorted(set(_distributions().get(package, ())))
    if not names:
        return _own_digest(package)
    return tuple((name, importlib.metadata.version(name)) for name in names)


def _own_digest(package: str) -> tuple[tuple[str, str], ...]:
    """Return a digest of all source of a package that was never installed; nothing if built in."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return ()
    if spec is None:
        return ()
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    files = [path for place in places for path in sorted(place.rglob("*.py"))]
    if not places and spec.origin is not None and Path(spec.origin).is_file():
        files = [Path(spec.origin)]
    content = b"".join(digest_of(path.read_bytes()).encode() for path in files)
    return ((package, digest_of(content)),) if files else ()


def _versions(packages: Iterable[str]) -> dict[str, str]:
    return dict(pair for package in sorted(packages) for pair in _versions_of(package))
