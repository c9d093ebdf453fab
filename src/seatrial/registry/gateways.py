"""Which gateways live, and what each of them says of a version: prepared, refused, serving."""

from __future__ import annotations

import fcntl
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING

import sqlalchemy as sa

from seatrial import workspace
from seatrial.ledger.tables import GATEWAY, READINESS

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.ledger.store import Ledger, Transaction

READY = "ready"
SERVING = "serving"
REFUSED = "refused"
FAILED = "failed"
DROPPED = "dropped"
"""What a gateway says of a version: loaded and proven · answers every request · loaded, but not
what was registered · could not be loaded · no longer kept loaded."""

SEEN_S = 15.0
"""A gateway of another machine that was not seen for so long counts as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One incarnation of ``seatrial serve``; the ledger fills in the times.

    ``control`` is where people reach its web page, None where it has none that a link can lead to.
    """

    id: str
    host: str
    pid: int
    address: str
    workers: int
    started: str = ""
    seen: str = ""
    left: str | None = None
    control: str | None = None

    def __str__(self) -> str:
        return f"gateway {self.address} (pid {self.pid} on {self.host})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a gateway said of a version, and when.

    ``reason``: why it does not serve it, or where its machine differs although it does.
    """

    gateway: str
    model: str
    version: int
    digest: str
    state: str
    reason: str | None
    at: str

    @property
    def proven(self) -> bool:
        """It is ready or serves only after its golden rows were answered equally there."""
        return self.state in {READY, SERVING}


def hold(home: Path, identity: str) -> IO[bytes]:
    """Say that a gateway lives, until the file is closed or the process dies, however it dies.

    >>> import tempfile, pathlib
    >>> home = pathlib.Path(tempfile.mkdtemp())
    >>> with hold(home, "01J"):
    ...     held(home, "01J")
    True
    >>> held(home, "01J")
    False
    """
    file = _lock(home, identity)
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = file.open("ab")
    fcntl.flock(opened, fcntl.LOCK_EX)
    return opened


def held(home: Path, identity: str) -> bool:
    """Whether a process on this host lives that called :func:`hold`."""
    try:
        looked = os.open(_lock(home, identity), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(looked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(looked)
    return False


def enter(ledger: Ledger, gateway: Gateway) -> None:
    """Note a gateway that has started, once; call :func:`hold` before."""

    def change(transaction: Transaction) -> None:
        known = {"started": transaction.at, "seen": transaction.at, "left": None}
        body = {
            "gateway": gateway.id,
            "host": gateway.host,
            "pid": gateway.pid,
            "address": gateway.address,
            "workers": gateway.workers,
        }
        connection = transaction.connection
        if connection.execute(sa.select(GATEWAY.c.id).where(GATEWAY.c.id == gateway.id)).first():
            return
        transaction.append("gateway_started", body)
        connection.execute(GATEWAY.insert().values(**{**asdict(gateway), **known}))

    ledger.write(change)


def beat(ledger: Ledger, identity: str) -> None:
    """Note that a gateway still lives. A beat is no event."""
    ledger.write(
        lambda transaction: (
            transaction.connection.execute(
                GATEWAY.update().where(GATEWAY.c.id == identity).values(seen=transaction.at)
            ).rowcount
        )
    )


def leave(ledger: Ledger, identity: str) -> None:
    """Note that a gateway stopped; said again, it changes nothing."""

    def change(transaction: Transaction) -> None:
        left = transaction.connection.execute(
            GATEWAY.update()
            .where(GATEWAY.c.id == identity, GATEWAY.c.left.is_(None))
            .values(left=transaction.at)
        )
        if left.rowcount:
            transaction.append("gateway_stopped", {"gateway": identity})

    ledger.write(change)


def live(ledger: Ledger, home: Path) -> list[Gateway]:
    """The gateways that live now, oldest first.

    On this host the kernel knows; one of another host was seen within the last 15 s.
    """
    host, since = workspace.machine(home), ledger.clock() - timedelta(seconds=SEEN_S)
    query = sa.select(GATEWAY).where(GATEWAY.c.left.is_(None)).order_by(GATEWAY.c.started)
    with ledger.read() as connection:
        found = [Gateway(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001
    return [
        each
        for each in found
        if (
            held(home, each.id) if each.host == host else datetime.fromisoformat(each.seen) >= since
        )
    ]


def acknowledge(
    ledger: Ledger,
    gateway: str,
    model: str,
    version: int,
    digest: str,
    state: str,
    reason: str | None = None,
) -> None:
    """Note what a gateway says of a version; said again, it changes nothing.

    One version of a model serves at a time: what served there before is ready again.
    """
    place = _place(gateway, model, version)
    told = {"digest": digest, "state": state, "reason": reason or None}

    def change(transaction: Transaction) -> None:
        connection = transaction.connection
        before = connection.execute(sa.select(READINESS).where(*place)).first()
        if before and {key: getattr(before, key) for key in told} == told:
            return
        connection.execute(READINESS.delete().where(*place))
        if state == DROPPED:
            return
        ids = {"gateway": gateway, "model": model, "version": version}
        if state == SERVING:
            connection.execute(
                READINESS.update()
                .where(
                    READINESS.c.gateway == gateway,
                    READINESS.c.model == model,
                    READINESS.c.state == SERVING,
                )
                .values(state=READY, at=transaction.at)
            )
            if not (before and before.state == SERVING):  # it has only more to say about it
                transaction.append("version_served", {**ids, "digest": digest})
        elif not (before and before.state == SERVING and state == READY):
            transaction.append("version_prepared", {**ids, **told})
        connection.execute(READINESS.insert().values(**ids, **told, at=transaction.at))

    ledger.write(change)


def readiness(ledger: Ledger, model: str, version: int) -> dict[str, Readiness]:
    """What each gateway said of a version, by the gateway's id; the dead ones too."""
    query = sa.select(READINESS).where(READINESS.c.model == model, READINESS.c.version == version)
    with ledger.read() as connection:
        rows = connection.execute(query)
        return {row.gateway: Readiness(**row._mapping) for row in rows}  # noqa: SLF001


def _lock(home: Path, identity: str) -> Path:
    return home / "gateways" / f"{identity}.lock"


def _place(gateway: str, model: str, version: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        READINESS.c.gateway == gateway,
        READINESS.c.model == model,
        READINESS.c.version == version,
    )
