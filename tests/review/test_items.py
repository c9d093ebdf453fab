"""A question is asked once for the same evidence, and answered once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.errors import StoreError, UsageError
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.review import effects, items
from seatrial.review.deadlines import tend
from seatrial.review.items import Item, Status, decide

from .conftest import Clock, Queue

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.ledger.store import Transaction


def test_the_same_question_on_the_same_evidence_is_asked_once(queue: Queue) -> None:
    first = queue.ask()
    assert queue.ask(question="Worded otherwise?") == first
    assert queue.messages() == [("review_opened", first.id)]


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_decision_holds_for_its_evidence(queue: Queue, choice: str) -> None:
    first = queue.ask()
    decided = decide(queue.ledger, first.id, choice, "ada", "the season explains it")
    assert queue.ask() == decided
    assert queue.open() == []


def test_new_evidence_replaces_the_open_question(queue: Queue) -> None:
    first = queue.ask()
    second = queue.ask(evidence={"loss": 0.4})
    assert [item.id for item in queue.open()] == [second.id]
    left = queue.item(first.id)
    assert (left.status, left.by) == (Status.RESOLVED, None)
    assert left.reason == "superseded by new evidence"
    # what nobody decided does not hold: the first evidence is asked about again
    assert queue.ask().id not in {first.id, second.id}


def test_old_evidence_that_comes_back_finds_its_decision(queue: Queue) -> None:
    first = decide(queue.ledger, queue.ask().id, "reject", "ada", "no rows yet")
    queue.ask(evidence={"loss": 0.4})
    assert queue.ask() == first


def test_questions_about_others_stand_beside_it(queue: Queue) -> None:
    queue.ask()
    queue.ask(subject="flights version 4")
    queue.ask(kind="disagreement")
    assert len(queue.open()) == 3


def test_an_answer_needs_a_reason(queue: Queue) -> None:
    item = queue.ask()
    with pytest.raises(UsageError, match="needs its reason"):
        decide(queue.ledger, item.id, "approve", "ada", " \n ")
    assert queue.item(item.id).status is Status.OPEN


def test_the_beginning_of_an_id_is_enough(queue: Queue) -> None:
    item = queue.ask()
    assert items.get(queue.ledger, item.id[:20].lower()) == item


def test_an_unknown_id_and_an_ambiguous_one_name_those_that_are_near(queue: Queue) -> None:
    first, second = queue.ask(), queue.ask(subject="flights version 4")
    with pytest.raises(UsageError) as unknown:
        items.get(queue.ledger, first.id[:11] + "_")
    assert "no item" in str(unknown.value)
    assert first.id in str(unknown.value) or second.id in str(unknown.value)
    with pytest.raises(UsageError) as ambiguous:
        items.get(queue.ledger, first.id[:4])
    assert first.id in str(ambiguous.value)
    assert second.id in str(ambiguous.value)


def test_decided_twice_says_by_whom_and_when(queue: Queue) -> None:
    item = queue.ask()
    decide(queue.ledger, item.id, "reject", "ada", "a holiday")
    with pytest.raises(UsageError) as late:
        decide(queue.ledger, item.id, "approve", "bob", "but I think")
    assert "rejected by ada on 2026-01-01 00:00 UTC: a holiday" in str(late.value)
    assert len(str(late.value).splitlines()) <= 6


def test_of_two_people_at_once_one_wins(queue: Queue, clock: Clock) -> None:
    item = queue.ask()
    start, said = threading.Barrier(2), list[str]()

    def answer(choice: str, by: str) -> None:
        ledger = Ledger(queue.ledger.file, clock)
        start.wait()
        try:
            decide(ledger, item.id, choice, by, "I was first")
            said.append("decided")
        except UsageError as error:
            said.append(str(error))
        finally:
            ledger.close()

    people = [
        threading.Thread(target=answer, args=each)
        for each in (("approve", "ada"), ("reject", "bob"))
    ]
    for each in people:
        each.start()
    for each in people:
        each.join()
    winner = queue.item(item.id)
    assert sorted(line[:7] for line in said) == ["decided", f"item {item.id[:2]}"]
    assert any(f"{winner.status} by {winner.by}" in line for line in said)
    assert len([*queue.ledger.events("review_decided")]) == 1


def test_under_four_eyes_the_author_may_reject_and_not_approve(queue: Queue) -> None:
    item = queue.ask(by="ada", four_eyes=True)
    with pytest.raises(UsageError, match="ada began run"):
        decide(queue.ledger, item.id, "approve", "ada", "mine, and good")
    other = queue.ask(by="ada", four_eyes=True, subject="flights version 4")
    assert decide(queue.ledger, item.id, "approve", "bob", "fine").status is Status.APPROVED
    assert decide(queue.ledger, other.id, "reject", "ada", "bad").status is Status.REJECTED


def test_only_what_is_an_option_can_be_chosen(queue: Queue) -> None:
    item = queue.ask(options=("reject",))
    with pytest.raises(UsageError, match="one cannot approve this"):
        decide(queue.ledger, item.id, "approve", "ada", "please")


@pytest.mark.parametrize("wrong", [{"kind": "retrian"}, {"on_timeout": "approve"}])
def test_a_question_nobody_could_handle_is_refused(queue: Queue, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no kind of question|nothing is approved"):
        queue.ask(**wrong)


def test_evidence_that_json_cannot_say_is_kept_without_it(queue: Queue) -> None:
    evidence = {"high": float("inf"), "value": float("nan")}
    item = queue.ask(evidence=evidence)
    assert item.asked.evidence == {"high": None, "value": None}
    assert queue.ask(evidence=evidence) == item
    assert items.digest(evidence) == item.evidence
    verify(queue.ledger)


def test_a_decision_and_what_it_does_are_one(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, str, str | None]] = []
    whole = True

    def effect(transaction: Transaction, item: Item, choice: str) -> None:
        transaction.append("model_retrained", {"review": item.id})
        if not whole:
            raise StoreError("the disk is full")
        done.append((item.id, choice, item.by))

    monkeypatch.setitem(effects.EFFECTS, "retrain", effect)
    item = queue.ask()
    whole = False
    with pytest.raises(StoreError):
        decide(queue.ledger, item.id, "approve", "ada", "yes")
    assert queue.item(item.id).status is Status.OPEN
    assert [*queue.ledger.events("model_retrained")] == []
    assert queue.messages() == [("review_opened", item.id)]
    whole = True
    decide(queue.ledger, item.id, "approve", "ada", "yes")
    assert done == [(item.id, "approve", "ada")]
    assert queue.messages() == [("review_opened", item.id), ("review_closed", item.id)]


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE review SET status = 'approved'",
        "UPDATE review SET reason = 'everybody agreed'",
        "UPDATE review SET by = 'bob'",
        "UPDATE review SET decided = '2025-01-01T00:00:00+00:00'",
        "UPDATE review SET due = '2036-01-01T00:00:00+00:00'",
        "UPDATE review SET subject = 'flights version 9'",
        "UPDATE review SET body = replace(body, '0.3', '0.1')",
        "UPDATE review SET evidence = 'other'",
    ],
)
def test_an_edited_row_is_found(queue: Queue, edit: str) -> None:
    decide(queue.ledger, queue.ask().id, "reject", "ada", "no")
    queue.ask(subject="flights version 4")
    verify(queue.ledger)
    queue.ledger.write(lambda t: t.connection.exec_driver_sql(edit))
    with pytest.raises(StoreError, match="'review' differs from the events"):
        verify(queue.ledger)


def test_a_row_that_was_put_in_or_taken_out_is_found(queue: Queue) -> None:
    queue.ask()
    queue.ledger.write(lambda t: t.connection.exec_driver_sql("DELETE FROM review"))
    with pytest.raises(StoreError, match="'review' differs from the events"):
        verify(queue.ledger)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 1), st.integers(0, 2)),
        st.tuples(st.just("close"), st.integers(0, 1), st.just(0)),
        st.tuples(st.sampled_from(["approve", "reject"]), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("clock"), st.integers(-8, 12), st.just(0)),
        st.tuples(st.just("tend"), st.just(0), st.just(0)),
    ),
    max_size=15,
)


@pytest.mark.slow
@settings(max_examples=25)
@given(steps=STEPS)
def test_whatever_happens_one_question_is_open_and_the_chain_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    clock = Clock()
    queue = Queue(Ledger(_new(tmp_path_factory), clock), clock)
    answers: dict[tuple[str, str], set[str]] = {}
    for what, where, evidence in steps:
        open_now = queue.open()
        match what:
            case "ask":
                queue.ask(subject=f"flights version {where}", evidence={"loss": evidence})
            case "close":
                subject = f"flights version {where}"
                queue.ledger.write(lambda t, s=subject: items.close(t, "retrain", s, "better"))  # type: ignore[misc]
            case "clock":
                clock.move(hours=where)
            case "tend":
                tend(queue.ledger, clock())
                assert tend(queue.ledger, clock()) == []
            case _ if where < len(open_now) and not open_now[where].overdue(clock()):
                decide(queue.ledger, open_now[where].id, what, "ada", "so it is")
        subjects = [item.subject for item in queue.open()]
        assert len(subjects) == len(set(subjects))
        with queue.ledger.read() as connection:
            for item in items.everything(connection):
                if item.status in items.DECIDED:
                    answers.setdefault((item.subject, item.evidence), set()).add(item.id)
    assert all(len(found) == 1 for found in answers.values())
    told = queue.messages()
    assert len(told) == len(set(told))
    verify(queue.ledger)
    queue.ledger.close()


def _new(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("queue") / "ledger.db"
