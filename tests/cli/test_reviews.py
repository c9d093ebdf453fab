"""The queue at the command line: what is asked, its evidence, the answers, and bad input."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import workspace
from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import DELIVERY, MESSAGE
from seatrial.notify import channels_of
from seatrial.pipeline.read import read_file
from seatrial.registry import gateways
from seatrial.review import items, person
from seatrial.workspace import Workspace

from .conftest import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Program, Project

pytestmark = pytest.mark.slow  # whole runs

STEP = "evaluate_model.integration_tests"
KEYS = {
    "id", "kind", "subject", "question", "recommended", "options", "resolves", "on_timeout",
    "model", "version", "run", "step", "author", "four_eyes", "evidence", "evidence_digest",
    "created", "due", "status", "decided", "by", "reason", "seconds", "hasty",
}  # fmt: skip
IN_STATUS = {
    "id", "kind", "subject", "question", "recommended", "due", "on_timeout", "model", "run",
    "step", "reason",
}  # fmt: skip
WHY = "--reason=looked at 30 rows with operations"


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is at the keyboard."""
    monkeypatch.setattr(person, "name", lambda: "ada")


@pytest.fixture
def asked(third: Project, seatrial: Program) -> dict[str, Any]:
    """A run stopped for review: 400 rows cannot prove 0.92. Version 2 is in production."""
    third.replace("performance_threshold: 0.82", "performance_threshold: 0.92")
    assert seatrial("run", "pipeline.yaml").code == 3
    (item,) = seatrial("reviews", "--json").json
    return dict(item)


def test_where_there_is_a_page_one_is_led_to_it(
    asked: dict[str, Any], third: Project, seatrial: Program
) -> None:
    here = workspace.at(third.folder)
    identity = str(asked["id"])
    assert "http" not in seatrial("reviews", identity).out
    with gateways.hold(here.home, "G"), closing(Ledger(here.home / "ledger.db", here.clock)) as led:
        gateways.enter(
            led,
            gateways.Gateway(
                id="G",
                host=workspace.machine(here.home),
                pid=os.getpid(),
                address="http://127.0.0.1:8080",
                workers=1,
                control="https://ml.example",
            ),
        )
        link = f"https://ml.example/reviews/{identity}"
        assert link in seatrial("reviews", identity).out
        assert link in seatrial("status").out
        told = seatrial("run", "pipeline.yaml").out
        assert link in told
        assert f"its page: https://ml.example/runs/{asked['run']}" in told


def _later(monkeypatch: pytest.MonkeyPatch, **by: float) -> None:
    """What the clock says from now on, to whoever opens the project."""
    at = workspace.at

    def shifted(folder: Path) -> Workspace:
        found = at(folder)
        return Workspace(
            found.folder, found.home, clock=lambda: datetime.now(UTC) + timedelta(**by)
        )

    monkeypatch.setattr(workspace, "at", shifted)


def test_a_run_for_review_says_who_decides_until_when_and_how(
    third: Project, seatrial: Program
) -> None:
    third.replace("performance_threshold: 0.82", "performance_threshold: 0.92")
    said = seatrial("run", "pipeline.yaml")
    (item,) = seatrial("reviews", "--json").json
    due = item["due"][:16].replace("T", " ")
    assert f"review {item['id']} until {due} UTC, else: reject" in said.out
    for command in ("approve", "reject"):
        assert f"seatrial {command} {item['id']} --reason" in said.out
    assert said.code == 3


