"""Register versions and move channels, each by one transaction; the ledger keeps the history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, StoreError, UsageError
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import CHANNEL, EVENT, MOVE, POLICY, VERSION
from seatrial.registry import watches
from seatrial.registry.placed import demand_place, place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.ledger.blobs import Blobs
    from seatrial.ledger.store import Ledger, Stored, Transaction

PRODUCTION = "production"
STAGING = "staging"


# Made once: building a statement costs more than SQLite needs to answer it.
_POINTED = sa.select(CHANNEL).where(
    CHANNEL.c.model == sa.bindparam("model"), CHANNEL.c.channel == sa.bindparam("channel")
)
_RESOLVED = (
    sa.select(VERSION)
    .join(
        CHANNEL,
        sa.and_(CHANNEL.c.model == VERSION.c.model, CHANNEL.c.version == VERSION.c.version),
    )
    .where(CHANNEL.c.model == sa.bindparam("model"), CHANNEL.c.channel == sa.bindparam("channel"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A registered model: its manifest's digest names all that belongs to it."""

    model: str
    version: int
    digest: str
    label: str
    created: str
    run: str | None = None
    collected: str | None = None

    def __str__(self) -> str:
        return f"{self.model} version {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where a channel points; ``revision`` counts its moves and is what a move is compared with."""

    model: str
    channel: str
    version: int
    revision: int
    since: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of a channel that is wanted: from revision ``expect`` (0: never moved) to a version.

    ``once`` names what asks (run and task): asked again, a move that was made is not made twice.
    ``evidence`` is the digest of the blob that it rests on, if any.
    """

    model: str
    channel: str
    version: int
    expect: int
    event: str
    by: str
    reason: str
    once: str | None = None
    evidence: str | None = None


class MovedError(StoreError):
    """The channel was moved by somebody else since it was looked at; nothing changed."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The versions and channels of one ledger."""

    ledger: Ledger
    blobs: Blobs

    def register(
        self, model: str, manifest: Mapping[str, object], *, label: str, run: str, by: str
    ) -> Version:
        """Keep a version and point *staging* at it.

        The same manifest is the same version: it is returned, not numbered again. ``label`` may
        hold ``{version}``. The manifest's blobs must be kept already. :class:`StoreError` when the
        store holds the blobs of another project, :class:`UsageError` when this one's are elsewhere.
        """
        store, first = self.blobs.store, self.ledger.first()
        demand_place(self.ledger, store)
        if store is not None and first is not None:
            store.claim(first)
        digest = self.blobs.put(canonical(manifest).encode())

        def change(transaction: Transaction) -> Version:
            connection = transaction.connection
            if store is not None:
                place(transaction, store)
            known = connection.execute(
                sa.select(VERSION).where(VERSION.c.model == model, VERSION.c.digest == digest)
            ).first()
            if known:
                version = _version(known)
                if version.collected:
                    # its blobs were just kept again, so it is whole again
                    connection.execute(
                        VERSION.update()
                        .where(VERSION.c.model == model, VERSION.c.version == version.version)
                        .values(collected=None)
                    )
            else:
                latest = sa.select(sa.func.max(VERSION.c.version)).where(VERSION.c.model == model)
                number = (connection.execute(latest).scalar() or 0) + 1
                version = Version(
                    model=model,
                    version=number,
                    digest=digest,
                    label=label.replace("{version}", str(number)),
                    created=transaction.at,
                    run=run,
                )
                body = {"model": model, "version": number, "digest": digest, "label": version.label}
                transaction.append("version_registered", {**body, "run": run})
                connection.execute(
                    VERSION.insert().values(**body, run=run, created=version.created)
                )
            self._stage(transaction, version, run, by)
            return version

        return self.ledger.write(change)

    def _stage(self, transaction: Transaction, version: Version, run: str, by: str) -> None:
        staged = _channel(transaction.connection, version.model, STAGING)
        if staged and staged.version == version.version:
            return
        _move(
            transaction,
            Move(
                model=version.model,
                channel=STAGING,
                version=version.version,
                expect=staged.revision if staged else 0,
                event="stage",
                by=by,
                reason=f"registered by run {run}",
            ),
        )

    def move(
        self,
        move: Move,
        policy: Mapping[str, object] | None = None,
        also: Callable[[Transaction], None] | None = None,
    ) -> None:
        """Move a channel by compare-and-swap, and install a rollback policy with it.

        A promotion that replaces a version is watched from this transaction on, by the policy in
        force. ``also`` is done in the same transaction, unless the move was made before.
        Raises :class:`MovedError` when the channel's revision is no longer ``move.expect``.
        """
        self.ledger.write(lambda transaction: perform(transaction, move, policy, also))

    def made(self, once: str) -> bool:
        """Whether the move that is named so was made."""
        with self.ledger.read() as connection:
            return _made(connection, once)

    def install_policy(self, model: str, policy: Mapping[str, object]) -> None:
        """Replace the rollback policy; the same policy again changes nothing."""
        if self.policy(model) != policy:
            self.ledger.write(lambda transaction: _install(transaction, model, policy))

    def policy(self, model: str) -> Mapping[str, object] | None:
        """The rollback policy in force for what serves."""
        with self.ledger.read() as connection:
            return _policy(connection, model)

    def channel(self, model: str, channel: str) -> Channel | None:
        """Where a channel points now; ``None`` when it was never moved."""
        with self.ledger.read() as connection:
            return _channel(connection, model, channel)

    def resolve(self, model: str, channel: str) -> Version | None:
        """The version that a channel points at; ``None`` when it was never moved."""
        with self.ledger.read() as connection:
            row = connection.execute(_RESOLVED, {"model": model, "channel": channel}).first()
        return _version(row) if row else None

    def channels(self) -> list[Channel]:
        """Every channel of every model."""
        with self.ledger.read() as connection:
            query = sa.select(CHANNEL).order_by(CHANNEL.c.model, CHANNEL.c.channel)
            return [Channel(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001

    def version(self, model: str, number: int) -> Version:
        """A version by its number; :class:`UsageError` when there is none."""
        with self.ledger.read() as connection:
            row = connection.execute(
                sa.select(VERSION).where(VERSION.c.model == model, VERSION.c.version == number)
            ).first()
        if row is None:
            known = [str(v.version) for v in self.versions(model)]
            raise UsageError(
                Mistake(
                    f"{model} has no version {number}",
                    fix=f"versions: {', '.join(known)}" if known else "no model of this name yet",
                )
            )
        return _version(row)

    def versions(self, model: str | None = None) -> list[Version]:
        """Versions of one model or of all, oldest first."""
        query = sa.select(VERSION).order_by(VERSION.c.model, VERSION.c.version)
        if model is not None:
            query = query.where(VERSION.c.model == model)
        with self.ledger.read() as connection:
            return [_version(row) for row in connection.execute(query)]

    def models(self) -> list[str]:
        """The names of all models that have a version, in order."""
        query = sa.select(VERSION.c.model).distinct().order_by(VERSION.c.model)
        with self.ledger.read() as connection:
            return list(connection.execute(query).scalars())

    def previous(self, model: str) -> int | None:
        """The version that was in production before the one that is."""
        current = self.channel(model, PRODUCTION)
        if current is None:
            return None
        query = (
            sa.select(MOVE.c.version)
            .where(MOVE.c.model == model, MOVE.c.channel == PRODUCTION)
            .order_by(MOVE.c.seq.desc())
        )
        with self.ledger.read() as connection:
            served = connection.execute(query).scalars().all()
        return next((number for number in served if number != current.version), None)

    def delivered(self, model: str) -> set[int]:
        """The versions that are or were in production."""
        query = sa.select(MOVE.c.version).where(MOVE.c.model == model, MOVE.c.channel == PRODUCTION)
        with self.ledger.read() as connection:
            return set(connection.execute(query.distinct()).scalars())

    def manifest(self, version: Version) -> dict[str, object]:
        """The manifest, its digest verified."""
        return dict(json.loads(self.blobs.get(version.digest, of=str(version))))

    def file(self, version: Version, name: str) -> bytes:
        """A file of a version, its digest verified; :class:`StoreError` names the version."""
        files = self.manifest(version)["files"]
        return self.blobs.get(files[name], of=str(version))  # type: ignore[index]

    def verify(self, version: Version) -> None:
        """Read every file of a version; :class:`StoreError` when one is damaged or gone."""
        files: Mapping[str, str] = self.manifest(version)["files"]  # type: ignore[assignment]
        for digest in files.values():
            self.blobs.get(digest, of=str(version))

    def history(self, model: str | None = None) -> list[dict[str, object]]:
        """Every move of *production*, oldest first: who was in production when, and why.

        ``evidence`` is the digest of the blob that the move rests on; None when it rests on none.
        """
        query = (
            sa.select(MOVE, EVENT.c.body)
            .join(EVENT, EVENT.c.seq == MOVE.c.seq)
            .where(MOVE.c.channel == PRODUCTION)
            .order_by(MOVE.c.seq)
        )
        if model is not None:
            query = query.where(MOVE.c.model == model)
        keys = ("at", "event", "model", "version", "by", "reason")
        with self.ledger.read() as connection:
            return [
                {
                    **{key: getattr(row, key) for key in keys},
                    "evidence": json.loads(row.body).get("evidence"),
                }
                for row in connection.execute(query)
            ]


def _version(row: sa.Row[tuple[object, ...]]) -> Version:
    return Version(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _channel(connection: sa.Connection, model: str, channel: str) -> Channel | None:
    row = connection.execute(_POINTED, {"model": model, "channel": channel}).first()
    return Channel(**row._mapping) if row else None  # noqa: SLF001


def _made(connection: sa.Connection, once: str) -> bool:
    return connection.execute(sa.select(MOVE.c.seq).where(MOVE.c.once == once)).first() is not None


def _policy(connection: sa.Connection, model: str) -> Mapping[str, object] | None:
    body = connection.execute(sa.select(POLICY.c.body).where(POLICY.c.model == model)).scalar()
    return json.loads(body) if body else None


def _watch(transaction: Transaction, move: Move, moved: Stored, *, judged: bool) -> None:
    """What served is watched no longer; what was promoted in its place is, from now on.

    ``judged`` says that the policy came with this move: else it compared two other versions.
    """
    watches.supersede(transaction, move.model, f"production moved to version {move.version}")
    policy = _policy(transaction.connection, move.model)
    previous = moved.body["previous"]
    if move.event == "promote" and policy is not None and previous not in {None, move.version}:
        replaced = int(str(previous))
        known = dict(policy) if judged else {**policy, "disagreement": None}
        watches.open_watch(transaction, moved.seq, move.model, move.version, replaced, known)


def perform(
    transaction: Transaction,
    move: Move,
    policy: Mapping[str, object] | None = None,
    also: Callable[[Transaction], None] | None = None,
) -> None:
    """:meth:`Registry.move`, for whoever decides more than a move in one transaction."""
    if move.once and _made(transaction.connection, move.once):
        return
    moved = _move(transaction, move)
    if policy is not None:
        _install(transaction, move.model, policy)
    if also is not None:
        also(transaction)
    if move.channel == PRODUCTION:
        _watch(transaction, move, moved, judged=policy is not None)


def _move(transaction: Transaction, move: Move) -> Stored:
    connection = transaction.connection
    current = _channel(connection, move.model, move.channel)
    if (current.revision if current else 0) != move.expect:
        raise MovedError(
            Mistake(
                f"{move.channel} of {move.model} was moved meanwhile"
                + (f" (to version {current.version})" if current else ""),
                fix="look at `seatrial history`, then try again; nothing was changed",
            )
        )
    _demand_files(connection, move)
    body = {
        "event": move.event,
        "model": move.model,
        "channel": move.channel,
        "version": move.version,
        "previous": current.version if current else None,
        "by": move.by,
        "reason": move.reason,
    }
    evidence = {"evidence": move.evidence} if move.evidence else {}
    stored = transaction.append("channel_moved", {**body, **evidence})
    connection.execute(MOVE.insert().values(seq=stored.seq, at=stored.at, once=move.once, **body))
    values = {
        "version": move.version,
        "revision": move.expect + 1,
        "since": stored.at,
        "reason": move.reason,
    }
    if current is None:
        connection.execute(
            CHANNEL.insert().values(model=move.model, channel=move.channel, **values)
        )
    else:
        connection.execute(
            CHANNEL.update()
            .where(CHANNEL.c.model == move.model, CHANNEL.c.channel == move.channel)
            .values(**values)
        )
    return stored


def _demand_files(connection: sa.Connection, move: Move) -> None:
    """A collection may have been quicker than whoever found them whole."""
    when = connection.execute(
        sa.select(VERSION.c.collected).where(
            VERSION.c.model == move.model, VERSION.c.version == move.version
        )
    ).scalar()
    if when is not None:
        raise StoreError(
            Mistake(
                f"the files of {move.model} version {move.version} were collected",
                fix="train it again: the same content is the same version; nothing was changed",
            )
        )


def _install(transaction: Transaction, model: str, policy: Mapping[str, object]) -> None:
    transaction.append("policy_installed", {"model": model, "policy": policy})
    transaction.connection.execute(POLICY.delete().where(POLICY.c.model == model))
    transaction.connection.execute(POLICY.insert().values(model=model, body=canonical(policy)))
