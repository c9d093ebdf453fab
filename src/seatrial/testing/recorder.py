"""Writes what each test says as soon as it is said, for the run that started pytest.

Only a run loads this plugin (``-p seatrial.testing.recorder``). It writes JUnit, one test at a
time: what was said stays when a later test ends everything.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.evaluation.handed import handed_over
from seatrial.testing import refusing

if TYPE_CHECKING:
    import pytest

_BEGIN, _END = "<testsuites><testsuite>\n", "</testsuite></testsuites>\n"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKED = re.compile(r"^E +(\S.*)$", re.MULTILINE)
_RAISED = re.compile(r"[\w.]*(Error|Exception|Warning)\b")
_PLAIN = re.compile(r"^(AssertionError|Failed|seatrial\.errors\.\w+): ")
"""What says no more than that a test failed."""

_OF_OURS = re.compile(r"^seatrial\.errors\.\w+: ")
_LONGEST = 1000

_handed = handed_over()
if _handed is not None and _handed.writable is not None:
    refusing.refuse_outside(Path(_handed.writable))


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that hears of every test, not in those that xdist runs them in."""
    if _handed is not None and not hasattr(config, "workerinput"):
        recorder = Recorder(Path(_handed.record), Path(_handed.running))
        config.pluginmanager.register(recorder, "seatrial-recorder")


class Recorder:
    """Hears of every test."""

    def __init__(self, record: Path, running: Path) -> None:
        self._process = os.getpid()
        self._record = record.open("a", encoding="utf-8", errors="replace")
        self._running = running.open("r+", encoding="utf-8", errors="replace")
        self._open: dict[str, list[pytest.TestReport]] = {}
        self._write(_BEGIN)

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """A module that hangs or crashes when it is imported is known by its name."""
        self._now(collector.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell a file that cannot be collected."""
        self._now("")
        if report.failed:
            case = ET.Element("testcase", classname=report.nodeid, name="", file=report.nodeid)
            _add(case, "error", report)
            self._write_case(case)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._open[nodeid] = []
        self._now(", ".join(self._open))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Its set-up, its call, what it is cleaned up by, and the tests within it."""
        if report.outcome in {"passed", "failed", "skipped"}:  # others will be tried again
            self._open.setdefault(report.nodeid, []).append(report)

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """A test has ended."""
        reports = self._open.pop(nodeid, [])
        self._now(", ".join(self._open))
        file, line, name = location
        case = ET.Element(
            "testcase",
            classname=nodeid.partition("::")[0],
            name=name,
            file=file,
            line=str((line or 0) + 1),
            time=f"{sum(report.duration for report in reports):.3f}",
        )
        for report in reports:
            if report.failed:
                _add(case, "failure" if report.when == "call" else "error", report)
            elif report.skipped:
                kind = "pytest.xfail" if hasattr(report, "wasxfail") else "pytest.skip"
                ET.SubElement(case, "skipped", type=kind, message=_why_skipped(report))
        self._write_case(case)

    def pytest_unconfigure(self) -> None:
        """All tests have ended."""
        self._write(_END)

    def _write_case(self, case: ET.Element) -> None:
        for element in case.iter():
            for name, value in element.attrib.items():
                element.set(name, _NOT_XML.sub("?", value))
        self._write(ET.tostring(case, "unicode", short_empty_elements=False) + "\n")

    def _write(self, text: str) -> None:
        if os.getpid() == self._process:  # a test may fork and let the copy run on
            self._record.write(text)
            self._record.flush()

    def _now(self, text: str) -> None:
        if os.getpid() == self._process:
            self._running.seek(0)
            self._running.write(text)
            self._running.truncate()
            self._running.flush()


def _add(case: ET.Element, kind: str, report: pytest.TestReport | pytest.CollectReport) -> None:
    what, hint = _what(report)
    ET.SubElement(case, kind, message=what, where=_where(report), hint=hint)


def _what(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str]:
    """The first line of what went wrong, as pytest marks it in its own report, and what to do."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else ""
    if not text:
        whole = report.longreprtext
        marked = _MARKED.findall(whole)
        lines = [line for line in whole.splitlines() if line.strip()] or [report.outcome]
        # of a file that Python cannot read, the line and its place come before the error
        text = next(filter(_RAISED.match, marked), marked[0] if marked else lines[-1])
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [text]
    what = _PLAIN.sub("", lines[0])
    if report.when in {"setup", "teardown"}:
        what = f"{what} (in its {'set-up' if report.when == 'setup' else 'clean-up'})"
    # the other lines of our own errors say what is near and how to put it right
    hint = "; ".join(lines[1:6]) if _OF_OURS.match(lines[0]) else ""
    return what[:_LONGEST], hint[:_LONGEST]


def _where(report: pytest.TestReport | pytest.CollectReport) -> str:
    """``file.py:line``: the last line of the project's own code on the way to the failure."""
    trace: Any = getattr(report.longrepr, "reprtraceback", None)
    for entry in reversed(getattr(trace, "reprentries", [])):
        place = getattr(entry, "reprfileloc", None)
        if place is not None and _is_own(str(place.path)):
            return f"{place.path}:{place.lineno}"
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and _is_own(os.path.relpath(crash.path)):
        return f"{os.path.relpath(crash.path)}:{crash.lineno}"
    location = getattr(report, "location", None)
    if location is None:
        return report.nodeid
    return f"{location[0]}:{(location[1] or 0) + 1}"


def _is_own(path: str) -> bool:
    return not path.startswith(("/", ".."))


def _why_skipped(report: pytest.TestReport) -> str:
    """The reason that was given."""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail)[:_LONGEST]
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return str(reason).removeprefix("Skipped: ")[:_LONGEST]
