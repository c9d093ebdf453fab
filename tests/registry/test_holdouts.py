"""Uses of held-out rows are counted with the outcome that made them, and proven with the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from seatrial.errors import StoreError
from seatrial.ledger.tables import HOLDOUT
from seatrial.ledger.verify import verify
from seatrial.outcome import Outcome, Verdict
from seatrial.registry import holdouts

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger
    from seatrial.registry.registry import Registry


def _judged(
    ledger: Ledger, run: str, version: int, rows: str = "f1", verdict: Verdict = Verdict.PASS
) -> None:
    stated = {"dataset": "validation_data", "fingerprint": rows, "version": version}
    outcome = Outcome(verdict=verdict, reason="", facts={holdouts.FACT: stated})
    ledger.write(lambda transaction: holdouts.note(transaction, run, "m", outcome))


def _counted(ledger: Ledger) -> list[tuple[str, int]]:
    return [(use.run, use.version) for use in holdouts.uses(ledger, "m")]


def test_a_version_counts_once_on_the_same_rows(registry: Registry) -> None:
    ledger = registry.ledger
    _judged(ledger, "r1", 1)
    _judged(ledger, "r1", 1)  # another task of the run, or the step once more
    _judged(ledger, "r2", 1)  # the same version again
    _judged(ledger, "r3", 2, verdict=Verdict.FAIL)
    assert _counted(ledger) == [("r1", 1), ("r3", 2)]
    _judged(ledger, "r3", 2, rows="f2")
    assert _counted(ledger) == [("r1", 1), ("r3", 2), ("r3", 2)]


def test_what_decided_nothing_is_no_use(registry: Registry) -> None:
    ledger = registry.ledger
    _judged(ledger, "r1", 1, verdict=Verdict.INCONCLUSIVE)
    _judged(ledger, "r2", 2, verdict=Verdict.SKIP)
    silent = Outcome(verdict=Verdict.PASS, reason="")
    ledger.write(lambda transaction: holdouts.note(transaction, "r3", "m", silent))
    assert _counted(ledger) == []
    assert not list(ledger.events("holdout_used"))


def test_a_use_that_was_removed_is_noticed(registry: Registry) -> None:
    ledger = registry.ledger
    _judged(ledger, "r1", 1)
    _judged(ledger, "r2", 2)
    verify(ledger)
    ledger.write(lambda t: t.connection.execute(sa.delete(HOLDOUT).where(HOLDOUT.c.run == "r1")))
    with pytest.raises(StoreError, match="'holdout' differs"):
        verify(ledger)
