"""Dataset type names of one task: what is declared, as the configuration changes it.

Fills templates; decides nothing else about a connection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from butler_core.errors import near_misses
from pipetask.connections.declaration import all_faults, templates_in
from pipetask.connections.kinds import Connection


def named_connections(
    declared: Mapping[str, Connection],
    default_templates: Mapping[str, str],
    *,
    config: Any,
    owner: str,
) -> dict[str, Connection]:
    """Return the declared connections with their final dataset type names.

    Parameters
    ----------
    declared
        The connections of a class, by the name the task knows them by.
    default_templates
        Value of each template unless it is configured otherwise.
    config
        A configuration with a ``connections`` part: for each connection its
        name, which may hold templates, and for each template its value. None
        stands for the declared names and default values.
    owner
        Name of the connections class, for messages.

    Returns
    -------
    dict
        Connections by the name the task knows them by.

    Raises
    ------
    TaskConnectionError
        If a configured name is malformed or has an unknown template.
    """
    if config is None:
        chosen = {name: connection.name for name, connection in declared.items()}
        templates = dict(default_templates)
    else:
        chosen = {name: getattr(config.connections, name) for name in declared}
        templates = {name: getattr(config.connections, name) for name in default_templates}
    named, faults = {}, []
    for name, connection in declared.items():
        try:
            unknown = sorted(templates_in(chosen[name]) - templates.keys())
        except ValueError as error:
            faults.append(f"{name}: {chosen[name]!r} is no template ({error})")
            continue
        faults += [f"{name}: no template {t!r}.{near_misses(t, templates)}" for t in unknown]
        if not unknown:
            named[name] = dataclasses.replace(connection, name=chosen[name].format(**templates))
    if faults:
        raise all_faults(f"The names in the configuration of {owner!r}", faults)
    return named
