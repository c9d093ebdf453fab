"""Time reminds, escalates, and at the deadline does what is safe; each once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import UsageError
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.review import effects
from seatrial.review.deadlines import tend
from seatrial.review.items import Item, Status, decide

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction

    from .conftest import Clock, Queue


def _told(queue: Queue) -> list[str]:
    return [kind for kind, _ in queue.messages()][1:]


def test_a_reminder_an_escalation_and_the_end_each_once(queue: Queue, clock: Clock) -> None:
    item = queue.ask(hours=10.0)
    seen: dict[float, list[str]] = {}
    for hour in (4.9, 5.0, 5.1, 7.9, 8.0, 9.9, 10.0, 10.1):
        clock.time = clock.time.replace(hour=int(hour), minute=round(hour % 1 * 60))
        tend(queue.ledger, clock())
        seen[hour] = _told(queue)
    assert seen[4.9] == []
    assert seen[5.0] == seen[5.1] == seen[7.9] == ["review_reminder"]
    assert seen[8.0] == seen[9.9] == ["review_reminder", "review_escalated"]
    assert seen[10.0] == seen[10.1] == ["review_reminder", "review_escalated", "review_closed"]
    expired = queue.item(item.id)
    assert (expired.status, expired.by) == (Status.EXPIRED, None)
    assert expired.reason == "nobody decided by 2026-01-01 10:00 UTC: keep"
    verify(queue.ledger)


def test_who_comes_late_escalates_without_a_reminder(queue: Queue, clock: Clock) -> None:
    queue.ask(hours=10.0)
    clock.move(hours=9)
    tend(queue.ledger, clock())
    assert _told(queue) == ["review_escalated"]


def test_who_comes_too_late_only_does_what_is_safe(queue: Queue, clock: Clock) -> None:
    queue.ask(hours=10.0)
    clock.move(hours=100)
    (item,) = tend(queue.ledger, clock())
    assert item.status is Status.EXPIRED
    assert _told(queue) == ["review_closed"]
    assert tend(queue.ledger, clock()) == []


def test_a_clock_that_goes_back_tells_nothing_twice(queue: Queue, clock: Clock) -> None:
    item = queue.ask(hours=10.0)
    for hours in (6, -3, 3, 3, -6, 6, 2, -9, 9, -20):
        clock.move(hours=hours)
        tend(queue.ledger, clock())
    assert _told(queue) == ["review_reminder", "review_escalated", "review_closed"]
    assert queue.item(item.id).status is Status.EXPIRED
    verify(queue.ledger)


def test_the_safe_default_goes_the_way_of_a_decision(
    queue: Queue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, Status]] = []

    def effect(_transaction: Transaction, item: Item, choice: str) -> None:
        done.append((choice, item.status))

    monkeypatch.setitem(effects.EFFECTS, "watch_inconclusive", effect)
    queue.ask(kind="watch_inconclusive", on_timeout="rollback")
    clock.move(hours=10)
    tend(queue.ledger, clock())
    assert done == [("rollback", Status.EXPIRED)]


def test_what_was_asked_for_a_run_that_is_not_here_expires_all_the_same(
    queue: Queue, clock: Clock
) -> None:
    item = queue.ask(run="RGONE", step="a.one", on_timeout="reject")
    clock.move(hours=10)
    assert [each.id for each in tend(queue.ledger, clock())] == [item.id]
    assert queue.item(item.id).status is Status.EXPIRED


def test_an_answer_after_the_deadline_is_refused_and_the_default_is_done(
    queue: Queue, clock: Clock
) -> None:
    item = queue.ask()
    clock.move(hours=10)
    with pytest.raises(UsageError, match=r"expired on 2026-01-01 10:00 UTC: nobody decided"):
        decide(queue.ledger, item.id, "approve", "ada", "I was on holiday")
    assert queue.item(item.id).status is Status.EXPIRED
    assert queue.ask().id == item.id  # the same evidence is not asked about again


def test_what_was_answered_is_reminded_of_no_more(queue: Queue, clock: Clock) -> None:
    decide(queue.ledger, queue.ask().id, "approve", "ada", "yes")
    clock.move(hours=100)
    assert tend(queue.ledger, clock()) == []
    assert _told(queue) == ["review_closed"]


def test_two_that_tend_at_once_do_it_once(queue: Queue, clock: Clock) -> None:
    for number in range(5):
        queue.ask(subject=f"flights version {number}")
    clock.move(hours=10)
    start = threading.Barrier(3)

    def look() -> None:
        ledger = Ledger(queue.ledger.file, clock)
        start.wait()
        tend(ledger, clock())
        ledger.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len([*queue.ledger.events("review_expired")]) == 5
    assert len(queue.messages()) == len(set(queue.messages())) == 10
    verify(queue.ledger)
