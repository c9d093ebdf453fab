"""Promotion by hand: told before it is done, once; out of quarantine by a box of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from seatrial.registry import brakes
from seatrial.registry.opened import digest_of
from seatrial.registry.tokens import Role
from seatrial.review.by_hand import PROMOTE, move_by_hand

if TYPE_CHECKING:
    from visiting import Browser

    from .conftest import Site

WORDS = '<b>"agreed" & signed</b>'


def _form(browser: Browser, to: int = 3) -> dict[str, str]:
    """What the page of the promotion would send."""
    page = browser.get(f"/models/m/promote?to={to}")
    assert page.status_code == 200, page.text
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {"reason": "agreed with operations", **dict(found)}


def _serves(site: Site) -> int:
    channel = site.project.registry.channel("m", "production")
    assert channel is not None
    return channel.version


def test_it_is_told_before_done_and_recorded_with_name_and_reason(site: Site) -> None:
    grace = site.person("grace")
    assert "Promote …" in grace.get("/models/m").text
    head = site.project.ledger.head()
    form = _form(grace)
    assert site.project.ledger.head() == head  # looking changes nothing
    answer = grace.post("/models/m/promote", {**form, "reason": WORDS})
    assert (answer.status_code, answer.headers["location"]) == (303, "/models/m")
    last = site.project.registry.history("m")[-1]
    assert (last["event"], last["version"], last["by"]) == ("promote", 3, "grace")
    assert last["reason"] == WORDS
    page = grace.get("/models/m").text
    assert "m version 3 is in production (was: 2)" in page
    assert "<b>" not in page


def test_a_form_sent_twice_or_out_of_date_moves_nothing(site: Site) -> None:
    grace = site.person("grace")
    form = _form(grace)
    grace.post("/models/m/promote", form)
    assert grace.post("/models/m/promote", form).status_code == 303
    assert "Version 3 is in production since" in grace.get("/models/m").text
    move_by_hand(site.project, "m", 1, PROMOTE, "meanwhile", by="ada")
    grace.post("/models/m/promote", form)
    assert _serves(site) == 1
    assert grace.get("/models/m/promote?to=1").status_code == 409  # it serves
    assert grace.get("/models/m/promote?to=9").status_code == 409


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": " \n "}, "A reason is needed"),
        ({"to": "x"}, "does not say what to promote"),
        ({"expect": ""}, "does not say what to promote"),
    ],
)
def test_a_form_that_is_not_whole(changed: dict[str, str], said: str, site: Site) -> None:
    grace = site.person("grace")
    answer = grace.post("/models/m/promote", {**_form(grace), **changed})
    assert (answer.status_code, _serves(site)) == (400, 2)
    assert said in answer.text


def test_a_quarantine_is_lifted_only_by_its_own_box(site: Site) -> None:
    grace = site.person("grace")
    digest = digest_of(site.project.registry, site.project.registry.version("m", 3))
    site.project.ledger.write(lambda t: brakes.quarantine(t, "m", 3, digest, WORDS))
    assert "(in quarantine)" in grace.get("/models/m").text
    form = _form(grace)
    assert 'type="checkbox"' in grace.get("/models/m/promote?to=3").text
    answer = grace.post("/models/m/promote", form)
    assert (answer.status_code, _serves(site)) == (400, 2)
    assert "tick the box" in answer.text
    assert "agreed with operations" in answer.text  # what was typed is not lost
    assert "<b>" not in answer.text
    assert grace.post("/models/m/promote", {**form, "lift": "1"}).status_code == 303
    assert _serves(site) == 3
    assert brakes.quarantined(site.project.ledger, "m", digest) is None


def test_only_an_operator_promotes(site: Site) -> None:
    viewer, visitor = site.person("vera", Role.VIEWER), site.visitor()
    assert "Promote …" not in viewer.get("/models/m").text
    assert viewer.get("/models/m/promote?to=3").status_code == 403
    assert visitor.get("/models/m/promote?to=3").status_code == 303
    form = {"to": "3", "expect": "2", "reason": "mine", "csrf": viewer.word("/models")}
    assert viewer.post("/models/m/promote", form).status_code == 403
    assert _serves(site) == 2
