"""How often was a held-out set used to decide about a model?

A task that judged a version on held-out rows says so by a fact, :data:`FACT`; whoever records its
outcome notes the use in the same transaction. A version counts once, however often it is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger.tables import HOLDOUT
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger, Transaction
    from seatrial.outcome import Outcome

FACT = "held_out"
"""A mapping of ``dataset``, ``fingerprint`` and ``version``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A run that judged ``version`` of ``model`` on the rows of that fingerprint."""

    fingerprint: str
    run: str
    model: str
    version: int
    dataset: str
    at: str


def note(transaction: Transaction, run: str, model: str, outcome: Outcome) -> None:
    """Count the use that an outcome states, unless nothing was decided or it counts already."""
    stated: Any = outcome.facts.get(FACT)
    if stated is None or outcome.verdict not in {Verdict.PASS, Verdict.FAIL}:
        return
    connection = transaction.connection
    same_rows = HOLDOUT.c.fingerprint == stated["fingerprint"]
    same_version = sa.and_(HOLDOUT.c.model == model, HOLDOUT.c.version == stated["version"])
    known = sa.select(HOLDOUT).where(same_rows, sa.or_(HOLDOUT.c.run == run, same_version))
    if connection.execute(known.limit(1)).first():
        return
    body = {
        "fingerprint": stated["fingerprint"],
        "run": run,
        "model": model,
        "version": stated["version"],
        "dataset": stated["dataset"],
    }
    transaction.append("holdout_used", body)
    connection.execute(HOLDOUT.insert().values(**body, at=transaction.at))


def uses(ledger: Ledger, model: str) -> list[Use]:
    """Every use for decisions about a model, oldest first."""
    query = sa.select(HOLDOUT).where(HOLDOUT.c.model == model).order_by(HOLDOUT.c.at)
    with ledger.read() as connection:
        return [Use(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001
