"""How a piece of shared memory is made and opened.

It has no name: it is passed on as a file descriptor, and gone when the last process that holds
it is gone, however that process ended.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from pathlib import Path

START = 24
"""The first byte behind the stamp: kind (8 bytes), layout version (u64), size in bytes (u64)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Shared memory of one kind; all zero when it is new, but for its stamp.

    ``words`` are all its bytes as u64. Storing one of them is the way to publish something: an
    item of a memoryview is stored with one ``memcpy`` of constant size, which compilers turn
    into one instruction, and x86-64 and ARM64 make an aligned store of up to 8 bytes visible as
    a whole or not at all. (``struct`` with ``<`` stores byte by byte: never publish with it.)
    x86-64 also shows stores in the order in which they were made; ARM64 does not, so whatever
    lies in front of a published word carries a checksum.
    """

    fd: int
    map: mmap.mmap
    words: memoryview

    @classmethod
    def create(
        cls, kind: bytes, layout: int, size_bytes: int, folder: Path | None = None
    ) -> Memory:
        """New memory; ``kind`` has 8 bytes.

        Where the kernel has no memory files, it is a file in ``folder`` (by default the system's
        for temporary files) that has no name any more. Raises :class:`StoreError` when there is
        no room.

        >>> memory = Memory.create(b"an-image", 1, 4096)
        >>> memory.words[3] = 7
        >>> Memory.open(memory.fd, b"an-image", 1).words[3]
        7
        """
        fd = _new(kind.decode(), size_bytes, folder)
        mapped = mmap.mmap(fd, size_bytes)
        words = memoryview(mapped).cast("Q")
        words[1], words[2] = layout, size_bytes
        mapped[:8] = kind
        return cls(fd, mapped, words)

    @classmethod
    def open(cls, fd: int, kind: bytes, layout: int) -> Memory:
        """Memory that another process made; StoreError when it is something else."""
        try:
            mapped = mmap.mmap(fd, 0)
        except (OSError, ValueError) as error:
            raise _stranger(fd, kind, str(error)) from error
        if len(mapped) < START or len(mapped) % 8 or mapped[:8] != kind:
            mapped.close()
            raise _stranger(fd, kind, "it is something else")
        words = memoryview(mapped).cast("Q")
        if (words[1], words[2]) != (layout, len(mapped)):
            found = f"layout {words[1]} of {words[2]} bytes, not {layout} of {len(mapped)}"
            words.release()
            mapped.close()
            raise _stranger(fd, kind, f"it has {found}")
        return cls(fd, mapped, words)

    def close(self) -> None:
        """Let go of it; views that were taken of ``map`` are released before."""
        self.words.release()
        self.map.close()
        os.close(self.fd)


def _new(name: str, size_bytes: int, folder: Path | None) -> int:
    try:
        fd = os.memfd_create(name)
    except (AttributeError, OSError):
        return _unlinked(size_bytes, folder)
    os.ftruncate(fd, size_bytes)
    return fd


def _unlinked(size_bytes: int, folder: Path | None) -> int:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # With its blocks: on a full disk the kernel would kill whoever touches a new page.
            os.posix_fallocate(file.fileno(), 0, size_bytes)
            return os.dup(file.fileno())
    except OSError as error:
        raise StoreError(
            Mistake(
                f"there is no room for {size_bytes / (1 << 20):.1f} MB of shared memory: {error}",
                where=str(folder or tempfile.gettempdir()),
                fix="make room there, or set TMPDIR to a folder that has some",
            )
        ) from error


def _stranger(fd: int, kind: bytes, found: str) -> StoreError:
    return StoreError(
        Mistake(
            f"this is no shared memory of kind {kind.decode()!r}: {found}",
            where=f"file descriptor {fd}",
            fix="start the gateway with `seatrial serve`, which makes its memory and passes it on",
        )
    )
