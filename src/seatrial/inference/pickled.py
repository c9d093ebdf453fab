"""A model that is kept pickled: it lives in a process of its own, and nothing is unpickled here.

Unpickling runs whatever code the file holds. So that happens where it can hurt nobody else: in a
child (:mod:`seatrial.inference.pickled_child`) that answers with plain arrays, that may crash or
hang, and that ends with this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, Mistake, PassingError, StoreError
from seatrial.inference import foreign
from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.columns import columns
from seatrial.inference.pickled_child import HEAD, NUMBERS, PLACES, packed, packed_strings
from seatrial.inference.session import in_chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

TIMEOUT_S = 30.0
"""How long a model may take for one call of at most ``CHUNK_ROWS`` rows."""

OPENING_S = 300.0
"""How long it may take to be unpickled: it loads its libraries, perhaps on a busy machine."""

_KINDS = ("columns", "pandas", "matrix")
_CHILD = Path(__file__).with_name("pickled_child.py")
_LONGEST_HEAD = 1 << 16
_FOREIGN = "wrote on the socket that only its process may use,"
# The answers to a row must depend neither on the cores (a server has workers of its own), nor on
# the order of a set.
_STEADY = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
}


class NoAnswerError(StoreError):
    """A pickled model raised, died, took too long, or answered what is no answer."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Pickled:
    """An opened model that lives in a child; may be shared by threads, which wait for each other.

    A child that died or was ended is started anew by the next call. It ends with :meth:`close`,
    when nothing refers to this object any more, and with this process.
    """

    signature: Signature
    timeout_s: float
    _content: bytes | None
    _child: _Child | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, content: bytes, signature: Signature, *, timeout_s: float = TIMEOUT_S) -> Pickled:
        """Start the child and let it unpickle the file ``model.pickle``.

        The file is one line of JSON and then the pickle. The line says how the object is fed:
        by ``"features"``, which is "columns" (a dict of arrays ``[n]``), "pandas" (a DataFrame of
        them) or "matrix" (an array ``[n, k]``: float32, or objects where one holds words). It may
        name the ``"columns"`` that the object reads, in its order, and the ``"python"`` that
        pickled it.

        FormError when it cannot be unpickled here or has no ``predict`` (for classes
        ``predict_proba`` too); PassingError when no process can be started.
        """
        _demand_form(content)
        model = cls(signature, timeout_s, content)
        with model._lock:
            model._child = _started(content, signature)
        return model

    def predict(self, features: Mapping[str, NDArray[Any]]) -> Answer:
        """Answer for columns ``[n]``; FormError names what is missing or ill-typed.

        NoAnswerError when there is no answer, or none within ``timeout_s``.
        """
        return self.answered(columns(features, self.signature))

    def answered(self, fed: Mapping[str, NDArray[Any]]) -> Answer:
        """Answer for columns ``[n]`` or ``[n, 1]`` of the right types; nothing is checked."""
        read = [fed[each.name].reshape(-1) for each in self.signature.inputs]
        rows = len(read[0]) if read else 0
        return in_chunks(
            rows, lambda some: self._chunk([column[some] for column in read]), self.signature
        )

    def close(self) -> None:
        """End the child, once it has answered what it was asked; no call starts another."""
        with self._lock:
            self._content = None
            if self._child is not None:
                self._child.end()
                self._child = None

    def _chunk(self, read: Sequence[NDArray[Any]]) -> Answer:
        rows = len(read[0])
        asked = packed({"rows": rows}, b"".join(map(_packed, read)))
        with self._lock:
            child = self._living()
            try:
                reply = child.ask(asked, self.timeout_s)
                return _answer(reply, rows, self.signature)
            except _LostError as lost:
                self._child = None
                raise NoAnswerError(
                    Mistake(
                        f"the pickled model {child.ended(lost)} while it answered {_rows(rows)}",
                        fix="it is started anew for the next call; if that happens again, find"
                        " the row that does it and register another version",
                    )
                ) from lost

    def _living(self) -> _Child:
        """The child, or a new one when it is gone."""
        if self._child is not None and self._child.lives():
            return self._child
        if self._content is None:
            raise NoAnswerError(Mistake("the pickled model was closed"))
        self._child = None
        try:
            self._child = _started(self._content, self.signature)
        except FormError as error:
            raise NoAnswerError(*error.mistakes) from error
        return self._child


