"""Models over the API: what serves, and moving production once, whoever asks how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.registry import brakes
from seatrial.registry.opened import digest_of
from seatrial.registry.tokens import Role

from .conftest import program

if TYPE_CHECKING:
    from tests.web.pages.conftest import Site

    from .conftest import Program

WHY = {"reason": "complaints from the gate"}


def _serves(site: Site) -> int:
    channel = site.project.registry.channel("m", "production")
    assert channel is not None
    return channel.version


def test_what_serves_is_told_with_what_a_change_may_expect(site: Site, robot: Program) -> None:
    told = robot.get("/models/m")
    assert told["production"]["version"] == 2
    assert told["can_go_back_to"] == [1]
    assert [each["version"] for each in robot.get("/models")] == [1, 2, 3]
    said = robot.post("/models/m/rollback", {**WHY, "expect": told["production"]["revision"]})
    assert (said["model"], said["version"]) == ("m", 1)
    assert "version 1 is in production (was: 2)" in said["said"]
    assert _serves(site) == 1
    last = robot.get("/models/m/history")[-1]
    assert (last["event"], last["by"], last["reason"]) == ("rollback", "robot", WHY["reason"])
    assert robot.get("/history")[-1] == last


def test_the_same_request_twice_moves_once(site: Site, robot: Program) -> None:
    seen = robot.get("/models/m")["production"]["revision"]
    asked = {**WHY, "expect": seen}
    robot.post("/models/m/rollback", asked)
    refused = robot.post("/models/m/rollback", asked, 409)
    assert "was moved since you looked" in refused["error"]
    named = {**WHY, "version": 1}
    assert "nothing was changed" in robot.post("/models/m/rollback", named)["said"]
    assert _serves(site) == 1
    assert len(robot.get("/models/m/history")) == 3
    assert robot.post("/models/m/rollback", WHY, 400)["mistakes"][0]["fix"]


def test_a_version_is_promoted_and_what_is_in_quarantine_only_on_demand(
    site: Site, robot: Program
) -> None:
    registry = site.project.registry
    digest = digest_of(registry, registry.version("m", 3))
    site.project.ledger.write(lambda t: brakes.quarantine(t, "m", 3, digest, "it did harm"))
    asked: dict[str, Any] = {"reason": "agreed", "version": 3}
    assert "in quarantine" in robot.post("/models/m/promote", asked, 409)["error"]
    assert robot.get("/models/m/versions/3")["quarantined"]["reason"] == "it did harm"
    robot.post("/models/m/promote", {**asked, "lift_quarantine": True})
    assert _serves(site) == 3


def test_what_cannot_be_moved_to_is_refused_and_nothing_moves(site: Site, robot: Program) -> None:
    head = site.project.ledger.head()
    for path, asked, status in (
        ("/models/m/rollback", {**WHY, "version": 3}, 409),
        ("/models/m/rollback", {**WHY, "version": 99}, 409),
        ("/models/m/promote", {**WHY, "version": 99}, 409),
        ("/models/n/rollback", {**WHY, "version": 1}, 404),
        ("/models/%00/promote", WHY, 404),
    ):
        robot.post(path, asked, status)
    assert robot.get("/models/M", 404)["mistakes"][0]["nearest"] == "m"
    for number in ("0", "x", "-1", "9" * 30, "%00"):
        robot.get(f"/models/m/versions/{number}", 404)
    assert site.project.ledger.head() == head


@pytest.mark.parametrize(
    ("sent", "status", "what", "where"),
    [
        (b'{"reason": "x", "verion": 1}', 400, "unknown field `verion`", "the body"),
        (b'{"reason": "x", "version": "1"}', 400, "Expected `int`", "the body, version"),
        (b'{"version": 1}', 400, "missing required field `reason`", "the body"),
        (b'{"reason": " \\n", "version": 1}', 400, "", "the body, reason"),
        (b'{"reason": "\\u0000x", "version": 1}', 400, "", "the body, reason"),
        (b'{"reason": "x", "version": 1e400}', 400, "", "the body"),
        (b'{"reason": "\xff", "version": 1}', 400, "", "the body"),
        (b"[" * 9999, 400, "", "the body"),
        (b"reason=x", 400, "the body is no JSON", "the body"),
        (b"", 400, "the body is no JSON", "the body"),
        (b'{"reason": "' + b"x" * (1 << 20) + b'"}', 413, "longer than", ""),
    ],
    ids=[f"body {number}" for number in range(11)],
)
def test_a_body_that_is_wrong_is_told_what_and_where(
    site: Site, robot: Program, sent: bytes, status: int, what: str, where: str
) -> None:
    more = {"Content-Type": "application/json"}
    answer = robot.ask("POST", "/models/m/rollback", content=sent, headers=more)
    assert answer.status_code == status, answer.text
    assert what in answer.json()["error"]
    assert answer.json()["mistakes"][0]["where"].startswith(where)
    assert _serves(site) == 2


def test_the_nearest_field_is_named_and_a_form_is_no_json(robot: Program) -> None:
    refused = robot.post("/models/m/rollback", {**WHY, "verion": 1}, 400)
    assert refused["mistakes"][0]["nearest"] == "version"
    form = robot.ask("POST", "/models/m/rollback", data={**WHY, "version": "1"})
    assert form.status_code == 415


def test_who_may_look_may_change_nothing(site: Site) -> None:
    asked = {**WHY, "version": 1}
    program(site, None).post("/models/m/rollback", asked, 401)
    program(site, Role.VIEWER).post("/models/m/rollback", asked, 403)
    assert program(site, None).get("/models/m")["production"]["version"] == 2
    refused = program(site, None).ask("DELETE", "/models/m")
    assert refused.status_code == 401
    refused = program(site, name="other").ask("DELETE", "/models/m")
    assert refused.status_code == 405
    assert sorted(refused.headers["allow"].split(", ")) == ["GET", "HEAD"]


def test_a_manifest_that_is_gone_is_told_in_its_place(site: Site, robot: Program) -> None:
    whole = robot.get("/models/m/versions/1")
    assert whole["manifest"]["name"] == "a"
    digest = whole["digest"].removeprefix("sha256:")
    for blob in (site.project.workspace.home / "blobs").rglob(f"*{digest[-20:]}*"):
        blob.unlink()
    told = robot.get("/models/m/versions/1")
    assert told["manifest"] is None
    assert told["trouble"]
    assert told["digest"] == whole["digest"]
