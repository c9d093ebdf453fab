"""What is said of a project's own tests: the verdict, the reason, and what failed."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict

if TYPE_CHECKING:
    from seatrial.tasks._tests_record import Record

TOLD = 20
"""So many failing tests are told, the rest is counted."""

_LINE = 300
_PROGRESS = re.compile(r"[.,EFRXsx]+( *\[ *\d+%\])?")
_INTERRUPTED, _INTERNAL, _MISUSED, _NONE_RAN = 2, 3, 4, 5  # pytest's exit codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the tests ended: the status (negative: a signal; None: time was up), and what they said.

    ``running`` is the test that had begun and not ended, if any; ``said`` the end of the output.
    """

    status: int | None
    record: Record
    running: str
    said: str


def told(ended: Ended, tests: str, timeout_s: float) -> Outcome:
    """The verdict over the tests; the first sentence that fits is the reason."""
    record = ended.record
    broke_off = _broke_off(ended, tests, timeout_s)
    findings = [
        replace(each, what=_short(each.what), hint=_short(each.hint)) for each in record.findings
    ]
    failed = record.failed + record.uncollected
    if broke_off:
        failed += bool(ended.running)
        said = _telling_line(ended.said)
        findings.append(
            Finding(
                what=broke_off[1],
                where=ended.running or tests,
                hint=f"printed at last: {said}" if said else "",
            )
        )
        return _outcome(Verdict.FAIL, broke_off[0], record, failed, findings)
    if record.uncollected:
        files = "1 file" if record.uncollected == 1 else f"{record.uncollected} files"
        ran = f"{_counted(record)} ran" if record.tests else f"no test of {tests} ran"
        reason = f"{ran}: {files} could not be collected"
        return _outcome(Verdict.FAIL, reason, record, failed, findings)
    if failed:
        reason = f"{failed} of {_counted(record)} of {tests} fail{'s' * (failed == 1)}"
        return _outcome(Verdict.FAIL, reason, record, failed, findings)
    if ended.status:
        reason, what = _unfinished(ended, tests)
        findings.append(Finding(what=what, where=tests))
        return _outcome(Verdict.FAIL, reason, record, failed, findings)
    if not record.passed and not record.expected:
        reason = f"every test of {tests} was skipped: {_short(record.why_skipped)}"
        return _outcome(Verdict.SKIP, reason, record, failed, findings)
    return _outcome(Verdict.PASS, _passed(record, tests), record, failed, findings)


def _broke_off(ended: Ended, tests: str, timeout_s: float) -> tuple[str, str] | None:
    """The reason, and what to say of the test that ran, when the tests did not come to an end."""
    during = f" while running {ended.running}" if ended.running else ""
    if ended.status is None:
        was = f": it was running {ended.running}" if ended.running else ", not even to begin"
        return f"{tests} did not end within {timeout_s:g} s{was}", "had not ended when time was up"
    if not ended.record.begun or ended.record.whole:
        return None
    if ended.status < 0:
        by = signal.Signals(-ended.status).name
        why = ", perhaps for lack of memory" if by == "SIGKILL" else ""
        return f"{tests} was ended by {by}{why}{during}", f"ended everything by {by}{why}"
    return (
        f"{tests} ended by itself with status {ended.status}{during}",
        f"ended everything with status {ended.status}",
    )


def _unfinished(ended: Ended, tests: str) -> tuple[str, str]:
    """The reason and a finding when no test failed and pytest is not content all the same."""
    status, last = ended.status or 0, _last_line(ended.said)
    if status == _NONE_RAN:
        return f"no test of {tests} ran: pytest found none", last or "no tests ran"
    if status == _MISUSED:
        return f"no test of {tests} ran: pytest refused its options", _error_line(ended.said)
    if status == _INTERNAL:
        return f"pytest itself failed over {tests}", _error_line(ended.said)
    if status == _INTERRUPTED:
        return f"the tests of {tests} were interrupted", _error_line(ended.said)
    by = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
    when = "after its last test" if ended.record.begun else "before its first test"
    return f"pytest {by} {when}, though no test of {tests} failed", _error_line(ended.said)


def _outcome(
    verdict: Verdict, reason: str, record: Record, failed: int, findings: list[Finding]
) -> Outcome:
    more = len(findings) - TOLD
    shown = findings[:TOLD]
    if more > 0:
        shown = [*shown, Finding(what=f"… and {more} more")]
    judged = verdict in {Verdict.PASS, Verdict.FAIL}
    measures = (
        Measure(name="tests.passed", value=float(record.passed), n=record.tests),
        Measure(
            name="tests.failed",
            value=float(failed),
            limit=0.0,
            direction=Direction.AT_MOST,
            n=record.tests,
            verdict=(Verdict.FAIL if failed else Verdict.PASS) if judged else Verdict.SKIP,
        ),
    )
    return Outcome(verdict=verdict, reason=reason, measures=measures, findings=tuple(shown))


def _passed(record: Record, tests: str) -> str:
    one = record.passed == 1
    said = f"{record.passed} test{'s' * (not one)} of {tests} pass{'es' * one}"
    others = ((record.skipped, "skipped"), (record.expected, "failed as expected"))
    return "".join([said, *(f", {count} {how}" for count, how in others if count)])


def _counted(record: Record) -> str:
    return f"{record.tests} test{'s' * (record.tests != 1)}"


def _error_line(said: str) -> str:
    """The line in which pytest says what is wrong, else the last one."""
    lines = [line.strip() for line in said.splitlines()]
    errors = [
        line.removeprefix("E ").strip()
        for line in lines
        if line.startswith(("ERROR: ", "E ", "INTERNALERROR> ", "!!!!"))
    ]
    telling = [line for line in errors if "Error" in line or line.startswith("ERROR: ")]
    refused = [line.partition(": error: ")[2] for line in lines if ": error: " in line]
    return _short((refused or telling or errors or [_last_line(said)])[-1]) or "pytest said nothing"


def _telling_line(said: str) -> str:
    """What Python says of a crash, else the last line that is more than dots of progress."""
    lines = [line for line in said.splitlines() if not _PROGRESS.fullmatch(line.strip())]
    crashes = [line for line in lines if line.startswith("Fatal Python error")]
    return _last_line("\n".join(crashes or lines))


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _short(lines[-1]) if lines else ""


def _short(text: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return printable if len(printable) <= _LINE else f"{printable[: _LINE - 1]}…"