def test_the_list_and_the_status_show_it(asked: dict[str, Any], seatrial: Program) -> None:
    assert set(asked) == KEYS
    assert (asked["kind"], asked["subject"]) == ("gate_inconclusive", f"{MODEL}/{STEP}")
    assert (asked["model"], asked["version"], asked["step"]) == (MODEL, 3, STEP)
    assert (asked["evidence"]["version"], asked["evidence"]["against"]) == (3, 2)
    assert (asked["author"], asked["status"], asked["seconds"]) == ("ada", "open", None)
    listed = seatrial("reviews").out
    assert all(word in listed for word in (asked["id"], "gate_inconclusive", "23 h 59 min"))
    (shown,) = seatrial("status", "--json").json["reviews"]
    assert set(shown) == IN_STATUS
    assert "limit 0.92" in shown["reason"]
    assert f"seatrial reviews {asked['id']}" in seatrial("status").out


def test_one_item_shows_its_evidence_and_its_history(
    asked: dict[str, Any], seatrial: Program
) -> None:
    shown = seatrial("reviews", asked["id"][:22].lower())
    assert shown.code == 0
    (row,) = [line.split() for line in shown.out.splitlines() if line.startswith("accuracy ")]
    assert row[4:] == ["0.92", "400", "inconclusive"]
    assert "more labelled rows would settle it" in shown.out
    told = seatrial("reviews", asked["id"], "--json").json
    assert set(told) == KEYS | {"history"}
    assert [event["event"] for event in told["history"]] == ["review_opened"]
    assert told["evidence"]["measures"][0]["limit"] == 0.92


def test_why_a_version_was_rolled_back_stands_beside_the_question(
    third: Project, seatrial: Program
) -> None:
    question = items.Question(
        kind="quarantine_lift",
        subject=f"{MODEL}/deploy_model.promote",
        model=MODEL,
        version=3,
        run=None,
        step=None,
        by=None,
        question="May it be promoted although the same model was rolled back?",
        recommended="reject",
        options=("approve", "reject"),
        evidence={"reason": "0.2 worse on 218 labelled requests"},
        resolves="nothing but a person",
        hours=24,
        on_timeout="reject",
    )
    ledger = Ledger(third.ledger, lambda: datetime.now(UTC))
    ledger.write(lambda transaction: items.ask(transaction, question))
    ledger.close()
    (item,) = seatrial("reviews", "--json").json
    assert "reason: 0.2 worse on 218 labelled requests" in seatrial("reviews", item["id"]).out


@pytest.mark.parametrize(
    "words", [("approve", "", WHY), ("reject", " ", WHY), ("cancel", ""), ("label", "")]
)
def test_an_empty_id_is_not_the_only_one_there_is(
    words: tuple[str, ...], asked: dict[str, Any], seatrial: Program
) -> None:
    """A variable that was never set must decide nothing."""
    said = seatrial(*words)
    assert said.code == 2
    assert "is empty" in said.err
    assert seatrial("reviews", "--json").json == [asked]


def test_labels_are_offered_only_where_they_settle_it(
    asked: dict[str, Any], seatrial: Program
) -> None:
    assert "seatrial label" not in seatrial("reviews", asked["id"]).out


def test_approved_it_is_promoted_by_the_same_command(
    asked: dict[str, Any], third: Project, seatrial: Program
) -> None:
    said = seatrial("approve", asked["id"], WHY)
    assert said.code == 0
    assert f"run {asked['run']} goes on" in said.out
    (waiting,) = seatrial("status", "--json").json["waiting"]
    assert (waiting["step"], waiting["run"]) == (STEP, asked["run"])
    ended = seatrial("run", "pipeline.yaml", "--json")
    assert (ended.code, ended.json["run"]) == (0, asked["run"])
    assert ended.json["production"] == {"before": 2, "after": 3}
    (task,) = [t for s in ended.json["stages"] for t in s["tasks"] if t["task"] in STEP]
    assert task["verdict"] == "pass"
    assert task["reason"].startswith("approved by ada on ")
    assert "; was: accuracy" in task["reason"]
    accuracy, degradation, *kept = [m["verdict"] for m in task["measures"]]
    assert (accuracy, degradation) == ("inconclusive", "pass")
    assert set(kept) <= {"pass", "skip"}
    assert seatrial("history", "--verify").code == 0
    assert third.query("SELECT status FROM review") == [("approved",)]


