"""What a task logs and prints is kept as it is, and a wrong call of the logger harms nobody."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pipetask.execution.log_capture import captured_log


@pytest.mark.parametrize("text", ["50% done", "100%% %s %d\n%", ""])
def test_a_text_that_was_printed_is_kept_as_it_is(text: str) -> None:
    with captured_log(logging.INFO, {"LABEL": "isr"}) as log:
        log.add_text("stdout", text)

    (found,) = log.kept.records()
    assert (found["message"], found["name"], found["MDC"]) == (text, "stdout", {"LABEL": "isr"})


@pytest.mark.parametrize(
    ("message", "args"),
    [("%d", ("abc",)), ("%s %s", (1,)), ("none", (1,)), ("%(x)s", ({"y": 1},)), ("%y", (1,))],
)
def test_a_message_that_does_not_go_with_its_arguments_is_kept(
    message: str, args: tuple[Any, ...]
) -> None:
    wrong = logging.LogRecord("task", logging.WARNING, "task.py", 7, message, args, None)
    with captured_log(logging.INFO, {}) as log:
        log.handle(wrong)  # not by a logger: the handlers of the test program raise
        logging.getLogger("task").info("and %s", "on")

    first, second = log.kept.records()
    assert repr(message) in first["message"]
    assert second["message"] == "and on"
    assert [level for _, level, _ in log.warnings] == [logging.WARNING]
