"""Move a project: copy, verify, and only then say that it is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, UsageError
from seatrial.ledger import moved
from seatrial.ledger.blob_stores.store import BlobStore
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.registry.collect import named
from seatrial.registry.moving.contents import carry, prove_blobs
from seatrial.registry.moving.rows import close, copy, prove
from seatrial.registry.placed import place

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.ledger.store import Transaction
    from seatrial.registry.moving.contents import Carried
    from seatrial.registry.moving.rows import Copied
    from seatrial.registry.project import Project


@dataclass(frozen=True, slots=True)
class Destination:
    """Addresses of the database and of the store; ``None``: that part stays where it is."""

    database: str | None
    blobs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was done. ``copied`` and ``carried`` are ``None`` where nothing had to be."""

    copied: Copied | None
    carried: Carried | None
    events: int
    head: str
    blobs: int
    now: moved.Moved


def move(project: Project, to: Destination, say: Callable[[str], None]) -> Told:
    """Move what is not there yet; done again, it goes on, or finds that all is done.

    ``project`` is as it stands now, and nobody else is at work in its home. Until everything was
    verified the old ledger and the old blobs count, and nothing is ever removed.
    UsageError when the destination holds another project; StoreError when something is damaged.
    """
    home = project.workspace.home
    was = moved.moved(home)
    store = _store(was, to)
    if to.database is None or project.workspace.database is not None:
        told = _moved(project, was, store, say)
        _place(project.ledger, store)
    else:
        new = Ledger(to.database, project.workspace.clock)
        try:
            told = _with_ledger(project, new, was, store, say)
            _place(new, store)
        finally:
            new.close()
    if told.now != was:
        moved.note(home, told.now)
    return told


def _store(was: moved.Moved, to: Destination) -> BlobStore | None:
    if to.blobs is None:
        return None
    store = BlobStore(to.blobs)
    if was.blobs not in {None, store.address}:
        raise UsageError(
            Mistake(
                f"the blobs of this project moved to {was.blobs} before",
                where=store.address,
                fix=f"from there a store's own tools copy them; then change {moved.FILE}",
            )
        )
    return store


def _with_ledger(
    project: Project,
    new: Ledger,
    was: moved.Moved,
    store: BlobStore | None,
    say: Callable[[str], None],
) -> Told:
    """The whole of it in one write of the old ledger: nobody adds to that meanwhile, or after."""

    def change(transaction: Transaction) -> Told:
        told = _moved(project, was, store, say)
        say(f"copying {told.events} events to {new.where}")
        copied = copy(transaction.connection, new)
        prove(transaction.connection, new, copied)
        close(transaction.connection, new.where)
        now = replace(told.now, database=new.where, first=new.first())
        return replace(told, copied=copied, now=now)

    return project.ledger.write(change)


def _place(ledger: Ledger, store: BlobStore | None) -> None:
    """The ledger that counts from now on says where the blobs are."""
    if store is not None:
        ledger.write(lambda transaction: place(transaction, store))


def _moved(
    project: Project, was: moved.Moved, store: BlobStore | None, say: Callable[[str], None]
) -> Told:
    """The blobs, if they are to be moved; the ledger as it stands is verified in any case."""
    events, head = verify(project.ledger)
    needed = named(project.registry)
    told = Told(
        copied=None, carried=None, events=events, head=head, blobs=len(needed.digests), now=was
    )
    if store is None or was.blobs is not None:
        say(f"verifying {told.blobs} blobs")
        prove_blobs(project.registry, needed.digests)
        return told
    say(f"copying the blobs to {store.address}")
    if needed.ledger is not None:
        store.claim(needed.ledger)
    carried = carry(project.registry, store, needed.digests)
    return replace(told, carried=carried, now=replace(was, blobs=store.address))
