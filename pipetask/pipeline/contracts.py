"""Whether the contracts of a pipeline hold for its configurations.

Evaluates the expressions of pipeline files, which are trusted as the Python
blocks in them are. Makes no configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipetask.errors import ContractError
from pipetask.pipeline.definition import Contract

#: What an expression over configurations can raise.
_EXPRESSION_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NameError,
    SyntaxError,
    TypeError,
    ValueError,
)


def check_contracts(contracts: Iterable[Contract], configs_by_label: Mapping[str, Any]) -> None:
    """Raise if a contract does not hold.

    Parameters
    ----------
    contracts
        The contracts.
    configs_by_label
        The configuration of each task, complete and frozen.

    Raises
    ------
    ContractError
        If any contract is false or cannot be evaluated; all of them together.
    """
    broken = [fault for c in contracts if (fault := _fault(c, configs_by_label)) is not None]
    if broken:
        listed = "\n".join(f"  - {fault}" for fault in broken)
        raise ContractError(f"Contracts of the pipeline are broken:\n{listed}")


def _fault(contract: Contract, configs: Mapping[str, Any]) -> str | None:
    """Say what is wrong with one contract; None if it holds."""
    said = f"{contract.message}: " if contract.message else ""
    expression = " ".join(contract.contract.split())
    try:
        # In brackets, so that it may have several lines; as globals, so that
        # comprehensions see the labels too.
        holds = eval(f"({contract.contract}\n)", dict(configs))  # noqa: S307 - the pipeline's own
    except _EXPRESSION_ERRORS as error:
        kind = type(error).__name__
        return f"{said}{expression!r} cannot be evaluated ({kind}: {error})"
    return None if holds else f"{said}{expression!r} does not hold"
