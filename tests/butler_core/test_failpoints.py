"""Points at which a test lets the program fail: each does what its plan says, in a real process."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler_core.failpoints import POINTS, VARIABLE, parse

ROOT = Path(__file__).parents[2]
REACH = "from butler_core import failpoints\n"


def run(code: str, plans: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if plans is not None:
        environment[VARIABLE] = plans
    return subprocess.run(
        [sys.executable, "-c", REACH + code],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("plans", [None, "", " ; "])
def test_a_point_is_an_empty_call_without_plans(plans: str | None) -> None:
    code = "print(failpoints.reach is failpoints._nothing, failpoints.reach('file.write'))"

    done = run(code, plans)

    assert done.stdout.split() == ["True", "None"]


def test_kill_ends_the_process_without_a_word() -> None:
    code = (
        "import atexit\n"
        "atexit.register(print, 'at exit')\n"
        "try:\n    failpoints.reach('file.write')\n"
        "finally:\n    print('finally')\n"
    )

    done = run(code, "file.write=kill")

    assert done.returncode == -signal.SIGKILL
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("name", ["ENOSPC", "EIO", "EWOULDBLOCK", "EACCES"])
def test_an_error_numbers_name_raises_it(name: str) -> None:
    plan = parse(f"file.write={name}")["file.write"]

    with pytest.raises(OSError, match=r"\(failpoint file\.write\)") as caught:
        plan.reach("file.write")

    assert caught.value.errno == getattr(errno, name)
    assert type(caught.value) is type(OSError(getattr(errno, name), ""))


def test_an_arrival_is_counted_for_each_point() -> None:
    code = (
        "for name in ('file.write', 'file.synced') * 4:\n"
        "    try:\n        failpoints.reach(name); print(name, 'passes')\n"
        "    except OSError as error:\n        print(name, error.errno)\n"
    )

    done = run(code, " file.write=ENOSPC@3; file.synced=EIO ")

    assert done.stderr == ""
    told = [line.split() for line in done.stdout.splitlines()]
    assert [what for name, what in told if name == "file.write"] == [
        "passes", "passes", str(errno.ENOSPC), "passes",
    ]  # fmt: skip
    assert [what for name, what in told if name == "file.synced"] == [str(errno.EIO)] * 4


@given(st.integers(1, 30), st.integers(1, 40))
def test_of_all_arrivals_the_one_named_fails(arrival: int, n_arrivals: int) -> None:
    plan = parse(f"file.write=EIO@{arrival}")["file.write"]

    failed = []
    for number in range(1, n_arrivals + 1):
        try:
            plan.reach("file.write")
        except OSError:
            failed.append(number)

    assert failed == [arrival] * (arrival <= n_arrivals)


def test_sleep_waits_and_goes_on() -> None:
    plan = parse("file.write=sleep:0.05@2")["file.write"]

    begin = time.monotonic()
    plan.reach("file.write")
    between = time.monotonic()
    plan.reach("file.write")
    end = time.monotonic()

    assert between - begin < 0.05 <= end - between


def test_points_without_a_plan_are_passed_and_not_armed() -> None:
    code = (
        "failpoints.reach('file.written')\n"
        "print(failpoints.is_armed('file.write'), failpoints.is_armed('file.written'))\n"
    )

    done = run(code, "file.write=kill@7")

    assert done.stdout.split() == ["True", "False"]


def test_of_two_plans_for_a_point_the_later_holds() -> None:
    plans = parse("file.write=kill; file.write=EIO@2")

    assert (plans["file.write"].action, plans["file.write"].arrival) == ("EIO", 2)


BAD = {
    "file.wrote=kill": "names 'file.wrote'",
    "kill": "names 'kill'",
    "file.write": "names 'file.write'",
    "=kill": "names ''",
    "file.write=": "has the action ''",
    "file.write=explode": "has the action 'explode'",
    "file.write=Kill": "has the action 'Kill'",
    "file.write=ENOSUCH": "has the action 'ENOSUCH'",
    "file.write=errorcode": "has the action 'errorcode'",
    "file.write=__name__": "has the action '__name__'",
    "file.write=sleep": "has the action 'sleep'",
    "file.write=sleep:": "has the action 'sleep:'",
    "file.write=sleep:long": "has the action 'sleep:long'",
    "file.write=sleep:-1": "has the action 'sleep:-1'",
    "file.write=sleep:nan": "has the action 'sleep:nan'",
    "file.write=kill@": "has the arrival ''",
    "file.write=kill@x": "has the arrival 'x'",
    "file.write=kill@0": "has the arrival '0'",
    "file.write=kill@-1": "has the arrival '-1'",
    "file.write=kill@1@2": "has the arrival '1@2'",
    "file.written=EIO; file.write=explode": "has the action 'explode'",
}


@pytest.mark.parametrize("text", BAD)
def test_a_value_that_means_nothing_is_refused_in_plain_words(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{VARIABLE} {BAD[text]}")):
        parse(text)


def test_a_bad_value_stops_the_import_with_that_one_error() -> None:
    done = run("print('imported')", "file.write=ENOSPC@soon")

    assert done.returncode == 1
    assert done.stdout == ""
    assert re.findall(r"^\w*Error: .*", done.stderr, re.MULTILINE) == [
        done.stderr.splitlines()[-1],
    ]
    assert done.stderr.splitlines()[-1].startswith(f"ValueError: {VARIABLE} has the arrival")


def test_the_points_listed_are_those_that_the_program_reaches() -> None:
    reached = {
        name
        for package in ("butler_core", "pipetask", "pipelines")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"\b(?:reach|is_armed)\(\"([^\"]+)\"\)", path.read_text("utf-8"))
    }

    assert reached == set(POINTS)
