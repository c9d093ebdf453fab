"""Content-addressed blobs: a file's name is the SHA-256 of what it holds."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "sha256:"


def digest_of(content: bytes) -> str:
    """The digest under which content is kept.

    >>> digest_of(b"")[:15]
    'sha256:e3b0c442'
    """
    return PREFIX + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Blobs:
    """A folder of blobs. A blob is written aside, synced and renamed: it is whole or absent."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Keep content; returns its digest. Content that is already kept costs a look."""
        digest = digest_of(content)
        target = self.path(digest)
        if target.exists():
            return digest
        try:
            self._write(content, target)
        except OSError as error:
            raise StoreError(
                Mistake(f"cannot keep a blob: {error.strerror}", where=str(target))
            ) from error
        return digest

    def _write(self, content: bytes, target: Path) -> None:
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

    def get(self, digest: str, of: str = "") -> bytes:
        """The content, verified; ``of`` says in errors whose blob it is (``model m version 3``)."""
        path = self.path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise StoreError(self._damaged(path, of, "is missing")) from None
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise StoreError(self._damaged(path, of, what)) from error
        if digest_of(content) != digest:
            raise StoreError(self._damaged(path, of, "no longer matches its digest"))
        return content

    def has(self, digest: str) -> bool:
        """Whether a blob is kept (its content is verified by ``get``)."""
        return self.path(digest).exists()

    def path(self, digest: str) -> Path:
        """Where a blob lies."""
        name = digest.removeprefix(PREFIX)
        return self.folder / name[:2] / name

    def all(self) -> Iterator[tuple[str, Path]]:
        """Every kept blob: digest and file."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            yield PREFIX + path.name, path

    def partial(self) -> Iterator[Path]:
        """Files that a killed writer left behind."""
        yield from (self.folder / "part").glob("*")

    @staticmethod
    def _damaged(path: Path, of: str, what: str) -> Mistake:
        owner = f" of {of}" if of else ""
        return Mistake(
            f"a blob{owner} {what}",
            where=str(path),
            fix="restore the file from a backup; production is unchanged",
        )


def open_blobs(home: Path, store: str | None) -> Blobs:
    """The blobs of a home, or of the ``store`` that several machines share."""
    del store
    return Blobs(home / "blobs")


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
