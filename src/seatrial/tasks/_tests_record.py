"""What a project's own tests said, read from their JUnit."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CASE_ENDS, _ALL_ENDS = b"</testcase>", b"</testsuite></testsuites>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How many tests passed, failed, were skipped, and failed as they were expected to.

    ``findings`` has one entry for each thing that went wrong. ``uncollected`` counts the files
    that could not be read. ``begun`` and ``whole`` say whether pytest came to write the
    beginning and the end.
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    expected: int = 0
    uncollected: int = 0
    findings: tuple[Finding, ...] = ()
    why_skipped: str = ""
    begun: bool = False
    whole: bool = False

    @property
    def tests(self) -> int:
        """How many tests there were."""
        return self.passed + self.failed + self.skipped + self.expected


def read(junit: bytes) -> Record:
    """Count and collect; a file that breaks off is read as far as it goes.

    >>> read(b'<testsuites><testsuite><testcase name="a"/><testcase na').passed
    0
    >>> read(b'<testsuites><testsuite><testcase name="a"></testcase><testcase na').passed
    1
    """
    junit = junit.rstrip()
    whole = junit.endswith(_ALL_ENDS)
    if not whole:
        kept, ends, _ = junit.rpartition(_CASE_ENDS)
        if not ends:
            return Record(begun=bool(junit))
        junit = kept + ends + _ALL_ENDS
    cases = [*ET.fromstring(junit).iter("testcase")]  # noqa: S314 - our own plugin wrote it
    kinds = [_kind(case) for case in cases]
    skipped = [case for case, kind in zip(cases, kinds, strict=True) if kind == "skipped"]
    return Record(
        passed=kinds.count("passed"),
        failed=kinds.count("failed"),
        skipped=len(skipped),
        expected=kinds.count("expected"),
        uncollected=kinds.count("uncollected"),
        findings=tuple(_findings(cases)),
        why_skipped=_message(skipped[0]) if skipped else "",
        begun=True,
        whole=whole,
    )


def _kind(case: ET.Element) -> str:
    if case.get("name") == "":
        return "uncollected"
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "expected" if skipped.get("type") == "pytest.xfail" else "skipped"


def _findings(cases: Iterable[ET.Element]) -> Iterator[Finding]:
    for case in cases:
        for problem in (*case.findall("failure"), *case.findall("error")):
            where = problem.get("where") or case.get("file") or ""
            name = case.get("name")
            yield Finding(
                what=problem.get("message") or problem.tag,
                where=f"{where}, {name}" if name else where,
                hint=problem.get("hint") or "",
            )


def _message(case: ET.Element) -> str:
    skipped = case.find("skipped")
    return "" if skipped is None else skipped.get("message") or ""