class _LostError(Exception):
    """The child does not keep to the protocol any more; the message says how that shows."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Child:
    """The process, the wire to talk on, and the pipe whose end is its end."""

    process: subprocess.Popen[bytes]
    wire: socket.socket
    life: int
    owner: int = field(default_factory=os.getpid)
    _end: Any = None

    def __post_init__(self) -> None:
        self._end = weakref.finalize(self, _end, self.process, self.wire, self.life, self.owner)

    def lives(self) -> bool:
        """Whether it still runs, and is this process's own: not one of whom this is a fork."""
        if self.owner != os.getpid():
            return False
        # Not by poll(), which buries it: as long as it is unburied, its group's number is its own.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, flags) is None

    def end(self) -> None:
        """End it and all that it has started."""
        self._end()

    def ended(self, lost: _LostError) -> str:
        """End it; what became of it, for a sentence."""
        self.end()
        code = self.process.returncode
        if str(lost) or code is None:
            return str(lost)
        if code == -signal.SIGKILL:
            return "was killed, as a system does that runs out of memory,"
        return f"died ({signal.Signals(-code).name})" if code < 0 else f"ended (exit code {code})"

    def ask(self, message: bytes, timeout_s: float) -> tuple[dict[str, Any], bytearray]:
        """Send a message, and wait for the head and body of the reply."""
        until_s = time.monotonic() + timeout_s
        try:
            self.wire.settimeout(timeout_s)
            self.wire.sendall(message)
            (length,) = HEAD.unpack(self._exactly(HEAD.size, until_s))
            if length > _LONGEST_HEAD:
                raise _LostError(_FOREIGN)
            head = json.loads(self._exactly(length, until_s))
            return head, self._exactly(int(head["bytes"]), until_s)
        except TimeoutError as error:
            raise _LostError(f"was ended after {timeout_s:g} s") from error
        except OSError as error:
            raise _LostError from error
        except (ValueError, KeyError, TypeError) as error:
            raise _LostError(_FOREIGN) from error

    def _exactly(self, count: int, until_s: float) -> bytearray:
        read = bytearray(count)
        view, at = memoryview(read), 0
        while at < count:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self.wire.settimeout(left_s)
            came = self.wire.recv_into(view[at:])
            if not came:
                raise ConnectionError
            at += came
        return read


def _demand_form(content: bytes) -> None:
    """Refuse what is no such file, without starting a process."""
    try:
        features = json.loads(content.partition(b"\n")[0])["features"]
    except (ValueError, KeyError, TypeError):
        features = None
    if features not in _KINDS:
        what = "the pickled model does not begin with a line that says how it is fed"
        raise FormError(Mistake(what, fix="register the model again"))


def _started(content: bytes, signature: Signature) -> _Child:
    """A child that has unpickled the model."""
    child = _spawned()
    try:
        asked = packed({"signature": signature.to_json()}, content)
        head, _ = child.ask(asked, OPENING_S)
    except _LostError as lost:
        what = f"the pickled model {child.ended(lost)} while it was opened"
        raise FormError(Mistake(what, fix="register another version")) from lost
    if "error" in head:
        child.end()
        what = f"the pickled model cannot be opened:\n{head['error']}"
        fix = "use the Python and the packages here that it was trained with"
        raise FormError(Mistake(what, fix=fix))
    return child


def _spawned() -> _Child:
    """The process; its interpreter and environment are ours, but for the project and secrets.

    ``-P`` and a folder without files keep the project's files from being imported. Niceness and
    limits are inherited. Its output goes nowhere: a chatty model would flood the gateway's log.
    """
    ours, theirs = socket.socketpair()
    reading, life = os.pipe()
    files = (theirs.fileno(), reading)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-P", str(_CHILD), *map(str, files)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=files,
            cwd="/",
            env={**_STEADY, **foreign.environment()},
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        os.close(life)
        what = f"no process can be started for the pickled model: {error.strerror}"
        raise PassingError(Mistake(what, fix="make room for one more process")) from error
    finally:
        theirs.close()
        os.close(reading)
    return _Child(process, ours, life)


def _end(process: subprocess.Popen[bytes], sock: socket.socket, life: int, owner: int) -> None:
    sock.close()
    os.close(life)
    if owner != os.getpid():
        return  # a fork's copies of them; the child is the other's
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _packed(column: NDArray[Any]) -> bytes:
    return packed_strings(column) if column.dtype == object else column.astype(NUMBERS).tobytes()


def _answer(reply: tuple[dict[str, Any], bytearray], rows: int, signature: Signature) -> Answer:
    """What the reply says; NoAnswerError when the model could not answer."""
    head, body = reply
    if "error" in head:
        what = f"the pickled model could not answer {_rows(rows)}:\n{head['error']}"
        raise NoAnswerError(Mistake(what, fix="find the row that it cannot answer"))
    width = len(signature.classes)
    wanted = rows * NUMBERS.itemsize * (1 + width)
    if len(body) != wanted:
        raise _LostError(_FOREIGN)
    if signature.problem == "numbers":
        return Answer(np.frombuffer(body, NUMBERS).astype(np.float32))
    places = np.frombuffer(body, PLACES, rows)
    if rows and not 0 <= places.min() <= places.max() < width:
        raise _LostError("answered places where there is no class,")
    table = np.frombuffer(body, NUMBERS, offset=places.nbytes).reshape(rows, width)
    return Answer(class_labels(signature.classes)[places], table.astype(np.float32))


def _rows(rows: int) -> str:
    return "one row" if rows == 1 else f"{rows} rows"
