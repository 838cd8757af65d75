"""What a running quantum reads and writes with.

A protocol only: the execution engine implements it, and tests of tasks may.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol


class QuantumContext(Protocol):
    """Reads the inputs of one quantum and writes its outputs."""

    @property
    def data_id(self) -> Mapping[str, Any]:
        """The quantum's data ID."""
        ...

    @property
    def log(self) -> logging.Logger:
        """Where the task logs while it runs this quantum."""
        ...

    def get(self, refs: Any) -> Any:
        """Read one or several inputs.

        Parameters
        ----------
        refs
            A ref, a list of refs, or a `Struct` of both by connection name. A
            connection declared ``deferred`` gives handles, not datasets.

        Returns
        -------
        object
            A dataset, a list, or a dict by connection name, as ``refs`` is.
        """
        ...

    def put(self, datasets: Any, refs: Any) -> None:
        """Write one or several outputs.

        Parameters
        ----------
        datasets
            A dataset, a list, or a `Struct` of both by connection name, as
            ``refs`` is.
        refs
            A ref, a list of refs, or a `Struct` of both by connection name.
        """
        ...
