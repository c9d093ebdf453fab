"""The process in which a pickled model lives: ``python -P pickled_child.py SOCKET LIFE``.

It unpickles what it is sent, and from then on answers with arrays; nothing pickled goes back. It
ends with the process that started it, for nobody else would: when the other end of the pipe
``LIFE`` is gone, the kernel ends this process and all that the model has started, whatever they do.

A message is the length of its head (u32, little-endian), the head in JSON, and the body, whose
length in bytes is the head's ``bytes``:

- ``{"signature": …}`` and the file ``model.pickle``, answered by an empty head;
- ``{"rows": n}`` and the columns in the order of the signature (float32 ``[n]``; or strings: u32
  ``[n]`` lengths in bytes, then their UTF-8), answered by the labels (float32 numbers; or int32
  places among the classes) and the probabilities (float32 ``[n, classes]``), all little-endian;
- either may be answered by ``{"error": sentence}``.

Runs alone, by its path: it imports nothing of this package, so that the model finds the
interpreter's installed packages and nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

HEAD = struct.Struct("<I")
NUMBERS = np.dtype("<f4")
PLACES = np.dtype("<i4")
LENGTHS = np.dtype("<u4")

SENTENCE = 300
"""Characters of what a model raised that are told."""


def main() -> None:
    """Open the model that comes first, then answer until the other side closes the socket."""
    sock, life = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    end_with(life)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    opened: Opened | None = None
    while (message := _received(sock)) is not None:
        head, body = message
        try:
            if "signature" in head:
                opened, reply = Opened(head["signature"], body), b""
            else:
                assert opened is not None
                reply = opened.answer(int(head["rows"]), body)
        except BaseException as error:  # noqa: BLE001 - whatever a model raises (SystemExit, too) is told
            sock.sendall(packed({"error": told(error)}))
        else:
            sock.sendall(packed({}, reply))


def end_with(life: int) -> None:
    """End this process and its group as soon as the other end of the pipe ``life`` is closed."""
    if hasattr(fcntl, "F_SETSIG"):
        # By the kernel: a model that hangs in foreign code lets no thread of Python run. (Not by
        # PR_SET_PDEATHSIG, which fires when the *thread* ends that started this process.)
        fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)

    def wait() -> None:
        os.read(life, 1)
        os.killpg(0, signal.SIGKILL)

    # Where the kernel offers no such thing, and for an end that came before it was asked.
    threading.Thread(target=wait, daemon=True).start()


class Opened:
    """The unpickled model: what it is fed, and what it says."""

    def __init__(self, signature: Mapping[str, Any], content: bytes) -> None:
        head, _, pickled = content.partition(b"\n")
        form = json.loads(head)
        _demand_same_python(form.get("python"))
        self.inputs: list[tuple[str, bool]] = [
            (each["name"], each["datatype"] == "BYTES") for each in signature["inputs"]
        ]
        self.problem: str = signature["problem"]
        self.classes: list[Any] = signature["classes"]
        self.places = {label: place for place, label in enumerate(self.classes)}
        read = form.get("columns") or [name for name, _ in self.inputs]
        self.fed = _fed(form["features"], read)
        self.model: Any = pickle.loads(pickled)  # noqa: S301 - the pipeline says `trust: pickle`
        self.order = self._order()

    def _order(self) -> list[int] | None:
        """Where each class stands among the model's own; None when it stands there already."""
        wanted = ["predict"] if self.problem == "numbers" else ["predict", "predict_proba"]
        for name in wanted:
            if not callable(getattr(self.model, name, None)):
                raise TypeError(f"a {type(self.model).__name__} has no method {name}")
        own = getattr(self.model, "classes_", None) if self.problem == "classes" else None
        if own is None:
            return None
        listed = np.asarray(own).tolist()
        if len(listed) != len(self.classes) or {*listed} != {*self.classes}:
            raise ValueError(f"it knows the classes {listed}, the data has {self.classes}")
        return [listed.index(label) for label in self.classes]

    def answer(self, rows: int, body: bytes) -> bytes:
        """What the model says about the columns in ``body``."""
        features = self.fed(unpacked(body, rows, self.inputs))
        said = _column(self.model.predict(features), rows)
        if self.problem == "numbers":
            if said.dtype.kind not in "fiub":
                raise TypeError(f"predict answered {said.dtype} instead of numbers")
            with np.errstate(over="ignore"):
                return said.astype(NUMBERS).tobytes()
        table = np.asarray(self.model.predict_proba(features))
        wanted = (rows, len(self.classes))
        if table.shape != wanted or table.dtype.kind not in "fiub":
            got = f"{table.dtype} of the shape {list(table.shape)}"
            raise ValueError(f"predict_proba answered {got}, wanted numbers {list(wanted)}")
        if self.order is not None:
            table = table[:, self.order]
        return self._placed(said) + table.astype(NUMBERS).tobytes()

    def _placed(self, labels: NDArray[Any]) -> bytes:
        said = labels.tolist()
        places = [self.places.get(label, -1) for label in said]
        if -1 in places:
            raise ValueError(f"predict answered {said[places.index(-1)]!r}, which is no class")
        return np.array(places, PLACES).tobytes()


