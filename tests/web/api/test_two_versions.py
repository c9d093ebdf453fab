"""Two versions over the API: side by side, and told apart by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.tasks.conftest import MODEL, _delivered, _fresh  # noqa: F401 - fixtures
from tests.web.pages.test_labelling import _made, labelling  # noqa: F401 - fixtures

from running import until
from seatrial.registry.tokens import Role

from .conftest import program

if TYPE_CHECKING:
    from tests.web.pages.conftest import Site
    from tests.web.pages.test_labelling import Labelling

    from .conftest import Program

PATH = f"/models/{MODEL}/compare"


def test_what_cannot_be_compared_says_so(site: Site, robot: Program) -> None:
    assert site.project.registry.versions()
    robot.get("/models/m/compare", 400)
    robot.get("/models/m/compare?first=1&second=m@2", 400)
    robot.get("/models/m/compare?first=9&second=1", 404)
    robot.get("/models/m/compare?first=2&second=1&margin=nan", 400)
    robot.get("/models/n/compare?first=1&second=2", 404)
    assert robot.get("/models/m/compare?first=1&second=2")["state"] == "none"


def test_who_only_looks_begins_no_comparison(site: Site) -> None:
    two = {"first": "1", "second": "2"}
    program(site, None).post("/models/m/compare", two, 401)
    viewer = program(site, Role.VIEWER, "vera")
    viewer.post("/models/m/compare", two, 403)
    assert viewer.get("/models/m/compare?first=1&second=2")["state"] == "none"


@pytest.mark.slow
def test_two_versions_are_compared_one_comparison_at_a_time(labelling: Labelling) -> None:  # noqa: F811
    robot = program(labelling.site)
    query = f"{PATH}?first=2&second=1&margin=0.5"
    two = {"first": "production", "second": "1", "margin": 0.5}
    assert robot.post(PATH, two)["state"] == "under way"
    assert robot.post(PATH, two)["state"] == "under way"  # sent again, it is the same one
    answer = robot.ask("POST", PATH, json={"first": "1", "second": "2"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    until(lambda: robot.get(query)["state"] != "under way", "both are compared", 60)
    told = robot.fits("/models/{model}/compare", query)
    assert told["state"] == "done", told["why"]
    found = told["comparison"]
    assert (found["first"]["version"], found["second"]["version"]) == (2, 1)
    assert found["verdict"] == "pass"
    assert found["disagreement"]["examples"]
    assert robot.get(f"{PATH}?first=2&second=1")["state"] == "none"
    datasets = robot.fits("/models/{model}/datasets", f"/models/{MODEL}/datasets")
    assert datasets["gone"] == 0
    machines = robot.fits("/models/{model}/environment", f"/models/{MODEL}/environment")
    assert machines["trouble"] == ""
    assert machines["machines"]["names"][1] == "this machine"


@pytest.mark.slow
def test_labels_settle_a_question_whoever_sends_them_twice(labelling: Labelling) -> None:  # noqa: F811
    robot = program(labelling.site)
    assert [each["kind"] for each in robot.fits("/evidence", "/evidence")] == ["watch"]
    assert robot.fits("/status", "/status")["watches"][0]["version"] == 2
    path = f"/reviews/{labelling.item.id}/labels"
    assert robot.get(path)["rows"] == []
    robot.get(path.replace("/labels", "/settled"), 404)
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
    viewer = program(labelling.site, Role.VIEWER, "vera")
    counted = viewer.fits("/reviews/{review}/settled", path.replace("/labels", "/settled"))
    assert (counted["verdict"], counted["version"], counted["against"]) == ("pass", 2, 1)
    assert counted["rows"][0]["by"] == "robot"
    assert counted["rows"][0]["label"] == truth["label"]
    assert {counted["rows"][0]["version"], counted["rows"][0]["against"]} == {0, 1}
    assert "needs no label any more" in robot.post(path, {"labels": rest}, 409)["error"]
