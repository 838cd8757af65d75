"""A pipeline file with everything it imports, as one `PipelineData`.

Follows imports; what a document says is `parse`'s matter, how two pipelines
go together `merge`'s.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from butler_core.errors import near_misses
from pipetask.errors import PipelineFileError
from pipetask.pipeline import location
from pipetask.pipeline.definition import ImportDefinition, PipelineData
from pipetask.pipeline.merge import merge, structure_faults
from pipetask.pipeline.parse import Parser
from pipetask.pipeline.selection import keep_tasks
from pipetask.pipeline.yaml_document import Faults

_LOG = logging.getLogger(__name__)


class PipelineLoader:
    """Loads pipelines, each file once."""

    def __init__(self) -> None:
        self._loaded: dict[str, PipelineData] = {}
        # Files being loaded, each importing the next.
        self._chain: list[str] = []

    def load(self, place: str, folder: Path | None = None) -> PipelineData:
        """Load a file and what it imports.

        Parameters
        ----------
        place
            The file; see `location.find`.
        folder
            Where a relative path is looked for first.

        Raises
        ------
        PipelineFileError
            With every fault of the file and of what it imports.
        """
        found = location.find(place, folder)
        if found in self._chain:
            chain = " imports ".join(repr(file) for file in [*self._chain, found])
            raise PipelineFileError(f"a pipeline imports itself: {chain}.")
        if found not in self._loaded:
            self._chain.append(found)
            try:
                text = location.read(found)
                parent = Path(found).parent if "://" not in found else None
                self._loaded[found] = self.parse(text, name=found, folder=parent)
            finally:
                self._chain.pop()
        return self._loaded[found]

    def parse(self, text: str, *, name: str, folder: Path | None = None) -> PipelineData:
        """Read a document and load what it imports.

        Parameters
        ----------
        text
            The YAML.
        name
            The document's name, for messages.
        folder
            Where relative imports are looked for first.
        """
        faults = Faults(name)
        document = Parser(faults).parse(text)
        imported = []
        for definition, place in document.imports:
            try:
                data = self.load(definition.location, folder)
                imported.append(apply_import(definition, data))
            except PipelineFileError as error:
                # Rule: a fault keeps its own file and line; the import is only the way to it.
                faults.add(place, f"import of {definition.location!r}: {error}")
        # What an import would have brought is not missed, once it is known to have failed.
        faults.raise_any()
        merged, problems = merge(document.data, imported)
        for problem in [*problems, *structure_faults(merged)]:
            faults.add(None, problem)
        faults.raise_any()
        return merged


def apply_import(definition: ImportDefinition, data: PipelineData) -> PipelineData:
    """Return the part of a pipeline that an import takes.

    Parameters
    ----------
    definition
        The import.
    data
        The imported pipeline, whole.

    Raises
    ------
    PipelineFileError
        If a new label is already taken.
    """
    if not definition.keeps_instrument:
        data = replace(data, instrument=definition.instrument)
    _log_strangers(definition, data)
    kept = _kept_labels(definition, data)
    tasks = dict(data.tasks)
    for old, new in definition.rename.items():
        if old not in tasks or old not in kept:
            continue
        if new in tasks:
            raise PipelineFileError(f"{old!r} cannot be renamed {new!r}: there is such a task.")
        tasks[new] = replace(tasks.pop(old), label=new)
        kept = (kept - {old}) | {new}
    # Rule: subsets and contracts know a renamed task by its old label, and lose it with that.
    lost = frozenset(data.tasks) - tasks.keys()
    data = replace(data, tasks=tasks, steps=data.steps if definition.has_steps else ())
    data = keep_tasks(data, frozenset(kept), mode=definition.subset_mode, lost=lost)
    return data if definition.has_contracts else replace(data, contracts=())


def _kept_labels(definition: ImportDefinition, data: PipelineData) -> set[str]:
    """Return the labels of the tasks that an import takes."""
    listed = definition.include if definition.include is not None else definition.exclude
    if listed is None:
        return set(data.tasks)
    named = {label for label in data.tasks if label in listed}
    for label, subset in data.subsets.items():
        if label in listed:
            named.update(subset.tasks)
    return named if definition.include is not None else set(data.tasks) - named


def _log_strangers(definition: ImportDefinition, data: PipelineData) -> None:
    """Log labels that an import names and the imported pipeline does not have."""
    known = (*data.tasks, *data.subsets)
    for label in (*(definition.include or ()), *(definition.exclude or ()), *definition.rename):
        if label not in known:
            # Real pipelines exclude what older versions of others had; that is no fault.
            _LOG.info(
                "import of %r names %r, which is no task or subset of it.%s",
                definition.location,
                label,
                near_misses(label, known),
            )
