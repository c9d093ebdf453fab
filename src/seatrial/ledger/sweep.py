"""Remove the blobs that nothing names any more, here and in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError
from seatrial.workspace import BLOBS

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime, timedelta

    from seatrial.ledger.blob_stores.store import BlobStore
    from seatrial.ledger.blobs import Blobs


@dataclass(frozen=True, slots=True)
class Swept:
    """What was removed. A blob counts once, also if it lay in the store and here."""

    blobs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Named:
    """What a ledger names: it, by the hash of its first event; the digests that it still needs.

    ``manifests`` are those of all versions that still have their files.
    """

    ledger: str | None
    digests: AbstractSet[str]
    manifests: Sequence[str]


def sweep(blobs: Blobs, named: Named, grace: timedelta, now: datetime) -> Swept:
    """Remove what is not named and was put longer than ``grace`` ago.

    In the folder that is judged by ``now``, in the store by its own time. StoreError when the
    blobs in the store are not this ledger's; then nothing is removed, here neither.
    """
    sizes = {} if blobs.store is None else _in_store(blobs.store, named, grace)
    sizes |= _in_folder(blobs, named.digests, (now - grace).timestamp())
    return Swept(len(sizes), sum(sizes.values()))


def _in_store(store: BlobStore, named: Named, grace: timedelta) -> dict[str, int]:
    if named.ledger is None or not named.manifests:
        return {}  # a ledger without any version cannot tell whose blobs these are
    store.claim(named.ledger)
    oldest = store.now() - grace
    kept = [*store.kept()]
    absent = {*named.manifests}.difference(each.digest for each in kept)
    if absent:
        what = f"the store lacks {len(absent)} of the versions in this ledger: is it the right one?"
        fix = f"correct {BLOBS}, or restore what is missing; nothing was removed"
        raise StoreError(Mistake(what, where=store.address, fix=fix))
    old = [
        each
        for each in kept
        if each.digest not in named.digests and each.at is not None and each.at < oldest
    ]
    store.remove(old)
    return {each.digest or each.name: each.bytes for each in old}


def _in_folder(blobs: Blobs, named: Container[str], oldest_s: float) -> dict[str, int]:
    """``oldest_s`` is in seconds since 1970."""
    files = {digest: path for digest, path in blobs.all() if digest not in named}
    files |= {path.name: path for path in blobs.partial()}
    sizes = {}
    for name, path in files.items():
        about = path.stat()
        if about.st_mtime < oldest_s:
            sizes[name] = about.st_size
            path.unlink()
    return sizes
