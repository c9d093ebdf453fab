"""Questions over the API: with their evidence, answered once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs_at_hand import ask, begin
from seatrial.registry.tokens import Role

from .conftest import program

if TYPE_CHECKING:
    from tests.web.pages.conftest import Site

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


def test_what_waits_for_a_run_that_is_not_here_is_not_answered_here(
    site: Site, robot: Program
) -> None:
    item = ask(site.project, "RGONE", "Train anew?")
    robot.get("/reviews")  # that the token is in use has been noted
    head = site.project.ledger.head()
    for choice in ("approve", "reject"):
        (mistake,) = robot.post(f"/reviews/{item.id}/{choice}", {"reason": "yes"}, 409)["mistakes"]
        assert "run RGONE" in mistake["what"]
        assert mistake["where"] == f"item {item.id}"
        assert "answer where that run is" in mistake["fix"]
    assert site.project.ledger.head() == head
