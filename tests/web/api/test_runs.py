"""Runs over the API: page by page, one with its report, and its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from runs_at_hand import HOSTILE, begin

if TYPE_CHECKING:
    from tests.web.pages.conftest import Site

    from .conftest import Program


def test_runs_are_listed_page_by_page(site: Site, robot: Program) -> None:
    for number in range(7):
        begin(site.project, f"R{number}", f"p{number % 2}", model=f"m{number}")
    seen, path = [], "/runs?limit=3"
    while path:
        answer = robot.ask("GET", path)
        assert answer.status_code == 200, answer.text
        seen += [each["run"] for each in answer.json()]
        link = re.fullmatch('</api/v1(.*)>; rel="next"', answer.headers.get("link", "</api/v1>"))
        path = link[1] if link else ""
    assert seen == [f"R{number}" for number in reversed(range(7))]
    assert [each["run"] for each in robot.get("/runs?pipeline=p1&limit=2")] == ["R5", "R3"]
    assert robot.get("/runs?stands=pass") == []
    robot.get("/runs?before=R9", 404)


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("stands=inconclusiv", "inconclusive"),
        ("stand=pass", "stands"),
        ("limit=0", ""),
        ("pipeline=", ""),
        ("limit=x", ""),
        ("limit=1&limit=2", ""),
        ("before=%00", ""),
        ("pipeline=%00", ""),
    ],
)
def test_a_query_that_is_wrong_is_told_so(robot: Program, query: str, near: str) -> None:
    assert robot.get(f"/runs?{query}", 400)["mistakes"][0]["nearest"] == near


def test_a_run_has_its_report_in_the_form_that_is_liked(site: Site, robot: Program) -> None:
    begin(site.project, "R1", HOSTILE)
    told = robot.get("/runs/r1")
    assert told["pipeline"] == HOSTILE
    assert robot.get("/runs/R1/report") == told
    for accept, query, kind in (
        ("text/html", "", "text/html"),
        ("text/html, text/markdown;q=0.5", "", "text/html"),
        ("text/html;q=0.1, text/*", "", "text/markdown"),
        ("*/*", "", "application/json"),
        ("", "", "application/json"),
        ("text/html", "?form=xml", "application/xml"),
    ):
        answer = robot.ask("GET", f"/runs/R1/report{query}", headers={"Accept": accept})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == kind, accept
        assert ("content-disposition" in answer.headers) == (kind == "text/html")
    robot.get("/runs/R1/report", 406, headers={"Accept": "image/png"})
    robot.get("/runs/R1/report?form=pdf", 400)


def test_a_run_is_ended_once_with_a_reason(site: Site, robot: Program) -> None:
    begin(site.project, "R1")
    robot.post("/runs/R1/cancel", {}, 400)
    told = robot.post("/runs/R1/cancel", {"reason": "the data is  wrong"})
    assert told["state"] == "finished"
    assert told["errors"] == ["cancelled by robot: the data is wrong"]
    assert "has ended already" in robot.post("/runs/R1/cancel", {"reason": "x"}, 409)["error"]
    robot.post("/runs/R2/cancel", {"reason": "x"}, 404)
    robot.get("/runs/R2", 404)
