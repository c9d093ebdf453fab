"""The queue: what is asked, with its evidence, and answers of which the first counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.registry import brakes, watches
from seatrial.registry.policy import Policy
from seatrial.registry.registry import Move
from seatrial.registry.rules import Rules
from seatrial.registry.tokens import Role
from seatrial.registry.trails import Evidence
from seatrial.review import items
from seatrial.review.items import Question

if TYPE_CHECKING:
    from seatrial.review.items import Item

    from .conftest import Site

WORDS = '<i>"it\'s" & worse</i> \u202eevil'
MEASURE = {
    "name": "accuracy<script>",
    "value": 0.91,
    "low": 0.88,
    "high": 0.94,
    "limit": 0.92,
    "direction": "at_least",
    "n": 400,
    "verdict": "inconclusive",
}


def _question(**said: Any) -> Question:
    asking: dict[str, Any] = {
        "kind": "retrain",
        "subject": "m version 2",
        "model": "m",
        "version": 2,
        "run": None,
        "step": None,
        "by": None,
        "question": f"Both got worse. Train a new one? {WORDS}",
        "recommended": "approve",
        "options": ("approve", "reject"),
        "evidence": {"measures": [MEASURE], "loss": 0.3, "why": WORDS},
        "resolves": "newer rows",
        "hours": 10.0,
        "on_timeout": "keep",
    }
    return Question(**{**asking, **said})


def _ask(site: Site, **said: Any) -> Item:
    return site.project.ledger.write(lambda t: items.ask(t, _question(**said)))


def _item(site: Site, item: Item) -> Item:
    return items.get(site.project.ledger, item.id)


def _answer(choice: str = "approve", reason: str = "looked at 30 rows") -> dict[str, str]:
    return {"choice": choice, "reason": reason}


def test_the_queue_shows_what_waits_and_what_was_decided(site: Site) -> None:
    visitor = site.visitor()
    assert "Nobody is asked anything" in visitor.get("/reviews").text
    item = _ask(site)
    queue = visitor.get("/reviews").text
    assert f'href="/reviews/{item.id}"' in queue
    assert "9 h 59 min" in queue
    items.decide(site.project.ledger, item.id, "reject", "ada", "no need")
    assert "Nobody is asked anything" in visitor.get("/reviews").text
    everything = visitor.get("/reviews?all=1").text
    assert all(word in everything for word in ("rejected", "ada", "no need"))


def test_everything_that_was_ever_asked_comes_page_by_page(site: Site) -> None:
    questions = [_question(subject=f"s{number:03}.") for number in range(120)]
    site.project.ledger.write(lambda t: [items.ask(t, each) for each in questions])
    visitor, seen = site.visitor(), []
    for number, rows in ((1, 50), (2, 50), (3, 20), (99, 20)):
        shown = visitor.get(f"/reviews?all=1&page={number}").text
        assert f"page {min(number, 3)} of 3 (120 in all)" in shown
        found = re.findall(r"s\d{3}\.", shown)
        assert len(found) == rows
        seen += found if number < 99 else []
    assert sorted(seen) == [each.subject for each in questions]
    assert len(re.findall(r"s\d{3}\.", visitor.get("/reviews?page=3").text)) == 20


def test_a_question_shows_what_it_rests_on_and_quotes_what_others_wrote(site: Site) -> None:
    item = _ask(site)
    page = site.visitor().get(f"/reviews/{item.id[:20].lower()}")
    assert page.status_code == 200
    assert page.text.count("<svg") >= 1
    assert 'class="chart forest"' in page.text
    assert "accuracy&lt;script&gt;" in page.text
    assert "<i>" not in page.text
    assert "<script>" not in page.text
    assert "\u202e" not in page.text
    assert "log in" in page.text
    assert "<textarea" not in page.text


@pytest.mark.parametrize(
    ("said", "short"),
    [
        ({}, "Shall the model be trained anew? m, version 2"),
        ({"kind": "gate_inconclusive", "step": "a.one"}, "May a.one pass? m, version 2"),
        ({"options": ("reject",), "step": "a.one"}, "Shall the run end at a.one? m, version 2"),
        ({"kind": "drift", "version": None}, "May it go on although its requests have moved? m"),
        ({"kind": "storm_freeze", "model": None}, "May it be promoted by itself again?"),
    ],
)
def test_its_heading_is_short_and_the_whole_question_stands_below(
    site: Site, said: dict[str, Any], short: str
) -> None:
    page = site.visitor().get(f"/reviews/{_ask(site, **said).id}").text
    heading = re.search(r"<h1>(.*?) <span", page)
    assert heading is not None
    assert heading[1] == short
    assert f"<title>{short}" in page
    assert '<p class="lead">Both got worse. Train a new one?' in page


def test_what_a_watch_asks_is_drawn_as_it_stands(site: Site) -> None:
    signature = {
        "inputs": [{"name": "x", "datatype": "FP32"}], "problem": "classes", "classes": [0, 1],
    }  # fmt: skip
    policy = Policy(degradation_margin=0.05, metric="accuracy")
    registry, ledger = site.project.registry, site.project.ledger
    for version in (1, 2):
        registry.register(
            "w", {"files": {}, "signature": signature, "n": version}, label="l", run="R", by="t"
        )
        move = Move(
            model="w", channel="production", version=version, expect=version - 1,
            event="promote", by="t", reason="r",
        )  # fmt: skip
        registry.move(move, policy.to_json())
    watch = watches.current(ledger, "w")
    assert watch is not None
    about = {"watch": watch.id, "model": "w", "version": 2, "against": 1}
    item = _ask(
        site, kind="watch_inconclusive", model="w", subject="w version 2",
        evidence={**about, "since": "2026-11-23T11:19:45.920795+00:00"},
    )  # fmt: skip
    path, visitor = f"/reviews/{item.id}", site.visitor()
    assert "No label has reached the watch." in visitor.get(path).text
    seen = Evidence.empty(Rules.of(policy, 2))
    assert seen.quality is not None
    seen.quality.add(np.repeat([0.0, 1.0], [190, 10]), 0)
    ledger.write(lambda t: watches.save(t, watch.id, "a", {"evidence": seen.to_json()}))
    page = visitor.get(path).text
    assert 'class="chart forest"' in page
    assert "of 200 labelled requests, as it stood now" in page
    assert "degradation.accuracy" in page
    assert "≤ 0.05" in page
    assert "2026-11-23 11:19 UTC" in re.sub(r"</?time>", "", page)
    assert ":45.92" not in page
    ledger.write(lambda t: watches.save(t, watch.id, "a", {"evidence": {"quality": 3}}))
    assert "kept by another release" in visitor.get(path).text


def test_each_answer_says_what_it_means_and_so_does_silence(site: Site) -> None:
    item = _ask(site, kind="retrain")
    page = site.person("grace").get(f"/reviews/{item.id}").text
    for said in ("<dt>Approve</dt><dd>it shall be trained anew", "begins no run",
                 "<dt>no answer</dt><dd>what serves goes on serving"):  # fmt: skip
        assert said in page
    assert ": keep" not in page
    gate = _ask(site, kind="gate_inconclusive", run="R9", step="a.one", on_timeout="reject")
    page = site.person("ada").get(f"/reviews/{gate.id}").text
    for said in (
        "<dd>the step counts as passed, in your name",
        "<dt>no answer</dt><dd>the run ends",
    ):
        assert said in page


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_what_waits_for_a_run_that_is_not_here_is_not_answered_here(
    site: Site, choice: str
) -> None:
    grace, item = site.person("grace"), _ask(site, run="RGONE", step="a.one")
    path = f"/reviews/{item.id}"
    head, word = site.project.ledger.head(), grace.word(path)
    refused = grace.post(f"{path}/decide", {**_answer(choice), "csrf": word})
    assert refused.status_code == 409
    for told in ("run RGONE", "is not in this ledger", "answer where that run is", "30 rows"):
        assert told in refused.text
    assert site.project.ledger.head() == head
    assert _item(site, item).status == "open"


def test_an_operator_decides_with_a_reason_in_their_name(site: Site) -> None:
    grace, item = site.person("grace"), _ask(site)
    path = f"/reviews/{item.id}"
    word = {"csrf": grace.word(path)}
    assert grace.post(f"{path}/decide", {**_answer(reason=" "), **word}).status_code == 400
    assert grace.post(f"{path}/decide", {**_answer("postpone"), **word}).status_code == 400
    done = grace.post(f"{path}/decide", {**_answer(), **word})
    assert (done.status_code, done.headers["location"]) == (303, path)
    now = _item(site, item)
    assert (now.status, now.by, now.reason) == ("approved", "grace", "looked at 30 rows")
    page = grace.get(path).text
    assert "You approved it." in page
    assert "You approved it. " in page
    assert " That is kept and told, and moves nothing" in page
    assert "<textarea" not in page


def test_of_two_reviewers_the_second_is_told_who_decided_what(site: Site) -> None:
    grace, ada, item = site.person("grace"), site.person("ada"), _ask(site)
    path = f"/reviews/{item.id}"
    hers, his = grace.word(path), ada.word(path)
    grace.post(f"{path}/decide", {**_answer("reject", "not yet"), "csrf": hers})
    second = ada.post(f"{path}/decide", {**_answer(), "csrf": his})
    assert second.status_code == 303
    page = ada.get(path).text
    assert "grace has decided already: rejected by grace on" in page
    assert "not yet. Your answer was not taken." in page
    assert _item(site, item).status == "rejected"
    grace.post(f"{path}/decide", {**_answer("reject", "not yet"), "csrf": hers})
    assert "You have decided already" in grace.get(path).text


def test_what_new_evidence_has_settled_needs_no_answer(site: Site) -> None:
    grace, item = site.person("grace"), _ask(site)
    path = f"/reviews/{item.id}"
    word = grace.word(path)
    site.project.ledger.write(lambda t: items.close(t, item.kind, item.subject, "new rows came"))
    grace.post(f"{path}/decide", {**_answer(), "csrf": word})
    assert "It needs no answer any more" in grace.get(path).text


def test_four_eyes_hold_on_the_page_too(site: Site) -> None:
    grace, item = site.person("grace"), _ask(site, four_eyes=True, by="grace")
    path = f"/reviews/{item.id}"
    page = grace.get(path).text
    assert "somebody else has to approve it" in page
    assert re.search(r'value="approve" class="primary" disabled', page)
    refused = grace.post(f"{path}/decide", {**_answer(), "csrf": grace.word(path)})
    assert refused.status_code == 409
    assert "cannot approve it" in refused.text
    assert "looked at 30 rows" in refused.text
    ada = site.person("ada")
    assert ada.post(f"{path}/decide", {**_answer(), "csrf": ada.word(path)}).status_code == 303
    assert _item(site, item).by == "ada"


def test_what_follows_is_done(site: Site) -> None:
    site.project.ledger.write(lambda t: brakes.freeze(t, "m", "a storm"))
    grace, item = site.person("grace"), _ask(site, kind="storm_freeze", subject="m")
    path = f"/reviews/{item.id}"
    grace.post(f"{path}/decide", {**_answer(), "csrf": grace.word(path)})
    assert brakes.frozen(site.project.ledger, "m") is None


@pytest.mark.parametrize("identity", ["01XYZ", "%3Cb%3E", "..%2F..%2Fetc"])
def test_what_was_never_asked_is_not_found(identity: str, site: Site) -> None:
    answer = site.visitor().get(f"/reviews/{identity}")
    assert answer.status_code == 404
    assert "<b>" not in answer.text


def test_only_an_operator_decides(site: Site) -> None:
    item, vera, visitor = _ask(site), site.person("vera", Role.VIEWER), site.visitor()
    path = f"/reviews/{item.id}"
    form = {**_answer(), "csrf": vera.word(path)}
    assert vera.post(f"{path}/decide", form).status_code == 403
    assert visitor.post(f"{path}/decide", form).status_code == 401
    assert _item(site, item).status == "open"


def test_who_is_logged_out_meanwhile_keeps_what_they_wrote_and_finds_back(site: Site) -> None:
    grace, item = site.person("grace"), _ask(site)
    path = f"/reviews/{item.id}"
    form = {**_answer(reason=f"seen <b>30</b> rows {WORDS}"), "csrf": grace.word(path)}
    grace.post("/logout", {"csrf": form["csrf"]})
    head, here = site.project.ledger.head(), {"Referer": f"{grace.base}{path}"}
    refused = grace.post(f"{path}/decide", form, headers=here)
    assert refused.status_code == 401
    assert f'href="/login?next={path}"' in refused.text
    assert "seen &lt;b&gt;30&lt;/b&gt; rows" in refused.text
    assert site.project.ledger.head() == head
    ada = site.person("ada")  # logged in anew: the form is of the session before
    refused = ada.post(f"{path}/decide", form, headers=here)
    assert refused.status_code == 403
    assert f'<a href="{path}">Back to the page</a>' in refused.text
    assert "seen &lt;b&gt;30&lt;/b&gt; rows" in refused.text
    for elsewhere in ("http://evil.example/", "http://[", ""):
        refused = grace.post(f"{path}/decide", form, headers={"Referer": elsewhere})
        assert refused.status_code == 401
        assert "seen" not in refused.text
        assert 'href="/login"' in refused.text
    assert ada.get(f"{path}/decide").status_code == 200  # where a refused answer leads back to


def test_a_question_of_another_release_is_still_shown(site: Site) -> None:
    old = {"measures": [{"name": "auc", "value": 0.9}, {"limit": 0.5}], "facts": {}}
    item = _ask(site, evidence=old)
    page = site.visitor().get(f"/reviews/{item.id}")
    assert page.status_code == 200
    assert "auc" in page.text
