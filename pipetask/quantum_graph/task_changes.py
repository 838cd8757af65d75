"""Tells how a task's configuration and code differ from those of an earlier run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipetask.provenance.code_trace import CodeTrace

_MOST_NAMED = 3


def config_change(old_yaml: str, new_yaml: str) -> str:
    """Return which fields differ between two configurations, given as YAML, and how."""
    import yaml

    before, after = dict(_flat(yaml.safe_load(old_yaml))), dict(_flat(yaml.safe_load(new_yaml)))
    names = sorted(before.keys() | after.keys())
    pairs = [(name, _shown(before, name), _shown(after, name)) for name in names]
    # As texts, since True equals 1 for Python.
    return _listed([f"{name}: {old} -> {new}" for name, old, new in pairs if old != new])


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give every field of nested mappings by its dotted name."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    elif prefix:
        yield prefix, value


def _shown(fields: Mapping[str, Any], name: str) -> str:
    return json.dumps(fields[name], default=str) if name in fields else "not there"


def code_change(old: Mapping[str, Mapping[str, str]], new: CodeTrace) -> str:
    """Return which source files, and versions of packages, differ.

    Parameters
    ----------
    old
        ``files`` and ``versions``, as the journal of a run has them.
    """
    if not new.is_known:
        return "its source cannot be found"
    files = _different(old.get("files", {}), new.files)
    versions = [
        f"{name} {old.get('versions', {}).get(name, 'none')} -> {new.versions.get(name, 'none')}"
        for name in _different(old.get("versions", {}), new.versions)
    ]
    return _listed([*files, *versions]) or "an earlier record of it is incomplete"


def _different(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
