"""A run as JUnit XML: what a reader of continuous integration is told, in the form it knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seatrial
from seatrial import workspace
from seatrial.errors import StoreError
from seatrial.ledger import runs
from seatrial.ledger.runs import Run, State
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.registry.project import open_project
from seatrial.report.account import Account, account
from seatrial.report.as_junit import as_junit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Says = Callable[[Callable[[], Outcome | Wait]], None]

# The schema that Jenkins and GitLab read by: what may stand in what, which attributes there are
# and must be, and in which order.
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "property": [],
    "testcase": ["skipped", "error", "failure", "system-out"],
    "skipped": [],
    "error": [],
    "failure": [],
    "system-out": [],
}
COUNTS = {"tests", "failures", "errors", "skipped", "time"}
ATTRIBUTES = {
    "testsuites": {"name", *COUNTS},
    "testsuite": {"name", "timestamp", *COUNTS},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "skipped": {"message"},
    "error": {"message", "type"},
    "failure": {"message", "type"},
    "system-out": set(),
}


def _read(told: str) -> ET.Element:
    """The report, whose form is demanded."""
    root = ET.fromstring(told.encode())  # noqa: S314 - our own
    for element in root.iter():
        allowed = CHILDREN[element.tag]
        places = [allowed.index(child.tag) for child in element]
        assert places == sorted(places)
        assert set(element.attrib) == ATTRIBUTES[element.tag]
    for suite in root:
        datetime.fromisoformat(suite.attrib["timestamp"])
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases)
        for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == sum(each.find(kind) is not None for each in cases)
    for name in COUNTS - {"time"}:
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)
    return root


def _told(file: Path) -> ET.Element:
    """The newest run."""
    project = open_project(workspace.of_file(file))
    try:
        return _read(as_junit(account(project, runs.latest(project.ledger)[0])))
    finally:
        project.ledger.close()


def _case(root: ET.Element, name: str) -> ET.Element:
    return next(each for each in root.iter("testcase") if each.attrib["name"] == name)


def test_a_run_that_passed(file: Path) -> None:
    seatrial.run(file)
    root = _told(file)
    assert [suite.attrib["name"] for suite in root] == ["checks", "later"]
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["errors"]) == ("3", "0", "0")
    assert _case(root, "check_schema-2").attrib["classname"] == "told.checks"
    known = {each.attrib["name"]: each.attrib["value"] for each in root[0].iter("property")}
    assert (known["verdict"], known["state"]) == ("pass", "finished")


def test_a_gate_that_failed_is_a_failure_with_what_to_do(file: Path) -> None:
    seatrial.run(file, ["checks.check_schema-2.expected_columns=[xx]"])
    root = _told(file)
    failure = _case(root, "check_schema-2").find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "fail"
    assert "xx" in failure.attrib["message"]
    assert "\n  hint: " in (failure.text or "")
    left = root[1].find("testcase/skipped")
    assert left is not None
    assert left.attrib["message"] == "not reached"


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (Outcome(verdict=Verdict.INCONCLUSIVE, reason="40 rows"), "error", "40 rows"),
        (Outcome(verdict=Verdict.SKIP, reason="nothing serves"), "skipped", "nothing serves"),
        (
            Wait(until=datetime(2099, 1, 2, 3, 4, tzinfo=UTC), reason="traffic"),
            "skipped",
            "waits until 2099-01-02 03:04 UTC",
        ),
    ],
    ids=["inconclusive", "skip", "wait"],
)
def test_what_is_neither(
    said: Outcome | Wait, kind: str, message: str, file: Path, second_says: Says
) -> None:
    second_says(lambda: said)
    seatrial.run(file)
    found = _case(_told(file), "check_schema-2").find(kind)
    assert found is not None
    assert found.attrib["message"] == message


def test_a_run_that_was_stopped_is_not_green(file: Path, second_says: Says) -> None:
    def broken() -> Outcome:
        raise StoreError("the store is gone")

    second_says(broken)
    seatrial.run(file)
    root = _told(file)
    assert root.attrib["errors"] == "1"
    error = _case(root, "stopped").find("error")
    assert error is not None
    assert error.text == "the store is gone"


@given(st.text(max_size=40) | st.sampled_from(["]]>", "<a>&\"'", "\x00\x0b\ud800\ufffe", "a\r\nb"]))
def test_whatever_they_wrote(said: str) -> None:
    task = {
        "task": said, "state": "done", "verdict": "fail", "reason": said, "seconds": None,
        "waiting_until": None, "findings": [{"what": said, "where": said, "hint": said}],
        "measures": [{"name": said, "value": None, "low": None, "high": None, "limit": None,
                      "direction": "at_most", "n": 0, "verdict": "skip"}],
    }  # fmt: skip
    run = Run(
        id="01M8", pipeline="told", key="k", state=State.STOPPED, verdict=None,
        started="2026-11-26T07:05:00+00:00", ended=None, model="told", pinned=1,
        pinned_revision=1, production_after=1, errors=(said,), request={"changes": []},
    )  # fmt: skip
    document = {
        "state": "waiting",
        "verdict": None,
        "production": {"before": 1, "after": 1},
        "model": None,
        "errors": [said],
        "stages": [{"name": said, "verdict": "fail", "tasks": [task]}],
    }
    root = _read(as_junit(Account(run=run, document=document, asked=(), seed=7)))
    if said.isprintable():
        failure = root.find("testsuite/testcase/failure")
        assert failure is not None
        assert failure.attrib["message"] == said
