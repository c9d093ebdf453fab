"""Drop what nothing needs: blobs of versions that never served, and what killed writers left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger import replaced
from seatrial.ledger.sweep import Named, sweep
from seatrial.ledger.tables import EVENT, REUSE, RUN, STEP, VERSION
from seatrial.registry import brakes, drifts, watches
from seatrial.registry.registry import PRODUCTION, Registry, Version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from seatrial.ledger.store import Transaction

RETAINED = 2
"""Earlier production versions of a model that stay loadable."""

EVIDENCE = frozenset(
    {"answers", "distribution", "environments", "labels", "pairs", "shadow", "slices"}
)
"""Blobs of outcomes that are kept for good: they are small, and what is behind a verdict, traffic
and rows, does not last. From them any past run can be drawn again."""

GRACE = timedelta(days=1)
"""A blob younger than this may belong to a step that has not been recorded yet."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection dropped."""

    versions: tuple[Version, ...]
    blobs: int
    bytes: int


def collect(registry: Registry, keep: timedelta, grace: timedelta = GRACE) -> Collected:
    """Drop the files of versions older than ``keep`` that nothing needs, and ownerless blobs.

    Never touched: what a channel points at, the last two earlier production versions, what is in
    quarantine, and what an unfinished run made. A dropped version keeps its manifest and its place
    in the history. StoreError when the store holds another project's blobs.
    """
    now = registry.ledger.clock()
    dropped = _unneeded(registry, now - keep)
    if dropped:
        # looked at again as the only writer: one of them may serve by now
        dropped = registry.ledger.write(
            lambda transaction: _forget(transaction, _unneeded(registry, now - keep))
        )
    still = named(registry)
    _drop_stale_reuse(registry, still.digests)
    swept = sweep(registry.blobs, still, grace, now)
    return Collected(dropped, swept.blobs, swept.bytes)


def _unneeded(registry: Registry, before: datetime) -> tuple[Version, ...]:
    """What has its files still, was made ``before`` and is not needed."""
    needed = _needed(registry)
    return tuple(
        version
        for version in registry.versions()
        if not version.collected
        and (version.model, version.version) not in needed
        and datetime.fromisoformat(version.created) < before
    )


def _needed(registry: Registry) -> set[tuple[str, int]]:
    needed = {(channel.model, channel.version) for channel in registry.channels()}
    served: dict[str, list[int]] = {}
    for move in reversed(registry.history()):
        numbers = served.setdefault(str(move["model"]), [])
        if move["version"] not in numbers:
            numbers.append(int(str(move["version"])))
    for model, numbers in served.items():
        current = registry.channel(model, PRODUCTION)
        earlier = [n for n in numbers if current is None or n != current.version]
        needed |= {(model, number) for number in earlier[:RETAINED]}
    with registry.ledger.read() as connection:
        unfinished = connection.execute(sa.select(RUN.c.id).where(RUN.c.ended.is_(None))).scalars()
        runs = set(unfinished)
        for model in served:
            # where production goes back to when the version before is damaged
            needed |= {(model, number) for number in watches.known_good(connection, model)[:1]}
    needed |= {(each.model, each.version) for each in brakes.all_quarantined(registry.ledger)}
    return needed | {(v.model, v.version) for v in registry.versions() if v.run in runs}


def _forget(transaction: Transaction, versions: tuple[Version, ...]) -> tuple[Version, ...]:
    """Note that they have no files any more; the same versions."""
    for version in versions:
        transaction.append(
            "version_collected", {"model": version.model, "version": version.version}
        )
        transaction.connection.execute(
            VERSION.update()
            .where(VERSION.c.model == version.model, VERSION.c.version == version.version)
            .values(collected=transaction.at)
        )
    return versions


def named(registry: Registry) -> Named:
    """The blobs that something in the ledger still needs."""
    versions = registry.versions()
    with registry.ledger.read() as connection:
        first = connection.execute(sa.select(EVENT.c.hash).where(EVENT.c.seq == 1)).scalar()
    return Named(
        ledger=first,
        digests=_marked(registry, versions),
        manifests=[version.digest for version in versions if not version.collected],
    )


def _marked(registry: Registry, versions: Iterable[Version]) -> set[str]:
    """Digests that something still names."""
    marked: set[str] = set()
    for version in versions:
        marked.add(version.digest)
        if not version.collected:
            files: dict[str, str] = registry.manifest(version)["files"]  # type: ignore[assignment]
            marked |= set(files.values())
    with registry.ledger.read() as connection:
        unfinished = set(
            connection.execute(sa.select(RUN.c.id).where(RUN.c.ended.is_(None))).scalars()
        )
        outcomes = sa.select(STEP.c.run, STEP.c.outcome).where(STEP.c.outcome.is_not(None))
        for step in connection.execute(outcomes):
            for name, digest in json.loads(step.outcome)["blobs"].items():
                if step.run in unfinished or name in EVIDENCE:
                    marked.add(digest)
    for kind in ("channel_moved", "watch_closed", "review_settled"):
        evidence = (event.body.get("evidence") for event in registry.ledger.events(kind))
        marked |= {str(digest) for digest in evidence if digest}
    marked |= drifts.needed(registry.ledger, registry.ledger.clock())
    marked |= replaced.digests(registry.ledger)
    return marked


def _drop_stale_reuse(registry: Registry, marked: AbstractSet[str]) -> None:
    """What may be re-used must be whole: forget results whose blobs are about to go."""
    with registry.ledger.read() as connection:
        rows = connection.execute(sa.select(REUSE)).all()
    stale = [r.key for r in rows if not set(json.loads(r.outcome)["blobs"].values()) <= marked]
    if stale:
        registry.ledger.write(
            lambda transaction: transaction.connection.execute(
                REUSE.delete().where(REUSE.c.key.in_(stale))
            )
        )
