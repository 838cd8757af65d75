"""`Pipeline`: tasks by label and what changes their configurations.

A value: every change returns a new pipeline. Imports no task class and writes
only the file it is told to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from butler_core.errors import near_misses
from pipetask.config_overrides import Override
from pipetask.errors import PipelineError, UnknownLabelError
from pipetask.pipeline.definition import (
    ConfigBlock,
    Contract,
    LabeledSubset,
    PipelineData,
    Step,
    SubsetMode,
    TaskDefinition,
)
from pipetask.pipeline.loading import PipelineLoader
from pipetask.pipeline.merge import merge, structure_faults
from pipetask.pipeline.selection import keep_tasks, select, split_selection
from pipetask.pipeline.writing import to_yaml

_PipelineT = TypeVar("_PipelineT", bound=PipelineData)

#: Gives the labels of the tasks downstream of the first and upstream of the
#: last label, both included; None for an open end.
LabelsBetween = Callable[["Pipeline", str | None, str | None], Collection[str]]


@dataclass(frozen=True)
class Pipeline(PipelineData):
    """A series of tasks and the configuration of each.

    Made by `from_file` or `from_text`, or from a description alone and then
    task by task::

        pipeline = (
            Pipeline("Flat fielding")
            .add_task("isr", IsrTask)
            .add_override("isr", "doFlat", True)
        )
    """

    @classmethod
    def from_file(
        cls, location: str | Path, *, labels_between: LabelsBetween | None = None
    ) -> Self:
        """Load a pipeline file and what it imports.

        Parameters
        ----------
        location
            A path, with environment variables as ``$NAME``; ``package!file``;
            or a URL. Behind a ``#`` may come labels of tasks and subsets, or a
            range ``first..last``, to which the pipeline is then reduced.
        labels_between
            Knows what lies in a range; `pipetask.pipeline_graph` has it.

        Raises
        ------
        PipelineFileError
            With every fault of the file and of what it imports.
        UnknownLabelError
            If a label behind the ``#`` is none.
        """
        place, selection = split_selection(str(location))
        pipeline = cls._of(PipelineLoader().load(place))
        if selection is None:
            return pipeline
        if not selection.is_range:
            return pipeline.subset_from_labels(selection.labels)
        for end in (selection.first, selection.last):
            if end is not None:
                pipeline.task(end)
        if labels_between is None:
            raise PipelineError(
                f"{str(location)!r}: what a range holds depends on the graph of the tasks; "
                "load the pipeline with labels_between, or name the tasks one by one."
            )
        labels = labels_between(pipeline, selection.first, selection.last)
        return pipeline.subset_from_labels(labels)

    @classmethod
    def from_text(cls, text: str, *, name: str = "<text>", folder: Path | None = None) -> Self:
        """Read a pipeline from YAML.

        Parameters
        ----------
        text
            The YAML.
        name
            What to call it in messages.
        folder
            Where relative imports are looked for first.
        """
        return cls._of(PipelineLoader().parse(text, name=name, folder=folder))

    @classmethod
    def _of(cls, data: PipelineData) -> Self:
        """Return the same content as a pipeline."""
        return cls(**{field.name: getattr(data, field.name) for field in fields(PipelineData)})

    @property
    def task_labels(self) -> tuple[str, ...]:
        """Labels of the tasks, imported ones first, in the order of the files."""
        return tuple(self.tasks)

    def task(self, label: str) -> TaskDefinition:
        """Return a task by its label.

        Parameters
        ----------
        label
            The label.

        Raises
        ------
        UnknownLabelError
            If there is no such task.
        """
        if label not in self.tasks:
            hint = near_misses(label, self.tasks) or f" It has {', '.join(self.tasks) or 'none'}."
            raise UnknownLabelError(f"the pipeline has no task {label!r}.{hint}")
        return self.tasks[label]

    def config_overrides(self, label: str) -> tuple[Override, ...]:
        """Return what changes a task's configuration, parameters filled in.

        Parameters
        ----------
        label
            The task's label.

        Returns
        -------
        tuple
            Instructions for `pipetask.config_overrides.apply_overrides`.
        """
        blocks = self.task(label).config
        return tuple(
            override for block in blocks for override in block.overrides(label, self.parameters)
        )

    def find_subsets_with_label(self, label: str) -> tuple[str, ...]:
        """Return the labels of the subsets that a task is in.

        Parameters
        ----------
        label
            The task's label.
        """
        self.task(label)
        return tuple(name for name, subset in self.subsets.items() if label in subset.tasks)

    def add_task(
        self, label: str, task_class: str | type, config: Mapping[str, Any] | None = None
    ) -> Self:
        """Return the pipeline with one more task, or another in its place.

        Parameters
        ----------
        label
            The task's label.
        task_class
            Its class, or the dotted name of that.
        config
            Values to configure, by dotted path.
        """
        if label == "parameters" or label in self.subsets:
            raise PipelineError(f"{label!r} is taken and cannot be a task's label.")
        blocks = (ConfigBlock(values=dict(config)),) if config else ()
        task = TaskDefinition(label, _class_name(task_class), blocks)
        return replace(self, tasks={**self.tasks, label: task})

    def remove_task(self, label: str) -> Self:
        """Return the pipeline without a task, also in its subsets.

        Parameters
        ----------
        label
            The task's label. Contracts that name it go too.
        """
        self.task(label)
        kept = frozenset(self.tasks) - {label}
        return keep_tasks(self, kept, mode=SubsetMode.EDIT)

    def add_override(
        self, label: str, field: str, value: Any, *, source: str = "a program"
    ) -> Self:
        """Return the pipeline with one more value configured.

        Parameters
        ----------
        label
            The task's label, or ``parameters`` to set a parameter.
        field
            Dotted path of the field, or the parameter's name.
        value
            The value, or text to be read as one.
        source
            Who sets it, for the history.
        """
        if label == "parameters":
            return replace(self, parameters={**self.parameters, field: value})
        return self._add_block(label, ConfigBlock(values={field: value}, sources={field: source}))

    def add_file_override(self, label: str, path: str | Path, *, source: str = "a program") -> Self:
        """Return the pipeline with one more Python file that configures a task.

        Parameters
        ----------
        label
            The task's label.
        path
            The file.
        source
            Who names it.
        """
        return self._add_block(label, ConfigBlock(files=(str(path),), sources={"file": source}))

    def add_python_override(self, label: str, code: str, *, source: str = "<a program>") -> Self:
        """Return the pipeline with one more piece of Python that configures a task.

        Parameters
        ----------
        label
            The task's label.
        code
            The Python; ``config`` is in its scope.
        source
            Who wrote it.
        """
        return self._add_block(label, ConfigBlock(python=code, python_place=(source, 1)))

    def _add_block(self, label: str, block: ConfigBlock) -> Self:
        task = self.task(label).with_config(block)
        return replace(self, tasks={**self.tasks, label: task})

    def subset_from_labels(self, labels: Iterable[str], mode: SubsetMode = SubsetMode.DROP) -> Self:
        """Return the pipeline with some of its tasks.

        Parameters
        ----------
        labels
            Labels of tasks and of subsets.
        mode
            What becomes of subsets that lose tasks.
        """
        return select(self, labels, mode)

    def add_labeled_subset(
        self, label: str, tasks: Iterable[str], description: str | None = None
    ) -> Self:
        """Return the pipeline with one more subset, or another in its place.

        Parameters
        ----------
        label
            The subset's label.
        tasks
            Labels of its tasks.
        description
            What it is for.
        """
        subset = LabeledSubset(label, tuple(dict.fromkeys(tasks)), description)
        return _checked(replace(self, subsets={**self.subsets, label: subset}))

    def remove_labeled_subset(self, label: str) -> Self:
        """Return the pipeline without a subset and without the step it is.

        Parameters
        ----------
        label
            The subset's label.
        """
        if label not in self.subsets:
            hint = near_misses(label, self.subsets)
            raise UnknownLabelError(f"the pipeline has no subset {label!r}.{hint}")
        subsets = {name: subset for name, subset in self.subsets.items() if name != label}
        steps = tuple(step for step in self.steps if step.label != label)
        return replace(self, subsets=subsets, steps=steps)

    def add_step(self, label: str, dimensions: Iterable[str] = ()) -> Self:
        """Return the pipeline with one of its subsets as its next step.

        Parameters
        ----------
        label
            The subset's label.
        dimensions
            Dimensions by which the step can be divided.
        """
        return _checked(replace(self, steps=(*self.steps, Step(label, tuple(dimensions)))))

    def add_contract(self, contract: str, message: str | None = None) -> Self:
        """Return the pipeline with one more contract.

        Parameters
        ----------
        contract
            A Python expression over configurations by label.
        message
            What to say when it does not hold.
        """
        return replace(self, contracts=(*self.contracts, Contract(contract, message)))

    def with_instrument(self, instrument: str | type | None) -> Self:
        """Return the pipeline for another instrument, or for none.

        Parameters
        ----------
        instrument
            The instrument's class, or the dotted name of that.
        """
        return replace(self, instrument=None if instrument is None else _class_name(instrument))

    def merge(self, *others: PipelineData) -> Self:
        """Return the pipeline as if it imported others.

        Parameters
        ----------
        *others
            The other pipelines.

        Raises
        ------
        PipelineError
            If they contradict each other; every contradiction together.
        """
        merged, problems = merge(self, others)
        if problems:
            raise PipelineError("Pipelines cannot be merged:\n" + "\n".join(problems))
        return _checked(merged)

    def to_yaml(self) -> str:
        """Write the pipeline as YAML with nothing left to import."""
        return to_yaml(self)

    def write(self, path: str | Path) -> None:
        """Write the pipeline into a file.

        Parameters
        ----------
        path
            The file; it is replaced if there is one.
        """
        Path(path).write_text(self.to_yaml(), encoding="utf-8")

    def __str__(self) -> str:
        return self.to_yaml()


def _class_name(named: str | type) -> str:
    """Return the dotted name by which a class is imported."""
    return named if isinstance(named, str) else f"{named.__module__}.{named.__qualname__}"


def _checked(pipeline: _PipelineT) -> _PipelineT:
    """Return a pipeline if everything it names is there."""
    faults = structure_faults(pipeline)
    if faults:
        raise PipelineError("\n".join(faults))
    return pipeline
