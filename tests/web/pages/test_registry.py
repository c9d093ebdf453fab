"""The registry: what serves, what served, and going back by hand, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from seatrial.registry import brakes
from seatrial.registry.opened import digest_of
from seatrial.registry.registry import Move
from seatrial.registry.tokens import Role
from seatrial.review.by_hand import PROMOTE, move_by_hand

if TYPE_CHECKING:
    from visiting import Browser

    from .conftest import Site

WORDS = '<b>"it\'s" & worse</b>'


def _form(browser: Browser, path: str = "/models/m/rollback") -> dict[str, str]:
    """What the page of the rollback would send."""
    page = browser.get(path)
    assert page.status_code == 200, page.text
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {"reason": "complaints from the gate", **dict(found)}


def _serves(site: Site) -> int:
    channel = site.project.registry.channel("m", "production")
    assert channel is not None
    return channel.version


def test_it_shows_what_serves_since_when_why_and_by_whom(site: Site) -> None:
    visitor = site.visitor()
    assert 'href="/models/m"' in visitor.get("/models").text
    page = visitor.get("/models/m")
    assert page.status_code == 200
    text = re.sub(r"<[^>]+>", " ", page.text)
    assert re.search(r"version 2\s+since [\d-]+ [\d:]+ UTC: better\s+by\s+ada\s+\(promote\)", text)
    assert "served before" in text
    assert "log in" in text
    assert "Roll back …" not in text


def test_an_unknown_model_is_not_found(site: Site) -> None:
    answer = site.visitor().get("/models/nobody")
    assert answer.status_code == 404
    assert "there is no model &#39;nobody&#39;" in answer.text


def test_going_back_is_told_before_done_and_recorded_with_name_and_reason(site: Site) -> None:
    grace = site.person("grace")
    form = _form(grace)
    assert form["to"] == "1"  # the one before
    head = site.project.ledger.head()
    assert "Your name, <bdi>grace</bdi>" in grace.get("/models/m/rollback?to=1").text
    assert site.project.ledger.head() == head  # looking changes nothing
    answer = grace.post("/models/m/rollback", {**form, "reason": WORDS})
    assert (answer.status_code, answer.headers["location"]) == (303, "/models/m")
    last = site.project.registry.history("m")[-1]
    assert (last["event"], last["version"], last["by"]) == ("rollback", 1, "grace")
    assert last["reason"] == WORDS
    page = grace.get("/models/m").text
    assert "m version 1 is in production (was: 2)" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_what_was_itself_rolled_back_says_so_where_it_is_offered(site: Site) -> None:
    grace = site.person("grace")
    told = "was itself rolled back"
    for path in ("/models/m", "/models/m/rollback?to=1"):
        assert told not in grace.get(path).text
    grace.post("/models/m/rollback", {**_form(grace), "reason": WORDS})
    for path in ("/models/m", "/models/m/rollback?to=2"):
        page = grace.get(path).text
        assert f"Version 2 {told} on 20" in page
        assert "by <bdi>grace</bdi>: &lt;b&gt;" in page
    assert "(the one before) (was rolled back)" in grace.get("/models/m").text


def test_a_form_that_is_sent_twice_moves_once(site: Site) -> None:
    grace = site.person("grace")
    form = _form(grace)
    grace.post("/models/m/rollback", form)
    again = grace.post("/models/m/rollback", form)
    assert again.status_code == 303
    assert "Version 1 is in production since" in grace.get("/models/m").text
    assert len(site.project.registry.history("m")) == 3


def test_a_page_that_is_out_of_date_moves_nothing(site: Site) -> None:
    grace = site.person("grace")
    form = _form(grace)
    move_by_hand(site.project, "m", 3, PROMOTE, "meanwhile", by="ada")
    assert grace.post("/models/m/rollback", form).status_code == 303
    assert "Nothing was changed: production of m was moved since you looked" in grace.get(
        "/models/m"
    ).text.replace("&#39;", "'")
    assert _serves(site) == 3


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"reason": " \n "}, 400, "A reason is needed"),
        ({"to": "3"}, 400, "was never in production"),
        ({"to": "x"}, 400, "does not say what to go back to"),
        ({"expect": ""}, 400, "does not say what to go back to"),
    ],
)
def test_a_form_that_is_not_whole(
    changed: dict[str, str], status: int, said: str, site: Site
) -> None:
    grace = site.person("grace")
    answer = grace.post("/models/m/rollback", {**_form(grace), **changed})
    assert answer.status_code == status
    assert said in answer.text
    assert _serves(site) == 2


def test_what_is_in_quarantine_is_shown_and_not_offered(site: Site) -> None:
    grace = site.person("grace")
    form = _form(grace)
    digest = digest_of(site.project.registry, site.project.registry.version("m", 1))
    site.project.ledger.write(lambda t: brakes.quarantine(t, "m", 1, digest, WORDS))
    site.project.ledger.write(lambda t: brakes.freeze(t, "m", "a storm"))
    page = grace.get("/models/m").text
    assert "quarantined" in page
    assert "Nothing moves this model by itself since" in page
    assert "There is no earlier version to go back to" in page
    assert grace.get("/models/m/rollback?to=1").status_code == 409
    assert grace.post("/models/m/rollback", form).status_code == 409
    assert _serves(site) == 2


def test_nothing_in_quarantine_is_offered_first_for_a_promotion(site: Site) -> None:
    grace = site.person("grace")
    registry, ledger = site.project.registry, site.project.ledger
    now = registry.channel("m", "staging")
    move = Move(
        model="m", channel="staging", version=3, expect=now.revision if now else 0,
        event="stage", by="t", reason="r",
    )  # fmt: skip
    registry.move(move)
    assert '<option value="3" selected>version 3 (staged)' in grace.get("/models/m").text
    digest = digest_of(registry, registry.version("m", 3))
    ledger.write(lambda t: brakes.quarantine(t, "m", 3, digest, WORDS))
    page = grace.get("/models/m").text
    assert '<option value="" selected>choose a version' in page
    assert '<option value="3">version 3 (staged) (in quarantine)' in page


def test_damaged_files_are_not_moved_to(site: Site) -> None:
    grace = site.person("grace")
    form = _form(grace)
    registry = site.project.registry
    digest = digest_of(registry, registry.version("m", 1)).removeprefix("sha256:")
    (blob,) = [
        each for each in site.project.workspace.home.rglob(f"*{digest[4:]}") if each.is_file()
    ]
    blob.chmod(0o600)
    blob.write_bytes(b"other")
    answer = grace.post("/models/m/rollback", form)
    assert answer.status_code == 409
    assert "complaints from the gate" in answer.text  # what was typed is not lost
    assert _serves(site) == 2


def test_only_an_operator_moves_anything(site: Site) -> None:
    viewer, visitor = site.person("vera", Role.VIEWER), site.visitor()
    assert viewer.get("/models/m/rollback").status_code == 403
    asked = visitor.get("/models/m/rollback")
    assert (asked.status_code, asked.headers["location"]) == (
        303,
        "/login?next=%2Fmodels%2Fm%2Frollback",
    )
    form = {"to": "1", "expect": "2", "reason": "mine", "csrf": viewer.word("/models")}
    assert viewer.post("/models/m/rollback", form).status_code == 403
    assert visitor.post("/models/m/rollback", form).status_code == 401
    assert _serves(site) == 2


def test_the_history_is_filtered_and_paged(site: Site) -> None:
    for number in range(60):
        move_by_hand(site.project, "m", 1 + number % 2, PROMOTE, f"turn {number}", by="bot")
    visitor = site.visitor()
    page = visitor.get("/models/m").text
    assert "page 1 of 2 (62 in all)" in page
    assert "turn 59" in page
    assert "turn 3<" not in page
    assert "turn 3<" in visitor.get("/models/m?page=2").text
    assert "turn 3<" in visitor.get("/models/m?page=99999").text
    assert "first" in visitor.get("/models/m?words=ADA").text
    assert "turn 58" not in visitor.get("/models/m?words=ada").text
    nothing = visitor.get(f"/models/m?event=rollback&words={WORDS}").text
    assert "Who was in production when, and why: nothing." in nothing
    assert "<b>" not in nothing
