"""Which content is it? The SHA-256 of the bytes, and whether they are still the same files."""

from __future__ import annotations

import hashlib
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.sources.refusals import changed, is_empty, unreadable
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from seatrial.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a dataset, and what they were when it was opened.

    Their names are shown to people, and are part of the fingerprint; a lone file has the name "".
    """

    dataset: Dataset
    paths: Mapping[str, Path]
    seen: Mapping[str, tuple[int, int, int]]
    size: int
    """Bytes of all files together."""

    def check(self) -> None:
        """Raise FormError when a file was written, replaced or removed since."""
        for name, path in self.paths.items():
            try:
                now = _marks(path.stat())
            except OSError as fault:
                raise FormError(changed(self.dataset, name, "vanished")) from fault
            if now != self.seen[name]:
                raise FormError(changed(self.dataset, name, "changed"))


def look(dataset: Dataset, paths: Mapping[str, Path]) -> Files:
    """The files as they are now. FormError for one that is missing, no file, or empty."""
    seen, size = {}, 0
    for name, path in paths.items():
        try:
            status = path.stat()
        except OSError as fault:
            raise FormError(unreadable(dataset, path, fault)) from fault
        if not stat.S_ISREG(status.st_mode):
            what = f"dataset {dataset.name!r} is a folder or no ordinary file"
            raise FormError(Mistake(what, where=str(path), fix="name one file"))
        if not status.st_size:
            raise FormError(is_empty(dataset, name))
        seen[name] = _marks(status)
        size += status.st_size
    return Files(dataset, paths, seen, size)


@contextmanager
def hashed(files: Files) -> Iterator[Callable[[], str]]:
    """The fingerprint of files, taken by another thread while the caller reads them.

    A lone file has the SHA-256 of its bytes, several have that of their names and digests.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        yield beside.submit(_fingerprint, files).result


def _fingerprint(files: Files) -> str:
    digests = {}
    for name, path in files.paths.items():
        try:
            with path.open("rb") as file:
                digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as fault:
            raise FormError(changed(files.dataset, name, "vanished")) from fault
        except OSError as fault:
            raise FormError(unreadable(files.dataset, path, fault)) from fault
    if digests.keys() == {""}:
        return f"sha256:{digests['']}"
    return f"sha256:{hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()}"


def _marks(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
