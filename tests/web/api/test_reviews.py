"""Questions over the API: with their evidence, answered once, and by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.tasks.conftest import _delivered, _fresh  # noqa: F401 - fixtures
from tests.web.pages.test_labelling import _made, labelling  # noqa: F401 - fixtures

from runs_at_hand import ask, begin
from seatrial.registry.tokens import Role

from .conftest import program

if TYPE_CHECKING:
    from tests.web.pages.conftest import Site
    from tests.web.pages.test_labelling import Labelling

    from .conftest import Program


def test_the_first_answer_counts(site: Site, robot: Program) -> None:
    begin(site.project, "R1")
    item = ask(site.project, "R1", "Train anew?")
    assert [each["id"] for each in robot.get("/reviews")] == [item.id]
    path = f"/reviews/{item.id.lower()}"
    robot.post(f"{path}/approve", {"reason": " "}, 400)
    said = robot.post(f"{path}/reject", {"reason": "no need"})
    assert (said["status"], said["by"], said["reason"]) == ("rejected", "robot", "no need")
    refused = robot.post(f"{path}/approve", {"reason": "but"}, 409)
    assert "rejected by robot" in refused["error"]
    assert robot.get("/reviews") == []
    whole = robot.get(path)
    assert [each["event"] for each in whole["history"]] == ["review_opened", "review_decided"]
    robot.get("/reviews/01X", 404)
    robot.post("/reviews/01X/approve", {"reason": "x"}, 404)


def test_all_that_was_asked_is_listed_page_by_page(site: Site, robot: Program) -> None:
    begin(site.project, "R1")
    asked = [ask(site.project, f"R{number}", "Train anew?").id for number in range(3)]
    first = robot.ask("GET", "/reviews?all=true&limit=2")
    assert [each["id"] for each in first.json()] == [asked[2], asked[1]]
    assert f"before={asked[1]}" in first.headers["link"]
    rest = robot.ask("GET", f"/reviews?all=true&limit=2&before={asked[1]}")
    assert [each["id"] for each in rest.json()] == [asked[0]]
    assert "link" not in rest.headers
    robot.get("/reviews?before=nobody", 404)


def test_what_labels_cannot_answer_says_so(site: Site, robot: Program) -> None:
    begin(site.project, "R1")
    path = f"/reviews/{ask(site.project, 'R1', 'Train anew?').id}/labels"
    robot.get(path, 409)
    robot.post(path, {"labels": []}, 409)
    program(site, Role.VIEWER, "eve").get(path, 403)


@pytest.mark.slow
def test_labels_settle_a_question_whoever_sends_them_twice(labelling: Labelling) -> None:  # noqa: F811
    robot = program(labelling.site)
    assert [each["kind"] for each in robot.fits("/evidence", "/evidence")] == ["watch"]
    assert robot.fits("/status", "/status")["watches"][0]["version"] == 2
    path = f"/reviews/{labelling.item.id}/labels"
    assert robot.get(path)["rows"] == []
    sheet = robot.post(path, {"labels": []})
    assert sheet == robot.fits("/reviews/{review}/labels", path)
    assert sheet["classes"] == [0, 1]
    first = sheet["rows"][0]
    truth = {"id": first["id"], "row": 0, "label": int(labelling.differing.truth[first["id"]])}
    assert "version" not in first["features"]
    refused = robot.post(
        path,
        {"labels": [{**truth, "id": "x"}, {**truth, "label": 7}, truth, {**truth, "label": None}]},
        409,
    )
    whats = [each["what"] for each in refused["mistakes"]]
    assert whats == ["it was not asked for", "7 is no class", *["two labels for one row"] * 2]
    assert robot.get(path) == sheet
    for _ in range(2):
        assert robot.post(path, {"labels": [truth]})["rows"][0] == sheet["rows"][1]
    other = program(labelling.site, name="other")
    before = other.post(path, {"labels": [{**truth, "label": 1 - truth["label"]}]}, 409)
    assert "robot has labelled it otherwise before" in before["error"]
    rest = [
        {"id": each["id"], "row": each["row"], "label": int(labelling.differing.truth[each["id"]])}
        for each in sheet["rows"][1:]
    ]
    settled = robot.post(path, {"labels": rest})
    assert settled["verdict"] == "pass"
    assert settled["follows"] == ["version 2 stays"]
    assert labelling.status() == "labelled"
    assert "needs no label any more" in robot.post(path, {"labels": rest}, 409)["error"]
