"""The key by which this home knows its own cookies again, kept over restarts."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError
from seatrial.workspace import new_id

if TYPE_CHECKING:
    from pathlib import Path

FILE = "web.key"
BYTES = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Key:
    """Signs texts, each for one purpose: what was signed for one counts for no other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, purpose: str, text: str) -> str:
        """HMAC-SHA-256 (RFC 2104), as 64 hex digits."""
        said = f"{len(purpose)}:{purpose}:{text}"
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()

    def signed(self, purpose: str, text: str, signature: str) -> bool:
        """Whether this key made that signature; takes as long either way."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode())


def key_of(home: Path) -> Key:
    """The key of a home; it is made when there is none. Of several who make one, the first counts.

    StoreError when others than its owner may read it, or it is no key.
    """
    file = home / FILE
    if not os.path.lexists(file):
        _make(file)
    return Key(_read(file))


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{new_id()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as writing:
            writing.write(secrets.token_bytes(BYTES))
            writing.flush()
            os.fsync(writing.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, file)
    finally:
        aside.unlink()


def _read(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _unfit(file, f"cannot be read: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _unfit(file, "is no file")
        if found.st_mode & OTHERS:
            raise _unfit(file, "can be read by others than its owner")
        if found.st_uid not in {os.geteuid(), 0}:
            raise _unfit(file, "belongs to somebody else")
        secret = os.read(descriptor, BYTES + 1)
    finally:
        os.close(descriptor)
    if len(secret) != BYTES:
        raise _unfit(file, f"does not have {BYTES} bytes")
    return secret


def _unfit(file: Path, why: str) -> StoreError:
    return StoreError(
        Mistake(
            f"the key of the web page {why}",
            where=str(file),
            fix="delete it: another is made, and everybody logs in once more",
        )
    )
