"""Everything that pipetask raises on purpose.

The tree::

    PipetaskError                       (ButlerError)
    ├── PipelineError
    │   ├── PipelineFileError           (ValueError)
    │   ├── UnknownLabelError           (LookupError)
    │   ├── ContractError               (ValueError)
    │   └── PipelineGraphError          (ValueError)
    ├── TaskError
    │   ├── UnknownTaskError            (LookupError)
    │   └── TaskConnectionError         (ValueError)
    ├── TaskConfigError                 (ValueError)
    │   └── UnknownFieldError           (LookupError)
    ├── GraphBuildError                 (ValueError)
    │   └── EmptyGraphError
    │       └── NothingToDoError
    ├── GraphFileError                  (ValueError)
    ├── RunError                        (RuntimeError)
    │   ├── RunHeldError
    │   ├── RunStoppedError
    │   └── JournalError                (OSError)
    └── NoWorkFound

``NoWorkFound`` is no failure: a task raises it to say that there is nothing
for it to do with the inputs it got.
"""

from __future__ import annotations

from butler_core.errors import ButlerError


class PipetaskError(ButlerError):
    """Root of everything that pipetask raises on purpose."""


class PipelineError(PipetaskError):
    """A pipeline cannot be read, changed or used."""


class PipelineFileError(PipelineError, ValueError):
    """A pipeline's YAML is malformed; the message has file, line and column."""


class UnknownLabelError(PipelineError, LookupError):
    """A pipeline has no task or subset of this label."""


class ContractError(PipelineError, ValueError):
    """A contract between the configurations of a pipeline's tasks is broken."""


class PipelineGraphError(PipelineError, ValueError):
    """The tasks do not fit together; the message lists every fault found."""


class TaskError(PipetaskError):
    """A task class cannot be found or used."""


class UnknownTaskError(TaskError, LookupError):
    """A task class cannot be imported by the name given."""


class TaskConnectionError(TaskError, ValueError):
    """A task's connections are declared or filled in a way that cannot work."""


class TaskConfigError(PipetaskError, ValueError):
    """A task's configuration does not hold what it must."""


class UnknownFieldError(TaskConfigError, LookupError):
    """A task's configuration has no field of this name."""


class GraphBuildError(PipetaskError, ValueError):
    """A quantum graph cannot be built."""


class EmptyGraphError(GraphBuildError):
    """A quantum graph came out with no quanta; the message says why."""


class NothingToDoError(EmptyGraphError):
    """Every quantum was done before; no failure."""


class GraphFileError(PipetaskError, ValueError):
    """A quantum graph file cannot be opened, or is not whole."""


class RunError(PipetaskError, RuntimeError):
    """A run cannot be started or continued."""


class RunHeldError(RunError):
    """Another process is at work on the run."""


class RunStoppedError(RunError):
    """A run was stopped by what is around it, such as a full disk; it can be continued."""


class JournalError(RunError, OSError):
    """The journal of a run cannot be written."""


class NoWorkFound(PipetaskError):  # noqa: N818 - the field's word; it is no error
    """Raised by a task that has nothing to do with the inputs it got."""
