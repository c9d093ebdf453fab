"""Connections that drop: what was written was written once, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from cutting import line_to
from seatrial.errors import PassingError, StoreError, SupersededError
from seatrial.ledger.databases import postgresql
from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import EVENT
from seatrial.ledger.verify import verify
from seatrial.workspace import now
from shared_places import connected, new_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cutting import Cut, Line
    from postgres import Server
    from seatrial.ledger.store import Stored, Transaction


@pytest.fixture
def address(postgres: Server) -> str:
    return new_schema(postgres)


@pytest.fixture
def line(postgres: Server) -> Iterator[Line]:
    with line_to(postgres.port) as stands_between:
        yield stands_between


@pytest.fixture
def far(postgres: Server, address: str, line: Line) -> Iterator[Ledger]:
    """A ledger at the other end of a line that can be cut."""
    opened = Ledger(_through(line, postgres, address), now)
    yield opened
    opened.close()


def _through(line: Line, server: Server, address: str) -> str:
    return address.replace(f":{server.port}/", f":{line.port}/")


def _cut_all(server: Server) -> int:
    """End every connection of ours, as a server does that is shut down; how many there were."""
    with connected(server) as connection:
        found = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'seatrial'"
        )
        return len(found.fetchall())


def _numbers(ledger: Ledger) -> list[object]:
    return [event.body["n"] for event in ledger.events("noted")]


class Change:
    """Appends an event; how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, transaction: Transaction) -> Stored:
        self.calls += 1
        return transaction.append("noted", {"n": 1})


@pytest.mark.parametrize(("cut", "calls"), [("unheard", 2), ("unanswered", 1)])
def test_a_line_that_is_cut_at_the_commit(far: Ledger, line: Line, cut: Cut, calls: int) -> None:
    change, line.armed = Change(), cut
    stored = far.write(change)
    assert (line.cuts, change.calls) == (1, calls)
    assert [event.hash for event in far.events()] == [stored.hash]
    assert verify(far) == (1, stored.hash)


