"""A run as a page: what a reader sees of it, whatever the run holds and whatever is gone."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from tests.report.documents import distribution, environments, manifest, slices

import seatrial
from seatrial import workspace
from seatrial.errors import StoreError
from seatrial.ledger import runs
from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict
from seatrial.registry.project import open_project
from seatrial.report.as_html import as_html
from seatrial.report.sections import sources
from seatrial.report.sized import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.outcome import Wait
    from seatrial.registry.project import Project

    Says = Callable[[Callable[[], Outcome | Wait]], None]

HOSTILE = "<script>alert('\u202e&\"')</script>"


@pytest.fixture
def project(file: Path) -> Iterator[Project]:
    opened = open_project(workspace.of_file(file))
    yield opened
    opened.ledger.close()


def _page(project: Project) -> str:
    """The newest run."""
    page = as_html(sources(project, runs.latest(project.ledger)[0]))
    assert len(page.encode()) <= MOST_BYTES
    assert not {"script", "img", "link", "iframe"} & {*_Read(page).tags}
    return page


class _Read(HTMLParser):
    """The texts and the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _said(page: str) -> str:
    """What is to be read, in one line."""
    body = page.partition("</style>")[2].replace("<wbr>", "")
    return " ".join(" ".join(_Read(body).texts).split())


