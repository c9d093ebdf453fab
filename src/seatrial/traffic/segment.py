"""One Arrow stream that is being written: batches are appended, and torn ones taken back."""

from __future__ import annotations

import contextlib
import fcntl
import os
from itertools import count
from typing import TYPE_CHECKING, Any

from seatrial.traffic import files

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
_MODE = 0o644


class Segment:
    """An open stream of one schema; its kernel lock says that its writer lives.

    It is written by whole messages, so it can be read up to the last whole batch at any time,
    also after its writer was killed.
    """

    def __init__(self, path: Path, handle: int, hour: datetime, schema: Any) -> None:
        self.path = path
        self.hour = hour
        self.schema = schema
        self.bytes = 0
        self._handle = handle
        self._torn = False
        self._write(schema.serialize())

    @classmethod
    def begin(cls, folder: Path, hour: datetime, writer: str, schema: Any) -> Segment:
        """A new stream under a name that nobody had before; OSError when the disk refuses."""
        for number in count():
            path = folder / (files.stem(hour, writer, number) + files.STREAM)
            if path.with_suffix(files.PARQUET).exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(path, _FLAGS, _MODE)
            except (FileExistsError, FileNotFoundError):
                # a name of an earlier writer; or retention just removed the empty folder
                continue
            try:
                if lock(handle) and is_at(path, handle):
                    return cls(path, handle, hour, schema)
            except OSError:
                with contextlib.suppress(OSError):
                    path.unlink()
                os.close(handle)
                raise
            os.close(handle)  # another writer took the empty stream for a dead one's
        raise AssertionError  # count() has no end

    def append(self, batch: Any) -> None:
        """Append a record batch; OSError when it could not be written, and then nothing was."""
        self._write(batch.serialize())

    def close(self) -> None:
        """Give the lock back: from now on anybody may roll it."""
        os.close(self._handle)

    def _write(self, message: Any) -> None:
        if self._torn:
            self._take_back()
        left = memoryview(message)
        try:
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError:
            self._torn = True
            with contextlib.suppress(OSError):
                self._take_back()
            raise
        self.bytes += len(message)

    def _take_back(self) -> None:
        os.ftruncate(self._handle, self.bytes)
        self._torn = False


def lock(handle: int) -> bool:
    """Take a file's kernel lock, or say that somebody alive has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(path: Path, handle: int) -> bool:
    """Whether an open file still is what its name says (it may have been removed meanwhile)."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