def test_a_commit_of_which_the_server_never_heard_is_waited_for(
    far: Ledger, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the server the writer seems alive until it has been silent for too long."""
    monkeypatch.setattr(postgresql, "SILENT_MS", 300)
    change, line.armed = Change(), "half open"
    far.write(change)
    assert change.calls == 2
    assert verify(far)[0] == 1


def test_a_server_that_does_not_come_back_leaves_it_open(
    postgres: Server, address: str, line: Line
) -> None:
    """Whether it was done is not known: that is said, and nothing is done a second time."""
    ledger, change = Ledger(_through(line, postgres, address), now, busy_ms=300), Change()
    line.armed = "unanswered"

    def last(transaction: Transaction) -> None:
        change(transaction)
        line.dead = True

    with pytest.raises(StoreError, match="did not say whether that was done") as raised:
        ledger.write(last)
    assert not isinstance(raised.value, PassingError)
    assert change.calls == 1
    line.dead = False
    assert verify(ledger)[0] == 1
    ledger.close()


def test_a_connection_that_dies_within_a_change(postgres: Server, address: str) -> None:
    ledger = Ledger(address, now)
    killed: list[int] = []

    def change(transaction: Transaction) -> None:
        transaction.append("noted", {"n": 1})
        if not killed:
            killed.append(_cut_all(postgres))
        transaction.append("noted", {"n": 2})

    ledger.write(change)
    assert killed == [1]
    assert _numbers(ledger) == [1, 2]
    verify(ledger)
    ledger.close()


def test_what_a_change_raises_is_raised_although_the_line_died(
    postgres: Server, address: str
) -> None:
    ledger = Ledger(address, now)

    def change(transaction: Transaction) -> None:
        transaction.append("noted", {"n": 1})
        _cut_all(postgres)
        raise SupersededError("another was first")

    with pytest.raises(SupersededError, match="another was first"):
        ledger.write(change)
    assert verify(ledger)[0] == 0
    ledger.close()


def test_connections_that_died_meanwhile_are_made_anew(postgres: Server, address: str) -> None:
    ledger = Ledger(address, now)
    ledger.stamp()
    ledger.write(Change())
    assert _cut_all(postgres) == 2
    assert ledger.head() == next(ledger.events()).hash
    _cut_all(postgres)
    ledger.write(Change())
    before = ledger.stamp()
    _cut_all(postgres)
    # what happened in between nobody has seen: whoever compares stamps looks again
    assert ledger.stamp() != before
    assert verify(ledger)[0] == 2
    ledger.close()


def test_a_look_that_is_cut_off_may_be_tried_again(postgres: Server, address: str) -> None:
    ledger = Ledger(address, now)
    ledger.write(Change())
    looking = ledger.events()

    def look() -> None:
        with ledger.read() as connection:
            connection.execute(sa.select(EVENT)).all()
            _cut_all(postgres)
            connection.execute(sa.select(EVENT)).all()

    with pytest.raises(PassingError, match="the connection to the ledger was lost"):
        look()
    assert len(list(looking)) == 1
    ledger.close()


def test_a_lock_that_is_held_for_too_long_may_pass(address: str) -> None:
    holds, waits = Ledger(address, now), Ledger(address, now, busy_ms=100)

    def hold(transaction: Transaction) -> None:
        transaction.append("noted", {"n": 1})
        with pytest.raises(PassingError, match="writing to the ledger for too long"):
            waits.write(Change())
        assert _numbers(waits) == []  # a look waits for nobody

    holds.write(hold)
    waits.write(Change())
    assert _numbers(waits) == [1, 1]
    holds.close()
    waits.close()


def test_a_server_that_gives_statements_little_time_may_pass_too(address: str) -> None:
    """Many hosts set this for every user; whoever waits for the lock meets it first."""
    hurried = address.replace("csearch_path", "cstatement_timeout%3D100%20-csearch_path")
    holds, waits = Ledger(address, now), Ledger(hurried, now)

    def hold(transaction: Transaction) -> None:
        transaction.append("noted", {"n": 1})
        with pytest.raises(PassingError, match="statement timeout"):
            waits.write(Change())

    holds.write(hold)
    waits.write(Change())
    assert _numbers(waits) == [1, 1]
    holds.close()
    waits.close()


SLEEPER = """
import os, signal, sys
from seatrial.ledger.databases import postgresql
from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import EVENT
from seatrial.workspace import now

postgresql.SILENT_MS = 300
tries = []

def change(transaction):
    tries.append(transaction.append("noted", {"n": "sleeper"}))
    if len(tries) == 1:
        os.kill(os.getpid(), signal.SIGSTOP)

ledger = Ledger(sys.argv[1], now)
ledger.write(change)
ledger.close()
print(len(tries))
"""


def test_a_writer_that_falls_silent_does_not_keep_the_others(address: str) -> None:
    """Its machine was cut off, or stopped: nobody waits for hours until the line is given up."""
    ledger = Ledger(address, now)
    sleeper = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, address], stdout=subprocess.PIPE, text=True
    )
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
    ledger.write(Change())
    assert _numbers(ledger) == [1]
    sleeper.send_signal(signal.SIGCONT)
    assert sleeper.communicate(timeout=60)[0] == "2\n"  # it did all of it again
    assert _numbers(ledger) == [1, "sleeper"]
    verify(ledger)
    ledger.close()


WRITER = """
import sys
from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import EVENT
from seatrial.workspace import now

ledger, name = Ledger(sys.argv[1], now), sys.argv[2]
for number in range(int(sys.argv[3])):
    ledger.write(lambda transaction: transaction.append("noted", {"n": f"{name} {number}"}))
ledger.close()
"""


@pytest.mark.slow
def test_while_connections_are_cut_at_random_everything_is_written_once(
    postgres: Server, address: str
) -> None:
    ledger, count, cuts = Ledger(address, now), 150, 0
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, address, name, str(count)])
        for name in ("a", "b", "c")
    ]
    pauses = iter(range(1_000_000))
    while any(writer.poll() is None for writer in writers):
        threading.Event().wait((next(pauses) * 7 % 40) / 1000)
        cuts += _cut_all(postgres)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert cuts > 50
    expected = [f"{name} {number}" for name in ("a", "b", "c") for number in range(count)]
    assert sorted(map(str, _numbers(ledger))) == sorted(expected)
    verify(ledger)
    ledger.close()
