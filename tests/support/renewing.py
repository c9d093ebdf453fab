"""Ledgers of other ages: steps that a later release adds, and processes that open at once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from seatrial.ledger import migrations

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    import sqlalchemy as sa

    from seatrial.ledger.store import Ledger

KNOWN = len(migrations.STEPS)
"""The version of a ledger that was made today."""

OPENER = """
import sys
from pathlib import Path
from seatrial.ledger import migrations
from seatrial.ledger.store import Ledger
from seatrial.workspace import now

def second(connection):
    connection.exec_driver_sql("CREATE TABLE added (word TEXT)")

def append(transaction):
    return transaction.append("opened", {})

age, *places = sys.argv[1:]
if age == "old":
    migrations.STEPS = (*migrations.STEPS, second)
print("ready", flush=True)
sys.stdin.readline()
for place in places:
    Ledger(place if "://" in place else Path(place), now).write(append)
"""


def second(connection: sa.Connection) -> None:
    """A step that adds a table."""
    connection.exec_driver_sql("CREATE TABLE added (word TEXT)")


def breaks(connection: sa.Connection) -> None:
    """A step that dies half-way."""
    connection.exec_driver_sql("CREATE TABLE half (word TEXT)")
    raise ZeroDivisionError


def renew(monkeypatch: pytest.MonkeyPatch, *more: Callable[[sa.Connection], None]) -> None:
    """Be a later release, which knows these steps too."""
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, *more))


def noted(ledger: Ledger) -> str:
    """Write the first event of a ledger, and close it; its head."""
    ledger.write(lambda transaction: transaction.append("noted", {"before": "the step"}))
    head = ledger.head()
    ledger.close()
    return head


def open_at_once(age: str, *places: str, processes: int = 4) -> None:
    """Several processes open each of these ledgers and write an event; to ``old`` ones, renewed."""
    openers = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", OPENER, age, *places],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for opener in openers:
        assert opener.stdout
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin
        print(file=opener.stdin, flush=True)
    complaints = [opener.communicate(timeout=120)[1] for opener in openers]
    assert complaints == [""] * processes
    assert {opener.returncode for opener in openers} == {0}
