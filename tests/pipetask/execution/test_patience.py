"""What a database or a disk refuses is tried again, for a limited time, and nothing else is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest

from butler_core.errors import DatabaseBusyError, DatasetTypeError
from pipetask.errors import JournalError, RunHeldError, RunStoppedError
from pipetask.execution import patience
from pipetask.execution.patience import Patience


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_S", 0.01)
    monkeypatch.setattr(patience, "_LONGEST_S", 0.04)


class Refusing:
    """Fails so many times, and then returns how often it was called."""

    def __init__(self, error: Exception, n_times: float) -> None:
        self.error, self.n_times, self.calls = error, n_times, [0.0][:0]

    def __call__(self) -> int:
        self.calls.append(time.monotonic())
        if len(self.calls) <= self.n_times:
            raise self.error
        return len(self.calls)

    @property
    def pauses_s(self) -> list[float]:
        return [b - a for a, b in zip(self.calls, self.calls[1:], strict=False)]


def test_what_succeeds_is_called_once_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    function = Refusing(OSError(), 0)

    result = Patience(0.0).call(function, "do it")

    assert result == len(function.calls) == 1
    assert caplog.messages == []


@pytest.mark.parametrize(
    "error", [DatabaseBusyError("locked"), OSError(5, "bad disk"), JournalError("full")]
)
def test_what_is_refused_for_a_while_is_tried_until_it_succeeds(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    function = Refusing(error, 4)

    with caplog.at_level(logging.WARNING):
        result = Patience(5.0).call(function, "register what was made")

    assert result == 5
    assert caplog.messages == [f"cannot register what was made: {error}; trying again"]


def test_pauses_grow_up_to_the_longest() -> None:
    function = Refusing(OSError("no"), 5)

    Patience(5.0).call(function, "do it")

    for pause_s, least_s in zip(function.pauses_s, [0.01, 0.02, 0.04, 0.04, 0.04], strict=True):
        assert least_s <= pause_s < 2.0


def test_patience_ends_within_its_limit() -> None:
    function = Refusing(OSError(28, "No space left on device"), float("inf"))
    begin = time.monotonic()

    with pytest.raises(RunStoppedError, match=r"^cannot do it: .*No space left.*--extend-run"):
        Patience(0.15).call(function, "do it")

    assert time.monotonic() - begin < 2.0
    assert len(function.calls) >= 2


def test_without_patience_the_first_refusal_is_the_last() -> None:
    function = Refusing(OSError("no"), 1)

    with pytest.raises(RunStoppedError) as caught:
        Patience(0.0).call(function, "do it")

    assert len(function.calls) == 1
    assert caught.value.__cause__ is function.error


def test_each_call_has_a_patience_of_its_own() -> None:
    patient = Patience(0.5)

    with pytest.raises(RunStoppedError):
        patient.call(Refusing(OSError("no"), float("inf")), "do it")
    result = patient.call(Refusing(OSError("no"), 1), "do it")

    assert result == 2


def test_an_interrupt_ends_it_before_the_next_try() -> None:
    function = Refusing(OSError("no"), float("inf"))

    with pytest.raises(RunStoppedError):
        Patience(60.0, lambda: len(function.calls) >= 3).call(function, "do it")

    assert len(function.calls) == 3


def test_an_interrupt_does_not_keep_what_succeeds_from_being_done() -> None:
    assert Patience(0.0, lambda: True).call(lambda: "done", "do it") == "done"


@pytest.mark.parametrize(
    "error", [RunHeldError("taken"), DatasetTypeError("no"), ValueError("no"), KeyboardInterrupt()]
)
def test_what_time_does_not_heal_is_raised_at_once(error: BaseException) -> None:
    calls = []

    def function() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)) as caught:
        Patience(60.0).call(function, "do it")

    assert caught.value is error
    assert len(calls) == 1


def test_another_failure_after_a_refusal_is_raised_at_once() -> None:
    answers: list[Callable[[], int]] = [lambda: 1 // 0]
    refusing = Refusing(OSError("no"), 1)

    def function() -> int:
        return answers[0]() if refusing.calls else refusing()

    with pytest.raises(ZeroDivisionError):
        Patience(60.0).call(function, "do it")
