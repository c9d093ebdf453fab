"""Which rows of the log have counted already? Written beside the log, so that none counts twice.

A file holds eight bytes for each row that counted, in the order in which they did. Whoever keeps
how many there were, together with what was made of them, goes on exactly there: what a killed
process had written beyond that number is cut off.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FOLDER = "watched"

LATE = 50_000
"""Marks that are held apart until they are sorted in."""

_MARK = np.dtype("<u8")


def path_of(traffic: Path, model: str, version: int, since_us: int) -> Path:
    """Where the marks of one watch lie."""
    return traffic / model / FOLDER / f"v{version}-{since_us}.marks"


def of(ids: NDArray[np.object_], rows: NDArray[Any], times_us: NDArray[Any]) -> NDArray[np.uint64]:
    """The marks ``[n]`` of rows: the same wherever a row stands, also when it was written twice.

    >>> of(np.array(["r1"], object), np.array([0]), np.array([7])).tolist()
    [12416680014064547491]
    """
    told = zip(ids.tolist(), rows.tolist(), times_us.tolist(), strict=True)
    texts = (f"{time_us} {row} {identity}".encode() for identity, row, time_us in told)
    digests = b"".join([blake2b(text, digest_size=_MARK.itemsize).digest() for text in texts])
    return np.frombuffer(digests, _MARK)


@dataclass(slots=True)
class Marks:
    """The marks of one watch."""

    path: Path
    count: int = 0
    """How many rows counted; all of them are on disk after :meth:`keep`."""

    lost: bool = False
    """Whether there were fewer marks on disk than rows had counted."""

    _known: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, _MARK))
    """Those of long ago, in ascending order."""

    _late: set[int] = field(default_factory=set)
    """Those of late, which are cheaper to add to."""

    _new: list[int] = field(default_factory=list)

    @classmethod
    def begin(cls, path: Path, count: int) -> Marks:
        """Go on after ``count`` marks; 0 begins anew. OSError when the disk refuses."""
        whole = min(count, path.stat().st_size // _MARK.itemsize) if path.exists() else 0
        known = np.fromfile(path, _MARK, whole) if whole else np.empty(0, _MARK)
        with contextlib.suppress(FileNotFoundError):
            os.truncate(path, known.nbytes)
        return cls(path, len(known), lost=len(known) < count, _known=np.sort(known))

    def fresh(self, marks: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of these rows ``[n]`` have not counted; of equal ones, the first alone is fresh."""
        _, first = np.unique(marks, return_index=True)
        fresh = np.zeros(len(marks), np.bool_)
        fresh[first] = True
        if len(self._known):
            at = np.minimum(np.searchsorted(self._known, marks), len(self._known) - 1)
            fresh &= self._known[at] != marks
        return fresh & np.fromiter((m not in self._late for m in marks.tolist()), np.bool_)

    def add(self, marks: NDArray[np.uint64]) -> None:
        """Count rows that are fresh."""
        self._late.update(marks.tolist())
        self._new += marks.tolist()
        self.count += len(marks)
        if len(self._late) > LATE:
            late = np.fromiter(self._late, _MARK, len(self._late))
            self._known = np.sort(np.concatenate([self._known, late]), kind="stable")
            self._late.clear()

    def keep(self) -> int:
        """Bring all to the disk, for good; how many there are. OSError when the disk refuses."""
        if self._new:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole = (self.count - len(self._new)) * _MARK.itemsize
            with self.path.open("ab") as file:
                os.ftruncate(file.fileno(), whole)  # what an earlier attempt may have left torn
                file.write(np.array(self._new, _MARK).tobytes())
                file.flush()
                os.fsync(file.fileno())
            self._new.clear()
        return self.count

    def forget(self) -> None:
        """Remove them, once the watch is over."""
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another watch has its own there, or it never was
            self.path.parent.rmdir()
