"""Every way in which a project's own tests end has its verdict and its sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.tasks._tests_record import Record, read
from seatrial.tasks._tests_told import Ended, told

RIGHT = Record(passed=2, begun=True, whole=True)
BROKEN_OFF = Record(passed=2, begun=True)
NEVER_BEGUN = Record()
THOUGH = "after its last test, though no test of t failed"


@pytest.mark.parametrize(
    ("status", "record", "reason"),
    [
        (0, RIGHT, "2 tests of t pass"),
        (0, replace(RIGHT, passed=1, skipped=2), "1 test of t passes, 2 skipped"),
        (0, replace(RIGHT, passed=0, expected=1), "0 tests of t pass, 1 failed as expected"),
    ],
)
def test_a_pass(status: int, record: Record, reason: str) -> None:
    outcome = told(Ended(status=status, record=record, running="", said=""), "t", 9)
    assert (outcome.verdict, outcome.reason, outcome.findings) == ("pass", reason, ())


@pytest.mark.parametrize(
    ("status", "record", "running", "reason"),
    [
        (3, BROKEN_OFF, "t.py::a", "t ended by itself with status 3 while running t.py::a"),
        (3, BROKEN_OFF, "", "t ended by itself with status 3"),
        (-6, BROKEN_OFF, "t.py::a", "t was ended by SIGABRT while running t.py::a"),
        (-11, RIGHT, "", f"pytest was ended by SIGSEGV {THOUGH}"),
        (1, RIGHT, "", f"pytest ended with 1 {THOUGH}"),
        (2, RIGHT, "", "the tests of t were interrupted"),
        (3, RIGHT, "", "pytest itself failed over t"),
        (4, NEVER_BEGUN, "", "no test of t ran: pytest refused its options"),
        (5, replace(RIGHT, passed=0), "", "no test of t ran: pytest found none"),
        (None, BROKEN_OFF, "t.py::a", "t did not end within 9 s: it was running t.py::a"),
        (None, NEVER_BEGUN, "", "t did not end within 9 s, not even to begin"),
    ],
)
def test_a_failure_of_no_single_test(
    status: int | None, record: Record, running: str, reason: str
) -> None:
    said = "collected 2 items\n\nRequired coverage of 90% not reached\n"
    outcome = told(Ended(status=status, record=record, running=running, said=said), "t", 9)
    assert (outcome.verdict, outcome.reason) == ("fail", reason)
    (finding,) = outcome.findings
    assert "Required coverage" in f"{finding.what} {finding.hint}"
    assert finding.where == (running or "t")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("loading\n..F [ 50%]\n", "printed at last: loading"),
        ("..F", ""),
        (
            "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1:\nExtension: x\n",
            "printed at last: Fatal Python error: Segmentation fault",
        ),
    ],
)
def test_the_hint_is_what_was_printed_at_last(said: str, hint: str) -> None:
    ended = Ended(status=-11, record=BROKEN_OFF, running="t.py::a", said=said)
    assert told(ended, "t", 9).findings[0].hint == hint


def test_files_that_cannot_be_collected_beside_tests_that_ran() -> None:
    record = replace(RIGHT, uncollected=2)
    outcome = told(Ended(status=1, record=record, running="", said=""), "t", 9)
    assert outcome.verdict == "fail"
    assert outcome.reason == "2 tests ran: 2 files could not be collected"


def test_a_record_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    case = '<testcase name="{}" file="t.py">{}</testcase>\n'
    whole = (
        "<testsuites><testsuite>\n"
        + case.format("a", "")
        + case.format("b", '<failure message="no" where="t.py:3"></failure>')
        + case.format("c", '<skipped type="pytest.skip" message="later"></skipped>')
        + case.format("d", '<skipped type="pytest.xfail"></skipped>')
        + "</testsuite></testsuites>\n"
    ).encode()
    record = read(whole)
    assert (record.passed, record.failed, record.skipped, record.expected) == (1, 1, 1, 1)
    assert record.whole
    assert record.findings[0].where == "t.py:3, b"
    for length in range(len(whole)):
        part = read(whole[:length])
        assert part.passed <= 1
        assert part.tests <= 4
        assert not part.whole or length >= len(whole) - 1
