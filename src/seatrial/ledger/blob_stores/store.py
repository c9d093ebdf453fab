"""Blobs where several machines reach them: S3, and every other store that fsspec knows."""

from __future__ import annotations

import contextlib
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from seatrial.errors import Mistake, PassingError, SeatrialError, StoreError
from seatrial.ledger.blob_stores import opening
from seatrial.ledger.blob_stores.refusals import told, without_place
from seatrial.workspace import BLOBS, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seatrial.ledger.blob_stores.opening import Opened

T = TypeVar("T")

PAUSES_S = (0.1, 0.5)
"""Before what may pass is tried again here; the engine tries a step again, too."""

QUICK_S = 5.0
"""What failed later than this after the first attempt is not tried again."""

SLOWEST_BYTES_PER_S = 1 << 18
LONGEST_S = 600.0
"""An answer that still comes in, but so slowly, is given up."""

ASK_AT_ONCE = 16
DELETE_AT_ONCE = 1000

_FOLDERS = [f"{number:02x}" for number in range(256)]
_NAME = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[0-9a-f]{64}\.[0-9A-Z]{26}\.part")
_PREFIX = "sha256:"
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")


@dataclass(frozen=True, slots=True)
class Kept:
    """A name in the store below the address, its size, and when it was last put, if that is known.

    ``digest`` is None for what a killed writer left in stores of plain files.
    """

    name: str
    digest: str | None
    bytes: int
    at: datetime | None


class BlobStore:
    """A store of blobs. It is opened when it is first needed, and anew in a forked process.

    It knows nothing of its content: whoever gets a blob verifies it. All that it cannot do is a
    :class:`StoreError`; a :class:`PassingError` when it was tried again, and may pass later.
    """

    def __init__(self, address: str) -> None:
        """UsageError when the address can be none, or what speaks with S3 is not installed."""
        self.address = opening.checked(address)
        self._opened: Opened | None = None

    def place(self, digest: str) -> str:
        """The address of a blob."""
        return f"{self.address}/{_below(digest)}"

    def put(self, digest: str, content: bytes) -> None:
        """Keep a blob, also one that is kept already: then it is whole again, and young."""

        def put(store: Opened) -> None:
            _put(store, f"{store.root}/{_below(digest)}", content)

        self._ask(put, "keep a blob", self.place(digest))

    def get(self, digest: str) -> bytes | None:
        """What lies under this name; None when nothing does."""

        def get(store: Opened) -> bytes | None:
            try:
                path = f"{store.root}/{_below(digest)}"
                return bytes(_call(store, "cat_file", path, within_s=LONGEST_S))
            except FileNotFoundError as fault:
                _demand_place(fault)
                return None

        return self._ask(get, "read a blob", self.place(digest))

    def has(self, digest: str) -> bool:
        """Whether something lies under this name."""

        def has(store: Opened) -> bool:
            try:
                _call(store, "info", f"{store.root}/{_below(digest)}")
            except FileNotFoundError as fault:
                _demand_place(fault)
                return False
            return True

        return self._ask(has, "look for a blob", self.place(digest))

    def kept(self, folders: Iterable[str] = _FOLDERS) -> Iterator[Kept]:
        """Every blob, and what killed writers left. Nothing else below the address is looked at."""

        def kept(store: Opened) -> list[Kept]:
            # one that is not asked in a loop of its own may not like several threads
            at_once = ASK_AT_ONCE if store.files.async_impl else 1
            with ThreadPoolExecutor(at_once) as threads:
                found = threads.map(lambda folder: list(_listed(store, folder)), folders)
                return [each for part in found for each in part]

        yield from self._ask(kept, "list the blobs", self.address)

    def now(self) -> datetime:
        """What time it is by the store, which says when a blob was put; also takes a request."""

        def now(store: Opened) -> datetime | None:
            path = f"{store.root}/now"
            _put(store, path, b"")
            return _time(_call(store, "info", path))

        found = self._ask(now, "tell the time", self.address)
        if found is None:
            what = "this store does not tell when something was put"
            fix = "let its own tools drop what is old"
            raise StoreError(Mistake(what, where=self.address, fix=fix))
        return found

    def remove(self, blobs: Iterable[Kept]) -> None:
        """Remove what was listed; what somebody else removed meanwhile is no mistake."""
        old = {each for each in blobs if _is_below(each.name)}
        names = sorted(each.name for each in old)
        for first in range(0, len(names), DELETE_AT_ONCE):
            self._remove(names[first : first + DELETE_AT_ONCE])
        # several stores do not say that they refused; what was put again meanwhile is younger
        if stay := old.intersection(self.kept(sorted({name[:2] for name in names}))):
            what = f"the store refuses to remove {len(stay)} of {len(old)} blobs"
            fix = "allow these keys to delete below the address"
            raise StoreError(Mistake(what, where=self.address, fix=fix))

    def claimed(self) -> str | None:
        """Which ledger's blobs these are; ``None`` while nobody has said so."""

        def claimed(store: Opened) -> str | None:
            try:
                return bytes(_call(store, "cat_file", f"{store.root}/ledger")).decode()
            except UnicodeDecodeError:
                return ""  # it is nobody's note
            except FileNotFoundError as fault:
                _demand_place(fault)
                return None

        return self._ask(claimed, "tell whose blobs there are", f"{self.address}/ledger")

    def claim(self, ledger: str) -> None:
        """Note which ledger's blobs these are; StoreError when they are another's."""
        where = f"{self.address}/ledger"
        known = self.claimed()
        if known is None:

            def claim(store: Opened) -> None:
                _put(store, f"{store.root}/ledger", ledger.encode())

            self._ask(claim, "say whose blobs there are", where)
        elif known != ledger:
            what = "the store holds the blobs of another project, whose ledger is not this one"
            fix = f"give each project an address of its own in {BLOBS}, such as {self.address}/NAME"
            raise StoreError(Mistake(what, where=where, fix=fix))

    def _remove(self, names: list[str]) -> None:
        def remove(store: Opened) -> None:
            paths = [f"{store.root}/{name}" for name in names]
            if store.files.async_impl:
                _call(store, "rm", paths)
                return
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    store.files.rm_file(path)

        self._ask(remove, "remove blobs", self.address)

    def _ask(self, act: Callable[[Opened], T], doing: str, where: str) -> T:
        """Do it; again when what is in the way was quick to say so, and may pass."""
        began, pauses = time.monotonic(), iter(PAUSES_S)
        while True:
            try:
                return act(self._store())
            except SeatrialError:
                raise
            except Exception as fault:  # stores have errors of their own, without a common kind
                said, pause = told(fault, doing, where), next(pauses, None)
                late = time.monotonic() - began > QUICK_S
                if pause is None or late or not isinstance(said, PassingError):
                    raise said from fault
            time.sleep(pause)

    def _store(self) -> Opened:
        """What is open; another process's connections and threads are not there after a fork."""
        if self._opened is None or self._opened.pid != os.getpid():
            self._opened = opening.opened(self.address, os.getpid())
        return self._opened