def _anchors(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', page)


def _kept(project: Project, says: Says, file: Path, **documents: Any) -> str:
    """The page of a run whose second check kept these documents."""
    blobs = project.registry.blobs
    digests = {
        name: blobs.put(each if isinstance(each, bytes) else json.dumps(each).encode())
        for name, each in documents.items()
    }
    says(lambda: Outcome(verdict=Verdict.PASS, reason="kept", blobs=digests))
    seatrial.run(file)
    return _page(project)


def test_a_run_that_passed(file: Path, project: Project) -> None:
    driven = seatrial.run(file)
    page = _page(project)
    said = _said(page)
    assert f"told: run {driven.document['run']}" in said
    assert "Passed: no evidence of harm. 3 tasks: 3 passed." in said
    assert "Nothing was in production when it ended." in said
    assert "checks pass check_schema pass" in said
    assert _anchors(page) == ["lineage"]
    assert f"ledger head {project.ledger.head()}" in said


def test_a_run_that_failed_says_where_it_stands_and_what_to_do(
    file: Path, project: Project
) -> None:
    seatrial.run(file, ["checks.check_schema-2.expected_columns=[xx]"])
    page = _page(project)
    assert "Failed: evidence of harm. checks.check_schema-2: a: " in _said(page)
    assert page.count('aria-current="step"') == 1
    assert "later not reached" in _said(page)
    assert _anchors(page) == ["findings", "lineage"]
    assert "changed parameters checks.check_schema-2.expected_columns=[xx]" in _said(page)


def test_a_run_that_something_stopped(file: Path, project: Project, second_says: Says) -> None:
    def broken() -> Outcome:
        raise StoreError(f"the store {HOSTILE} is gone")

    second_says(broken)
    seatrial.run(file)
    assert '<p class="note">the store &lt;script&gt;' in _page(project)


def test_a_run_in_review_says_what_a_person_can_do(
    file: Path, project: Project, second_says: Says
) -> None:
    second_says(lambda: Outcome(verdict=Verdict.INCONCLUSIVE, reason="40 rows cannot say"))
    (asked,) = seatrial.run(file).asked
    said = _said(_page(project))
    assert "Inconclusive, in review: the data cannot say." in said
    assert f"to approve seatrial approve {asked.id} --reason '…'" in said


def test_each_gate_is_drawn_with_its_limit_and_the_narrowest_first(
    file: Path, project: Project, second_says: Says
) -> None:
    passed = Measure(name="wide", value=0.9, low=0.8, high=1.0, limit=0.1, verdict=Verdict.PASS)
    measures = (
        *(Measure(name=f"wide {i}", value=0.9, low=0.8, high=1.0, limit=0.1, verdict=Verdict.PASS)
          for i in range(9)),
        Measure(name=HOSTILE, value=0.9, low=0.88, high=1.0, limit=0.85, verdict=Verdict.PASS),
        Measure(name="told", value=0.5),
        Measure(name="counted", value=0, limit=0, direction=Direction.AT_MOST,
                verdict=Verdict.PASS),
        passed,
    )  # fmt: skip
    second_says(lambda: Outcome(verdict=Verdict.PASS, reason="good", measures=measures))
    seatrial.run(file)
    page = _page(project)
    gates = page[page.index('<section id="gates"') : page.index('<section id="lineage"')]
    assert gates.index("&lt;script&gt;") < gates.index("wide 0")
    said = _said(f"</style>{gates}")
    assert "0.9, limit ≥ 0.85" in said
    assert "5 more gates of checks.check_schema-2" in said
    assert "checks.check_schema-2: 1 gate without an interval, all passed" in said
    assert "1 measure that decided nothing" in said


def test_what_each_task_kept_is_drawn(file: Path, project: Project, second_says: Says) -> None:
    page = _kept(
        project,
        second_says,
        file,
        distribution=distribution(3),
        slices=slices("origin = JFK"),
        environments=environments("musl 1.2"),
        manifest=manifest(),
    )
    assert _anchors(page) == ["distribution", "slices", "environment", "card", "lineage"]
    assert page.count("<svg") >= 5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}" * 3,
        b'{"format": "seatrial.distribution", "version": 2}',
        b'{"version": 2, "slices": {}, "training": [], "machines": "none"}',
        b"[" * 20_000,
    ],
    ids=range(7),
)
def test_another_form_is_said_in_its_place(
    content: bytes, file: Path, project: Project, second_says: Says
) -> None:
    names = ("distribution", "slices", "environments", "manifest")
    said = _said(_kept(project, second_says, file, **dict.fromkeys(names, content)))
    assert said.count("cannot be shown: another release of seatrial kept them") == len(names)


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_blob_that_is_gone_is_said_in_its_place(
    damage: str, file: Path, project: Project, second_says: Says
) -> None:
    _kept(project, second_says, file, distribution=distribution(2), manifest=manifest())
    for _, blob in project.registry.blobs.all():
        blob.unlink() if damage == "gone" else blob.write_bytes(b"{}")
    said = _said(_page(project))
    why = "is missing" if damage == "gone" else "no longer matches its digest"
    assert (
        f"cannot be shown any more: a blob of 'distribution' of checks.check_schema-2 {why}" in said
    )
    assert "The manifest of its version cannot be shown any more" in said


@pytest.mark.parametrize("text", ["x", HOSTILE], ids=ascii)
def test_at_most_300_kilobytes_and_the_rest_is_counted(
    text: str, file: Path, project: Project, second_says: Says
) -> None:
    name = text * (400 // len(text))
    digest = project.registry.blobs.put(json.dumps(distribution(500, name)).encode())
    measures = tuple(
        Measure(name=f"{name}{i}", value=0.5, low=0.4, high=0.6, limit=0.1, verdict=Verdict.FAIL)
        for i in range(500)
    )
    findings = tuple(Finding(what=name, where=name, hint=f"{i}{name}") for i in range(500))
    outcome = Outcome(
        verdict=Verdict.FAIL,
        reason=name * 20,
        measures=measures,
        findings=findings,
        blobs={"distribution": digest},
    )
    second_says(lambda: outcome)
    seatrial.run(file)
    said = _said(_page(project))
    assert re.search(r"… and \d+ more", said)
    assert "more characters)" in said


def test_500_columns_are_all_told(file: Path, project: Project, second_says: Says) -> None:
    page = _kept(project, second_says, file, distribution=distribution(500))
    assert page.count("<svg") >= 50
    assert all(f">column_{i}<" in page for i in range(500))
