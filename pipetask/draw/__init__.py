"""Drawings of pipelines and quantum graphs, and what ``--show`` prints.

Everything here returns text. It builds, runs and writes nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipetask.draw.pipeline_dot import pipeline_as_dot
    from pipetask.draw.pipeline_mermaid import pipeline_as_mermaid
    from pipetask.draw.pipeline_text import pipeline_as_text, tasks_as_text
    from pipetask.draw.quantum_dot import quanta_as_dot
    from pipetask.draw.quantum_mermaid import quanta_as_mermaid
    from pipetask.draw.show import ShowContext

# Rule: no name here is a module's name too, or the module would hide it once imported.
_HOMES = {
    "ShowContext": "show",
    "pipeline_as_dot": "pipeline_dot",
    "pipeline_as_mermaid": "pipeline_mermaid",
    "pipeline_as_text": "pipeline_text",
    "quanta_as_dot": "quantum_dot",
    "quanta_as_mermaid": "quantum_mermaid",
    "tasks_as_text": "pipeline_text",
}

__all__ = [
    "ShowContext",
    "pipeline_as_dot",
    "pipeline_as_mermaid",
    "pipeline_as_text",
    "quanta_as_dot",
    "quanta_as_mermaid",
    "tasks_as_text",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
