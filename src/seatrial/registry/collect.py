"""Drop what nothing needs: blobs of versions that never served, and what killed writers left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger import replaced
from seatrial.ledger.tables import REUSE, RUN, STEP, VERSION
from seatrial.registry import brakes, drifts, watches
from seatrial.registry.registry import PRODUCTION, Registry, Version

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.ledger.store import Transaction

RETAINED = 2
"""Earlier production versions of a model that stay loadable."""

EVIDENCE = frozenset({"shadow", "pairs", "labels"})
"""Blobs of outcomes that are kept for good: the traffic behind a verdict does not last."""

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
    in the history.
    """
    now = registry.ledger.clock()
    needed = _needed(registry)
    dropped = tuple(
        version
        for version in registry.versions()
        if not version.collected
        and (version.model, version.version) not in needed
        and datetime.fromisoformat(version.created) < now - keep
    )
    if dropped:
        registry.ledger.write(lambda transaction: _forget(transaction, dropped))
    marked = _marked(registry)
    oldest = (now - grace).timestamp()
    files = [
        path
        for digest, path in registry.blobs.all()
        if digest not in marked and path.stat().st_mtime < oldest
    ]
    files += [path for path in registry.blobs.partial() if path.stat().st_mtime < oldest]
    size = _remove(files)
    return Collected(dropped, len(files), size)


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


def _forget(transaction: Transaction, versions: Iterable[Version]) -> None:
    for version in versions:
        transaction.append(
            "version_collected", {"model": version.model, "version": version.version}
        )
        transaction.connection.execute(
            VERSION.update()
            .where(VERSION.c.model == version.model, VERSION.c.version == version.version)
            .values(collected=transaction.at)
        )


def _marked(registry: Registry) -> set[str]:
    """Digests that something still names."""
    marked: set[str] = set()
    for version in registry.versions():
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
        named = (event.body.get("evidence") for event in registry.ledger.events(kind))
        marked |= {str(digest) for digest in named if digest}
    marked |= drifts.needed(registry.ledger, registry.ledger.clock())
    marked |= replaced.digests(registry.ledger)
    _drop_stale_reuse(registry, marked)
    return marked


def _drop_stale_reuse(registry: Registry, marked: set[str]) -> None:
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


def _remove(files: Iterable[Path]) -> int:
    size = 0
    for path in files:
        size += path.stat().st_size
        path.unlink()
    return size