def test_rejected_production_stays(asked: dict[str, Any], seatrial: Program) -> None:
    said = seatrial("reject", asked["id"], WHY, "--json")
    assert (said.code, said.json["status"], said.json["by"]) == (0, "rejected", "ada")
    ended = seatrial("runs", asked["run"], "--json").json
    assert (ended["state"], ended["verdict"]) == ("finished", "inconclusive")
    assert "rejected by ada" in ended["errors"][0]
    assert ended["production"] == {"before": 2, "after": 2}
    assert seatrial("status", "--json").json["reviews"] == []
    again = seatrial("run", "pipeline.yaml")
    assert again.code == 3
    assert "rejected by ada" in again.out
    assert "inconclusive; the run has ended: production stays at version 2" in again.out
    assert seatrial("reviews", "--json").json == []


@pytest.mark.parametrize("command", ["reviews", "status", "approve"])
def test_the_deadline_holds_without_a_gateway(
    asked: dict[str, Any], seatrial: Program, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    _later(monkeypatch, hours=25)
    words = ("approve", asked["id"], WHY) if command == "approve" else (command,)
    said = seatrial(*words)
    if command == "approve":
        assert (said.code, "nobody decided by" in said.err) == (2, True)
    ended = seatrial("runs", asked["run"], "--json").json
    assert (ended["state"], ended["verdict"]) == ("finished", "inconclusive")
    assert "nobody decided by" in ended["errors"][0]
    (item,) = seatrial("reviews", "--all", "--json").json
    assert (item["status"], item["by"]) == ("expired", None)


def test_what_was_decided_says_who_why_and_how_long_it_took(
    asked: dict[str, Any], seatrial: Program
) -> None:
    seatrial("approve", asked["id"], WHY)
    (item,) = seatrial("reviews", "--all", "--json").json
    assert (item["by"], item["reason"]) == ("ada", "looked at 30 rows with operations")
    assert 0 <= item["seconds"] < 10
    assert item["hasty"]
    listed = seatrial("reviews", "--all").out
    assert "looked at 30 rows with operations (in less than 10 s!)" in listed
    assert "nobody is asked anything" in seatrial("reviews").out


def test_time_to_read_is_no_rubber_stamp(
    asked: dict[str, Any], seatrial: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    _later(monkeypatch, minutes=7)
    said = seatrial("approve", asked["id"], WHY)
    assert "less than 10 s" not in said.out
    (item,) = seatrial("reviews", "--all", "--json").json
    assert item["seconds"] > 400
    assert not item["hasty"]


def test_under_four_eyes_somebody_else_approves(
    third: Project, seatrial: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    third.replace("performance_threshold: 0.82", "performance_threshold: 0.92")
    text = third.pipeline.read_text()
    third.write("pipeline.yaml", f"{text}\nreview: {{four_eyes: true}}\n")
    assert seatrial("run", "pipeline.yaml").code == 3
    (item,) = seatrial("reviews", "--json").json
    said = seatrial("approve", item["id"], WHY)
    assert (said.code, "ada began run" in said.err) == (2, True)
    monkeypatch.setattr(person, "name", lambda: "bob")
    assert seatrial("approve", item["id"], WHY).code == 0


def test_bad_input_is_told_in_a_few_lines(asked: dict[str, Any], seatrial: Program) -> None:
    known = asked["id"]
    near = known[:20] + ("0" if known[20] != "0" else "1") + known[21:]
    bad: list[tuple[tuple[str, ...], str]] = [
        (("reviews", near), known),
        (("approve", near, WHY), known),
        (("approve", known, "--reason", " "), "needs its reason"),
        (("approve", known), "--reason"),
        (("reviews", known, "--all"), "--all is for the list"),
    ]
    for words, told in bad:
        said = seatrial(*words)
        assert (said.code, said.out) == (2, ""), words
        assert told in said.err
        assert len(said.err.splitlines()) <= 6
    seatrial("reject", known, WHY)
    late = seatrial("approve", known, WHY)
    assert (late.code, len(late.err.splitlines()) <= 6) == (2, True)
    assert "rejected by ada on" in late.err


def test_an_edited_answer_is_found(
    asked: dict[str, Any], third: Project, seatrial: Program
) -> None:
    seatrial("reject", asked["id"], WHY)
    assert seatrial("history", "--verify").code == 0
    third.tamper("UPDATE review SET status = 'approved'")
    said = seatrial("history", "--verify")
    assert (said.code, "'review' differs from the events" in said.err) == (5, True)


@pytest.mark.usefixtures("founding")
def test_an_empty_queue(seatrial: Program) -> None:
    for words in (("reviews",), ("reviews", "--all")):
        said = seatrial(*words)
        assert (said.code, len(said.out.splitlines())) == (0, 1)
        assert seatrial(*words, "--json").json == []


def test_few_rows_in_the_first_run(founding: Project, seatrial: Program) -> None:
    """The founding project with 40 validation rows: asked, approved, delivered."""
    lines = founding.lines("data/validation_data.csv")
    founding.write("data/validation_data.csv", "".join(lines[:41]))
    founding.replace("performance_threshold: 0.82", "performance_threshold: 0.9")
    assert seatrial("run", "pipeline.yaml").code == 3
    (item,) = seatrial("reviews", "--json").json
    assert item["step"] == STEP
    assert seatrial("approve", item["id"], WHY).code == 0
    ended = seatrial("run", "pipeline.yaml", "--json")
    assert (ended.code, ended.json["production"]) == (0, {"before": None, "after": 1})


def test_what_promote_has_not_done_cannot_be_approved(founding: Project, seatrial: Program) -> None:
    founding.replace("          performance_threshold: 0.82\n", "")
    lenient = "evaluate_model.unit_tests.performance_threshold=0.6"
    said = seatrial("run", "pipeline.yaml", "--set", lenient)
    assert said.code == 3
    (item,) = seatrial("reviews", "--json").json
    assert (item["step"], item["options"]) == ("deploy_model.promote", ["reject"])
    assert f"seatrial approve {item['id']}" not in said.out
    refused = seatrial("approve", item["id"], WHY)
    assert (refused.code, "cannot approve this" in refused.err) == (2, True)
    assert len(refused.err.splitlines()) <= 6


def test_the_status_shows_who_cannot_be_told(founding: Project, seatrial: Program) -> None:
    text = founding.pipeline.read_text()
    hook = "webhook: {url: 'https://ops.example/hook', secret_env: OPS_SECRET}"
    founding.write("pipeline.yaml", f"{text}\nnotify: {{channels: [{{{hook}}}]}}\n")
    (listener,) = channels_of(read_file(founding.pipeline))
    ledger = Ledger(founding.ledger, lambda: datetime.now(UTC))
    now = datetime.now(UTC).isoformat()
    message = {"id": "m", "key": "k", "kind": "promoted", "model": "m", "at": now, "body": "{}"}
    failed = {
        "message": "m", "channel": listener.name, "state": "waiting", "attempts": 3,
        "due": now, "at": now, "error": "it answered 500",
    }  # fmt: skip
    ledger.write(lambda t: t.connection.execute(MESSAGE.insert().values(message)))
    gone = {**failed, "channel": "a channel that the file no longer names"}
    ledger.write(lambda t: t.connection.execute(DELIVERY.insert().values(failed)))
    ledger.write(lambda t: t.connection.execute(DELIVERY.insert().values(gone)))
    ledger.close()
    (told,) = seatrial("status", "--json").json["trouble"]
    assert (told["channel"], told["error"]) == (listener.name, "it answered 500")
    assert f"not told: {listener.name}" in seatrial("status").out
