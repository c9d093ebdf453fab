"""Copy the blobs of a home into a store, and read each of them back from there."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.ledger.blobs import digest_of
from seatrial.registry.opened import files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from seatrial.ledger.blob_stores.store import BlobStore
    from seatrial.registry.registry import Registry

S = TypeVar("S")
T = TypeVar("T")

AT_ONCE = 4
"""Blobs on their way at the same time; each is in memory as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How many blobs were put into the store, of how many bytes, and how many were there already.

    ``left`` files of the folder are damaged, and nothing names them.
    """

    put: int
    bytes: int
    there: int
    left: int


@dataclass(frozen=True, slots=True)
class _Blob:
    """One file of the folder; it is ``put``, was ``there``, or is ``damaged``."""

    digest: str
    bytes: int
    became: str


def carry(registry: Registry, store: BlobStore, named: AbstractSet[str]) -> Carried:
    """Copy what the store lacks; in the end each blob that is named is whole there.

    StoreError, which tells whose they are, when some are not.
    """
    kept = {each.digest for each in store.kept()}

    def carried(blob: tuple[str, Path]) -> _Blob:
        return _carried(store, *blob, there=blob[0] in kept)

    found = [*_at_once(carried, registry.blobs.all())]
    named_still = sorted(named - {blob.digest for blob in found if blob.became != "damaged"})
    answers = _at_once(lambda digest: _whole(store, digest), named_still)
    _demand(registry, store.place, dict(zip(named_still, answers, strict=True)))
    put = [blob.bytes for blob in found if blob.became == "put"]
    there = sum(blob.became == "there" for blob in found)
    left = sum(blob.became == "damaged" and blob.digest not in named for blob in found)
    return Carried(put=len(put), bytes=sum(put), there=there, left=left)


def prove_blobs(registry: Registry, named: AbstractSet[str]) -> None:
    """Read every blob that is named, where blobs are kept now; StoreError tells of all damage."""

    def whole(digest: str) -> bool:
        try:
            registry.blobs.get(digest)
        except PassingError:
            raise
        except StoreError:
            return False
        return True

    digests = sorted(named)
    answers = _at_once(whole, digests)
    _demand(
        registry, lambda d: str(registry.blobs.path(d)), dict(zip(digests, answers, strict=True))
    )


def _carried(store: BlobStore, digest: str, file: Path, *, there: bool) -> _Blob:
    content = file.read_bytes()
    if digest_of(content) != digest:
        return _Blob(digest, len(content), "damaged")
    if there and store.get(digest) == content:
        return _Blob(digest, len(content), "there")
    store.put(digest, content)
    if store.get(digest) != content:
        what = "the store does not give back what was put into it"
        raise StoreError(Mistake(what, where=store.place(digest), fix="use another store"))
    return _Blob(digest, len(content), "put")


def _whole(store: BlobStore, digest: str) -> bool:
    content = store.get(digest)
    return content is not None and digest_of(content) == digest


def _demand(registry: Registry, place: Callable[[str], str], whole: Mapping[str, bool]) -> None:
    lost = [digest for digest, is_whole in whole.items() if not is_whole]
    if lost:
        owners = _owners(registry)
        raise StoreError(
            *(
                Mistake(
                    f"a blob of {owners.get(digest, 'the history')} is missing or damaged",
                    where=place(digest),
                    fix="restore the file from a backup; nothing was switched",
                )
                for digest in lost
            )
        )


def _owners(registry: Registry) -> dict[str, str]:
    """Digests of files by the version that they belong to, where that can be read."""
    owners: dict[str, str] = {}
    for version in registry.versions():
        owners[version.digest] = str(version)
        with contextlib.suppress(StoreError):
            owners |= dict.fromkeys(files_of(registry, version).values(), str(version))
    return owners


def _at_once(do: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """Some at a time, in order; what one of them meets keeps the rest from being begun."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            yield from threads.map(do, items)
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