def _demand_same_python(version: str | None) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version not in {None, here}:
        raise RuntimeError(f"it was pickled by Python {version}, this is Python {here}")


def _fed(kind: str, names: list[str]) -> Callable[[dict[str, NDArray[Any]]], Any]:
    """How the columns that the model reads, in its order, become what its functions take."""
    if kind == "columns":
        return lambda columns: {name: columns[name] for name in names}
    if kind == "matrix":
        return lambda columns: _joined([columns[name] for name in names])
    if kind == "pandas":
        import pandas as pd  # noqa: PLC0415 - only a model that wants it

        return lambda columns: pd.DataFrame({name: columns[name] for name in names})
    raise ValueError(f"it wants its features as {kind!r}, which is unknown")


def _joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
    """``[n, k]``: float32, or objects where one of the columns holds words."""
    words = any(column.dtype == object for column in columns)
    joined = np.empty((len(columns[0]), len(columns)), object if words else np.float32)
    for place, column in enumerate(columns):
        joined[:, place] = column
    return joined


def _column(said: object, rows: int) -> NDArray[Any]:
    read = np.asarray(said)
    if read.shape == (rows, 1):
        read = read.reshape(rows)
    if read.shape != (rows,):
        raise ValueError(f"predict answered the shape {list(read.shape)} to {rows} rows")
    return read


def packed(head: Mapping[str, object], body: bytes = b"") -> bytes:
    """A message.

    >>> packed({}, b"ab")[HEAD.size :]
    b'{"bytes": 2}ab'
    """
    written = json.dumps({**head, "bytes": len(body)}).encode()
    return HEAD.pack(len(written)) + written + body


def packed_strings(column: NDArray[Any]) -> bytes:
    """Strings ``[n]`` as a body has them; any string that Python may hold."""
    each = [value.encode("utf-8", "surrogatepass") for value in column.tolist()]
    return np.array([*map(len, each)], LENGTHS).tobytes() + b"".join(each)


def unpacked(body: bytes, rows: int, inputs: list[tuple[str, bool]]) -> dict[str, NDArray[Any]]:
    """The columns of a body by name, for the model to keep: (name, whether it holds strings).

    >>> unpacked(packed_strings(np.array(["é", ""], object)), 2, [("a", True)])["a"].tolist()
    ['é', '']
    """
    columns: dict[str, NDArray[Any]] = {}
    at = 0
    for name, strings in inputs:
        kind = LENGTHS if strings else NUMBERS
        read = np.frombuffer(body, kind, rows, at)
        at += read.nbytes
        if not strings:
            columns[name] = read.astype(np.float32)
            continue
        column = np.empty(rows, object)
        for row, length in enumerate(read.tolist()):
            column[row] = body[at : at + length].decode("utf-8", "surrogatepass")
            at += length
        columns[name] = column
    return columns


def told(error: BaseException) -> str:
    """What was raised, and where, in one line."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    sentence = " ".join(f"{type(error).__name__}: {error}".split())
    return sentence[:SENTENCE] + place


def _received(sock: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None when there is none any more."""
    length = _exactly(sock, HEAD.size)
    if length is None:
        return None
    head = _exactly(sock, *HEAD.unpack(length))
    if head is None:
        return None
    read: dict[str, Any] = json.loads(head)
    body = _exactly(sock, read["bytes"])
    return None if body is None else (read, body)


def _exactly(sock: socket.socket, count: int) -> bytes | None:
    read = bytearray(count)
    view, at = memoryview(read), 0
    while at < count:
        came = sock.recv_into(view[at:])
        if not came:
            return None
        at += came
    return bytes(read)


if __name__ == "__main__":
    main()
