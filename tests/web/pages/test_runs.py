"""Runs: all of them page by page, one with its report, and its end by hand."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from runs_at_hand import HOSTILE, ask, begin, say
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.outcome import Outcome, Verdict
from seatrial.registry.tokens import Role

if TYPE_CHECKING:
    from visiting import Browser

    from .conftest import Site


def _ids(text: str) -> list[str]:
    return re.findall(r'<td><a href="/runs/([^"]+)"', text)


def test_runs_are_shown_page_by_page(site: Site) -> None:
    for number in range(120):
        begin(site.project, f"R{number:03}", f"p{number % 2}")
    browser, seen, path = site.visitor(), [], "/runs"
    for _ in range(3):
        page = browser.get(path)
        assert page.status_code == 200
        seen += _ids(page.text)
        older = re.search(r'rel="next" href="([^"]+)"', page.text)
        path = html.unescape(older[1]) if older else ""
    assert path == ""
    assert seen == [f"R{number:03}" for number in reversed(range(120))]
    assert 'href="/runs">Newest' in page.text


def test_runs_are_filtered(site: Site) -> None:
    begin(site.project, "R1", HOSTILE)
    begin(site.project, "R2", "p")
    begin(site.project, "R3", "p")  # supersedes the one before
    runs.end(site.project.ledger, "R3", State.FINISHED, Verdict.FAIL, 2)
    browser = site.visitor()
    every = browser.get("/runs").text
    assert _ids(every) == ["R3", "R2", "R1"]
    assert "<b>" not in every
    assert "\u202e" not in re.sub('value="[^"]*"', "", every)
    for asked, found in (
        (f"pipeline={quote(HOSTILE)}", ["R1"]),
        ("pipeline=p", ["R3", "R2"]),
        ("stands=fail", ["R3"]),
        ("stands=superseded&pipeline=p", ["R2"]),
        ("stands=running", ["R1"]),
        ("pipeline=nobody", []),
        ("before=R2", ["R1"]),
    ):
        assert _ids(browser.get(f"/runs?{asked}").text) == found
    assert "No run is like that" in browser.get("/runs?pipeline=nobody").text
    assert browser.get("/runs?stands=finished").status_code == 400
    assert browser.get("/runs?before=R9").status_code == 400


def test_nothing_has_run(site: Site) -> None:
    assert "<code>seatrial run pipeline.yaml</code>" in site.visitor().get("/runs").text


def test_a_run_is_shown_with_what_decided(site: Site) -> None:
    begin(site.project, "R1", HOSTILE)
    say(site.project, "R1", Outcome(verdict=Verdict.FAIL, reason=f"because {HOSTILE}"))
    runs.end(site.project.ledger, "R1", State.FINISHED, Verdict.FAIL, 2)
    page = site.visitor().get("/runs/R1")
    assert page.status_code == 200
    assert "Failed: evidence of harm. a.one: because &lt;b&gt;" in page.text
    assert "Production stayed at version 2" in page.text
    assert "<b>" not in page.text
    assert "\u202e" not in page.text
    assert "hx-get" not in page.text  # nothing changes any more
    assert "Cancel" not in page.text


def test_a_run_under_way_is_looked_at_until_it_ends(site: Site) -> None:
    begin(site.project, "R1")
    browser = site.visitor()
    page = browser.get("/runs/R1")
    assert 'hx-get="/runs/R1/live"' in page.text
    answer = browser.get("/runs/R1/live")
    assert "<html" not in answer.text
    assert "under way" in answer.text
    assert "hx-refresh" not in answer.headers
    runs.end(site.project.ledger, "R1", State.FINISHED, Verdict.PASS, 2)
    assert browser.get("/runs/R1/live").headers["hx-refresh"] == "true"


def test_a_run_leads_to_what_is_asked_about_it(site: Site) -> None:
    begin(site.project, "R1")
    item = ask(site.project, "R1", HOSTILE)
    page = site.visitor().get("/runs/R1").text
    assert "Waits for a person: &lt;b&gt;" in page
    assert f'href="/reviews/{item.id}"' in page
    assert "<b>" not in page


def test_the_beginning_of_an_id_will_do(site: Site) -> None:
    for identity in ("01ABC", "01ABD"):
        begin(site.project, identity, identity)
    browser = site.visitor()
    assert "<code>01ABC</code> began" in browser.get("/runs/01abc").text
    several = browser.get("/runs/01AB")
    assert several.status_code == 404
    assert "More than one run begins with" in several.text
    assert _ids(several.text) == ["01ABC", "01ABD"]
    unknown = browser.get(f"/runs/{quote(HOSTILE.replace('/', ''))}")
    assert unknown.status_code == 404
    assert _ids(unknown.text) == ["01ABD", "01ABC"]
    assert "<b>" not in unknown.text
    for path in ("/runs/%2e%2e%2f%2e%2e", "/runs/..%2f..%2fetc", "/runs/%00"):
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    ("ending", "kind", "begins"),
    [
        ("html", "text/html", "<!doctype html>"),
        ("md", "text/markdown", "#"),
        ("xml", "application/xml", "<?xml"),
        ("json", "application/json", "{"),
    ],
)
def test_its_report_is_a_file(site: Site, ending: str, kind: str, begins: str) -> None:
    begin(site.project, "R1")
    answer = site.visitor().get(f"/runs/R1/report.{ending}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-disposition"] == f'attachment; filename="run-R1.{ending}"'
    assert answer.text.startswith(begins)
    if ending == "json":
        assert json.loads(answer.text)["run"] == "R1"


def test_there_are_no_other_reports(site: Site) -> None:
    begin(site.project, "R1")
    browser = site.visitor()
    for path in ("/runs/R1/report.pdf", "/runs/R2/report.html", "/runs/R1/report.%2e%2e"):
        assert browser.get(path).status_code == 404


def _cancel(browser: Browser, reason: str) -> Any:
    fields = {"csrf": browser.word("/runs/R1"), "reason": reason}
    return browser.post("/runs/R1/cancel", fields)


def test_an_operator_ends_a_run_once(site: Site) -> None:
    begin(site.project, "R1")
    grace, ada = site.person("grace"), site.person("ada")
    word = ada.word("/runs/R1")
    assert _cancel(grace, " ").status_code == 400
    assert runs.get(site.project.ledger, "R1").ended is None
    answer = _cancel(grace, HOSTILE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/R1")
    ended = runs.get(site.project.ledger, "R1")
    assert (ended.state, ended.production_after) == (State.CANCELLED, 2)
    assert ended.errors == (f"cancelled by grace: {HOSTILE}",)
    page = grace.get("/runs/R1").text
    assert "production stays as it is" in page
    assert "cancelled by grace: &lt;b&gt;" in page
    second = ada.post("/runs/R1/cancel", {"csrf": word, "reason": "me too"})
    assert second.status_code == 303
    assert "run R1 has ended already (cancelled)" in ada.get("/runs/R1").text


def test_only_an_operator_ends_a_run(site: Site) -> None:
    begin(site.project, "R1")
    vera = site.person("vera", Role.VIEWER)
    page = vera.get("/runs/R1").text
    assert "To cancel it" in page
    assert 'action="/runs/R1/cancel"' not in page
    word = vera.word("/login")
    answer = vera.post("/runs/R1/cancel", {"csrf": word, "reason": "r"})
    assert answer.status_code == 403
    assert site.visitor().post("/runs/R1/cancel", {"reason": "r"}).status_code in {303, 401, 403}
    assert runs.get(site.project.ledger, "R1").ended is None
