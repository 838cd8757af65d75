"""`PipelineTask`: one step of a pipeline, run once per quantum.

A task computes. It finds no datasets, opens no repository and starts nothing;
what it reads and writes goes through a `QuantumContext`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pipetask.config.task_config import PipelineTaskConfig
from pipetask.errors import TaskError
from pipetask.task.context import QuantumContext
from pipetask.task.metadata import TaskMetadata
from pipetask.task.struct import Struct


class PipelineTask:
    """One step of a pipeline.

    A subclass sets ``ConfigClass`` and writes ``run``, whose parameters are the
    input connections and whose `Struct` has the output connections::

        class IsrTask(PipelineTask):
            ConfigClass = IsrConfig
            default_name = "isr"

            def run(self, raw, bias):
                return Struct(exposure=...)

    Each init-output connection is an attribute of the same name, set by the
    subclass's constructor.

    Parameters
    ----------
    config
        The configuration; the defaults if None. It is frozen here.
    log
        Where the task logs; a logger called by the task's default name if None.
    init_inputs
        Datasets of the init-input connections, by connection name.

    Raises
    ------
    TaskError
        If the class is not complete, or the configuration is another task's.
    TaskConfigError
        If the configuration does not hold what it must.
    """

    #: Class of the task's configuration, which names its connections.
    ConfigClass: ClassVar[type[PipelineTaskConfig]]
    #: Label of the task where a pipeline gives it none. ``_DefaultName`` is
    #: Rubin's spelling; of both, a subclass sets one, or neither.
    default_name: ClassVar[str] = "pipelineTask"
    _DefaultName: ClassVar[str] = "pipelineTask"

    #: Processor cores that one quantum uses.
    cores: ClassVar[int] = 1
    #: Memory that one quantum is expected to need [MiB]; None if unknown.
    memory_mib: ClassVar[int | None] = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Join both spellings of the default name, or make it from the class's."""
        super().__init_subclass__(**keywords)
        own = vars(cls)
        name = own.get("default_name") or own.get("_DefaultName") or _name_of(cls)
        cls.default_name = cls._DefaultName = name

    def __init__(
        self,
        *,
        config: PipelineTaskConfig | None = None,
        log: logging.Logger | None = None,
        init_inputs: Mapping[str, Any] | None = None,
    ) -> None:
        cls = type(self)
        config_class = getattr(cls, "ConfigClass", None)
        if not (isinstance(config_class, type) and issubclass(config_class, PipelineTaskConfig)):
            raise TaskError(
                f"{cls.__qualname__} has {config_class!r} as its ConfigClass; "
                "set it to a subclass of PipelineTaskConfig."
            )
        self.config = config_class() if config is None else config
        if not isinstance(self.config, config_class):
            raise TaskError(
                f"{cls.__qualname__} takes a {config_class.__qualname__}, not a "
                f"{type(config).__qualname__}."
            )
        self.config.freeze()
        self.log = logging.getLogger(cls.default_name) if log is None else log
        self.init_inputs = dict(init_inputs or {})
        self.metadata = TaskMetadata()

    def run(self, **inputs: Any) -> Struct:
        """Compute the outputs from the inputs; subclasses write this.

        Parameters
        ----------
        **inputs
            Datasets by connection name: lists for ``multiple`` connections,
            handles for ``deferred`` ones.

        Returns
        -------
        Struct
            Datasets by output connection; None for one that is not made.

        Raises
        ------
        NoWorkFound
            If there is nothing to do with these inputs; no failure.
        """
        raise TaskError(f"{type(self).__qualname__} does not write run({', '.join(inputs)}).")

    def run_quantum(self, context: QuantumContext, inputs: Struct, outputs: Struct) -> None:
        """Read a quantum's inputs, run, and write its outputs.

        Override it to choose what is read when; usually ``run`` is enough.

        Parameters
        ----------
        context
            Reads and writes the quantum's datasets.
        inputs
            Refs by input connection: a list for a ``multiple`` connection.
        outputs
            Refs by output connection, likewise.

        Raises
        ------
        TaskError
            If ``run`` returns no `Struct`, or one without an output connection.
        """
        result = self.run(**context.get(inputs))
        self.check_result(result, outputs)
        context.put(result, outputs)

    def check_result(self, result: object, outputs: Struct) -> None:
        """Raise if a result of ``run`` lacks an output connection.

        Parameters
        ----------
        result
            What ``run`` returned.
        outputs
            Refs by output connection.

        Raises
        ------
        TaskError
            If the result is no `Struct`, or lacks an attribute. An attribute
            that is None is there: it says that the output is not made.
        """
        where = f"{type(self).__qualname__}.run"
        if not isinstance(result, Struct):
            raise TaskError(
                f"{where} returned a {type(result).__name__}; return a Struct with "
                f"{', '.join(outputs.get_dict())}."
            )
        missing = [name for name, _ in outputs if name not in result]
        if missing:
            raise TaskError(
                f"{where} returned no {', '.join(map(repr, missing))}: its Struct has "
                f"{', '.join(map(repr, result.get_dict())) or 'nothing'}. Return every output "
                "connection, as None if it is not made this time."
            )


def _name_of(cls: type) -> str:
    """Make ``isr`` of ``IsrTask``."""
    stem = re.sub(r"Task$", "", cls.__name__) or cls.__name__
    return stem[:1].lower() + stem[1:]
