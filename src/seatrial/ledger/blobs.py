"""Content-addressed blobs: a file's name is the SHA-256 of what it holds."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError
from seatrial.ledger.moved import demand_here
from seatrial.workspace import BLOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.ledger.blob_stores.store import BlobStore

PREFIX = "sha256:"
OWED = "owed"


def digest_of(content: bytes) -> str:
    """The digest under which content is kept.

    >>> digest_of(b"")[:15]
    'sha256:e3b0c442'
    """
    return PREFIX + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Blobs:
    """A folder of blobs. A blob is written aside, synced and renamed: it is whole or absent.

    With a ``store`` that is the place of truth, and the folder holds copies of what was read or
    written here: what is not whole in the folder is fetched.
    """

    folder: Path
    store: BlobStore | None = None

    def put(self, content: bytes) -> str:
        """Keep content; returns its digest. What is kept already counts as new for a collection."""
        digest = digest_of(content)
        if self.store is None:
            # whoever opened the folder before its blobs were moved must not go on with it
            demand_here(self.folder.parent, database="", blobs=None)
        else:
            self.store.put(digest, content)
        target = self.path(digest)
        if target.exists():
            _renew(target)
        else:
            self._write(content, target)
        return digest

    def put_later(self, content: bytes) -> str:
        """Keep content in the folder now, and owe it to the store: for what must not wait.

        :meth:`settle` brings it there, of whatever process.
        """
        if self.store is None:
            return self.put(content)
        digest = digest_of(content)
        self._write(content, self.path(digest))
        owed = self.folder / OWED / digest.removeprefix(PREFIX)
        owed.parent.mkdir(exist_ok=True)
        owed.touch()
        return digest

    def settle(self) -> None:
        """Bring to the store what it is owed; raises what the store raises: try again.

        What is no longer whole here cannot be brought: whoever asks for it is told.
        """
        if self.store is None:
            return
        for owed in (self.folder / OWED).glob("*"):
            digest = PREFIX + owed.name
            try:
                content = self.path(digest).read_bytes()
            except OSError:
                content = b""
            if digest_of(content) == digest:
                self.store.put(digest, content)
            owed.unlink(missing_ok=True)

    def get(self, digest: str, of: str = "") -> bytes:
        """The content, verified; ``of`` says in errors whose blob it is (``model m version 3``)."""
        path = self.path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            wrong = "is missing"
        except OSError as error:
            wrong = f"cannot be read: {error.strerror}"
        else:
            if digest_of(content) == digest:
                return content
            wrong = "no longer matches its digest"
        if self.store is None:
            raise StoreError(_damaged(str(path), of, wrong))
        return self._fetched(self.store, digest, of)

    def has(self, digest: str) -> bool:
        """Whether a blob is kept (its content is verified by ``get``)."""
        return self.path(digest).exists() if self.store is None else self.store.has(digest)

    def path(self, digest: str) -> Path:
        """Where a blob lies in the folder, if it does."""
        name = digest.removeprefix(PREFIX)
        return self.folder / name[:2] / name

    def file(self, digest: str, of: str = "") -> Path:
        """A file that holds the blob, for what reads files."""
        if self.store is not None:
            self.get(digest, of)
        return self.path(digest)

    def all(self) -> Iterator[tuple[str, Path]]:
        """Every blob in the folder: digest and file."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            yield PREFIX + path.name, path

    def partial(self) -> Iterator[Path]:
        """Files that a killed writer left behind."""
        yield from (self.folder / "part").glob("*")

    def _fetched(self, store: BlobStore, digest: str, of: str) -> bytes:
        """Out of the store; a copy stays here."""
        content = store.get(digest)
        if content is None:
            raise StoreError(_damaged(store.place(digest), of, "is missing"))
        if digest_of(content) != digest:
            wrong = "no longer matches its digest"
            raise StoreError(_damaged(store.place(digest), of, wrong))
        self._write(content, self.path(digest))
        return content

    def _write(self, content: bytes, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = self.folder / "part"
            aside.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=aside)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).rename(target)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
            _sync_folder(target.parent)
        except OSError as error:
            raise StoreError(
                Mistake(f"cannot keep a blob: {error.strerror}", where=str(target))
            ) from error


def open_blobs(home: Path, store: str | None) -> Blobs:
    """The blobs of a home, or of the ``store`` that several machines share.

    UsageError when that is no address, or what speaks with it is not installed.
    """
    if store is None:
        return Blobs(home / "blobs")
    from seatrial.ledger.blob_stores.store import BlobStore  # noqa: PLC0415 - few have one

    return Blobs(home / "blobs", BlobStore(store))


def blobs_at(home: Path) -> Blobs:
    """The same, for a process that was started with nothing but the home: the rest is inherited."""
    return open_blobs(home, os.environ.get(BLOBS) or None)


def _damaged(where: str, of: str, wrong: str) -> Mistake:
    owner = f" of {of}" if of else ""
    return Mistake(
        f"a blob{owner} {wrong}",
        where=where,
        fix="restore the file from a backup; production is unchanged",
    )


def _renew(file: Path) -> None:
    """Whoever keeps it will name it soon: a collection must not take it for ownerless until then.

    A file of another user's may stay as old as it is.
    """
    try:
        os.utime(file)
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
