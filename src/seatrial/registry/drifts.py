"""How live traffic stood to the training data, hour by hour: one row for each, for good."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.errors import StoreError
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import DRIFT, MOVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.ledger.store import Ledger, Transaction
    from seatrial.registry.registry import Registry

PROFILE = "profile.json"
"""The file of a version that says how the features were distributed that it was trained on."""

KEPT_DAYS = 30
"""So long the counts of an hour are kept that led to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A full hour of the traffic that a version answered while it was in production.

    ``hour`` is its begin and ``at`` when it was judged: ISO, UTC. ``verdict`` is that of the hour
    alone; ``body`` says the rest, the verdict over a whole day among it.
    """

    model: str
    version: int
    hour: str
    at: str
    verdict: str
    body: Mapping[str, Any]

    @property
    def begin(self) -> datetime:
        """When the hour began."""
        return datetime.fromisoformat(self.hour)

    @property
    def day(self) -> Mapping[str, Any]:
        """What the last 24 hours together say."""
        told: Mapping[str, Any] = self.body["day"]
        return told

    @property
    def end(self) -> datetime:
        """When the hour was over."""
        return self.begin + timedelta(hours=1)

    @property
    def moved(self) -> list[str]:
        """The columns of the day that certainly moved too far."""
        return [str(name) for name in self.day["moved"]]

    @property
    def since(self) -> str | None:
        """The hour in which a day first said that something moved; None when nothing has."""
        episode = self.body["episode"]
        return None if episode is None else str(episode["since"])

    @property
    def moved_said(self) -> str:
        """The columns that moved, with their numbers, as in a sentence."""
        told = [each for each in self.day["columns"] if each["name"] in self.moved]
        return columns_said(told, len(self.moved), str(self.body["unit"]))


def profile_of(registry: Registry, model: str, version: int) -> str | None:
    """The digest of a version's profile; None when it was registered without one, or is gone."""
    known = registry.version(model, version)
    if known.collected:
        return None
    try:
        named = registry.manifest(known)["files"]
    except StoreError:  # damaged: that is told by whoever serves it
        return None
    return str(named[PROFILE]) if isinstance(named, dict) and PROFILE in named else None


def record(
    transaction: Transaction,
    model: str,
    version: int,
    hour: datetime,
    verdict: str,
    body: Mapping[str, Any],
) -> bool:
    """Write what was found of an hour; False, and nothing is written, when it was judged before."""
    key = {"model": model, "version": version, "hour": hour.isoformat()}
    place = [DRIFT.c[name] == value for name, value in key.items()]
    if transaction.connection.execute(sa.select(DRIFT.c.at).where(*place)).first() is not None:
        return False
    transaction.append("traffic_judged", {**key, "verdict": verdict, "body": body})
    transaction.connection.execute(
        DRIFT.insert().values(**key, at=transaction.at, verdict=verdict, body=canonical(body))
    )
    return True


def judged(ledger: Ledger, model: str) -> dict[int, set[str]]:
    """The hours of each version that were judged."""
    query = sa.select(DRIFT.c.version, DRIFT.c.hour).where(DRIFT.c.model == model)
    found: dict[int, set[str]] = {}
    with ledger.read() as connection:
        for row in connection.execute(query):
            found.setdefault(row.version, set()).add(row.hour)
    return found


def between(
    ledger: Ledger, model: str, version: int, since: datetime, until: datetime
) -> list[Hour]:
    """What was found of the hours that began in ``[since, until)``, oldest first."""
    query = (
        sa.select(DRIFT)
        .where(
            DRIFT.c.model == model,
            DRIFT.c.version == version,
            DRIFT.c.hour >= since.isoformat(),
            DRIFT.c.hour < until.isoformat(),
        )
        .order_by(DRIFT.c.hour)
    )
    with ledger.read() as connection:
        return [_hour(row) for row in connection.execute(query)]


def lately(ledger: Ledger, model: str, since: datetime) -> list[Hour]:
    """What was found of the hours of a model's traffic from then on, oldest first."""
    query = (
        sa.select(DRIFT)
        .where(DRIFT.c.model == model, DRIFT.c.hour >= since.isoformat())
        .order_by(DRIFT.c.hour, DRIFT.c.version)
    )
    with ledger.read() as connection:
        return [_hour(row) for row in connection.execute(query)]


def latest(
    ledger: Ledger, model: str, version: int | None = None, before: datetime | None = None
) -> Hour | None:
    """The newest hour that was judged, of a model or of one version; begun before a time if any."""
    query = sa.select(DRIFT).where(DRIFT.c.model == model).order_by(DRIFT.c.hour.desc()).limit(1)
    if version is not None:
        query = query.where(DRIFT.c.version == version)
    if before is not None:
        query = query.where(DRIFT.c.hour < before.isoformat())
    with ledger.read() as connection:
        row = connection.execute(query).first()
    return _hour(row) if row else None


def terms(ledger: Ledger, model: str) -> list[tuple[int, datetime, datetime | None]]:
    """Which version was in production from when until when (None: still), oldest first."""
    query = (
        sa.select(MOVE.c.version, MOVE.c.at)
        .where(MOVE.c.model == model, MOVE.c.channel == "production")
        .order_by(MOVE.c.seq)
    )
    with ledger.read() as connection:
        moves = [(row.version, datetime.fromisoformat(row.at)) for row in connection.execute(query)]
    ends = [*(at for _, at in moves), None][1:]
    return [(version, at, end) for (version, at), end in zip(moves, ends, strict=True)]


def needed(ledger: Ledger, now: datetime) -> set[str]:
    """The digests of counts that are kept: for good when something had moved, else for 30 days."""
    since = (now - timedelta(days=KEPT_DAYS)).isoformat()
    kept: set[str] = set()
    with ledger.read() as connection:
        for row in connection.execute(sa.select(DRIFT)):
            found = _hour(row)
            kept |= {str(found.day["evidence"])} if found.day["evidence"] else set()
            if found.hour >= since or found.verdict == "fail":
                kept.add(str(found.body["counts"]))
    return kept


def columns_said(columns: Sequence[Mapping[str, Any]], count: int, unit: str) -> str:
    """Columns with their numbers in a sentence; ``count`` is how many there are in all.

    >>> columns_said([{"name": "dep_delay", "value": 0.314, "limit": 0.1}], 2, "nats")
    'dep_delay 0.31 nats (limit 0.1), and 1 more column'
    """
    said = [
        f"{each['name']} {each['value']:.2g}{f' {unit}' if unit else ''} (limit {each['limit']:g})"
        for each in columns
    ]
    rest = count - len(said)
    if rest > 0:
        said.append(f"and {rest} more column{'s' * (rest != 1)}")
    return ", ".join(said)


def _hour(row: Any) -> Hour:
    known = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Hour(**{**known, "body": json.loads(known["body"])})