def _below(digest: str) -> str:
    """Where a blob lies below the address.

    >>> _below("sha256:e3b0c4")
    'e3/e3b0c4'
    """
    name = digest.removeprefix(_PREFIX)
    return f"{name[:2]}/{name}"


def _is_below(name: str) -> bool:
    """Whether it can be one of ours: nothing else is ever removed."""
    folder, _, last = name.partition("/")
    ours = _NAME.fullmatch(last) or _PART.fullmatch(last)
    return ours is not None and folder == last[:2]


def _listed(store: Opened, folder: str) -> Iterator[Kept]:
    start = f"{store.root}/"
    try:
        where = (store.root, {"prefix": f"{folder}/"}) if store.by_prefix else (start + folder, {})
        found = _call(store, "find", where[0], within_s=LONGEST_S, detail=True, **where[1])
    except FileNotFoundError as fault:
        _demand_place(fault)
        return
    for path, about in found.items():
        name = path.removeprefix(start)
        if _is_below(name):
            last = name.partition("/")[2]
            digest = _PREFIX + last if _NAME.fullmatch(last) else None
            yield Kept(name, digest, int(about["size"] or 0), _time(about))


def _put(store: Opened, path: str, content: bytes) -> None:
    """Whole or absent: in one request, or aside first where files are seen while they grow."""
    if store.whole:
        # whatever its size: of an upload in parts, parts would stay when it is killed
        in_one = {"chunksize": 5 << 30} if hasattr(store.files, "call_s3") else {}
        within_s = _usual_s() + len(content) / SLOWEST_BYTES_PER_S
        _call(store, "pipe_file", path, content, within_s=within_s, **in_one)
        return
    store.files.makedirs(path.rpartition("/")[0], exist_ok=True)
    aside = f"{path}.{new_id()}.part"
    store.files.pipe_file(aside, content)
    store.files.mv(aside, path)


def _call(
    store: Opened, name: str, *words: object, within_s: float | None = None, **more: object
) -> Any:
    """Ask; TimeoutError when a store that is asked in a loop of its own takes longer."""
    if not store.files.async_impl:
        return getattr(store.files, name)(*words, **more)
    from fsspec.asyn import sync  # noqa: PLC0415 - is loaded by now

    asked = getattr(store.files, f"_{name}")
    return sync(store.files.loop, asked, *words, timeout=within_s or _usual_s(), **more)


def _usual_s() -> float:
    """How long what is small may take: some are two requests."""
    return opening.CONNECT_S + 2 * opening.READ_S


def _demand_place(fault: FileNotFoundError) -> None:
    """That nothing lies there is no mistake, unless the place itself is missing."""
    if without_place(fault):
        raise fault


def _time(about: dict[str, Any]) -> datetime | None:
    """When something was put, by what a store tells about it."""
    for name in _TIMES:
        found = about.get(name)
        if isinstance(found, datetime):
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(found, int | float):
            return datetime.fromtimestamp(found, UTC)
        if isinstance(found, str) and found:
            with contextlib.suppress(ValueError):
                return datetime.fromisoformat(found)
    return None
