"""A child process is asked: it captures this machine, opens the model, and answers golden rows.

Nothing but Python itself is imported here, and nothing that only one system offers.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD_BYTES = 16 << 20
"""More than this no child of ours has to tell."""

_LINE = 300
_LAST_WORDS_S = 1.0
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); import seatrial; del sys.path[0]; "
    "from seatrial.environment.proof.child import main; main(sys.argv[2:])"
)
"""The child runs this very package, wherever it lies, and its folder hides no other module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the child is to do with the bundle in ``folder``, whose manifest has the ``digest``.

    Every file of the ``packages`` is verified. ``plain``: open the model by onnxruntime's own
    settings. ``rows_at_once``: None leaves that to the version, 0 asks all golden rows together.
    """

    folder: str
    digest: str
    packages: tuple[str, ...]
    plain: bool
    rows_at_once: int | None

    def written(self) -> str:
        """As one word of a command line; :meth:`read` reads it back."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, word: str) -> Question:
        """What :meth:`written` wrote.

        >>> asked = Question(folder="f", digest="d", packages=("numpy",), plain=False,
        ...                  rows_at_once=None)
        >>> Question.read(asked.written()) == asked
        True
        """
        told = json.loads(word)
        return cls(**{**told, "packages": tuple(told["packages"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came back: ``proof`` by the name of a form, or the ``trouble`` that there was instead.

    ``found_out``: the trouble is the model's answer; else it is not known how it answers.
    """

    environment: Mapping[str, Any]
    proof: Mapping[str, Mapping[str, Any]] | None = None
    trouble: str = ""
    found_out: bool = False


def ask(question: Question, timeout_s: float) -> Asked:
    """Start the child, wait for it, and end it and all that it has started."""
    with tempfile.TemporaryDirectory(prefix="seatrial-proof-") as scratch:
        result = Path(scratch, "result")
        root = str(Path(__file__).parents[3])
        words = [sys.executable, "-P", "-c", _START, root, question.written(), str(result)]
        try:
            status, said = _run(words, timeout_s)
        except OSError as error:
            return Asked(environment={}, trouble=f"no process can be started: {error.strerror}")
        return _read(result, _ended(status, said, timeout_s))


def _run(words: list[str], timeout_s: float) -> tuple[int | None, str]:
    """How it ended (None: it was ended, for time was up), and the last line that it printed.

    Its standard input is a pipe from here that is never written to: the child ends when the pipe
    does, which is when this process dies.
    """
    with subprocess.Popen(  # noqa: S603 - this interpreter, with words of our own
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        lines: deque[bytes] = deque(maxlen=1)
        reader = threading.Thread(target=_listen, args=(child.stderr, lines), daemon=True)
        status: int | None = None
        # From before the reader starts: while it reads, nobody can close the pipe of a child that
        # goes on, so Ctrl-C between the two would wait for the model's answer.
        try:
            reader.start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = child.wait(timeout_s)
        finally:
            _end(child)
            if reader.ident is not None:
                # what the child has started may hold the pipe: no long wait
                reader.join(_LAST_WORDS_S)
        return status, b"".join(lines).decode("utf-8", "replace")


def _listen(pipe: IO[bytes] | None, lines: deque[bytes]) -> None:
    """Read to the end, and keep the last line that says something."""
    assert pipe is not None
    with contextlib.suppress(ValueError, OSError):  # closed meanwhile
        while line := pipe.readline(1 << 16):
            if stripped := line.strip():
                lines.append(stripped[:_LINE])


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, gone
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _ended(status: int | None, said: str, timeout_s: float) -> str:
    """What became of the child, should it have left no answer."""
    if status is None:
        return f"the model did not answer within {timeout_s:g} s"
    if status >= 0:
        words = f": {said}" if said else ""
        return f"the process that asks the model ended (exit code {status}) and said nothing{words}"
    if status == -signal.SIGKILL:
        return "the process that asks the model was killed, as a system does that lacks memory"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"the process that asks the model died ({name})"


def _read(result: Path, otherwise: str) -> Asked:
    """The lines that the child wrote: the environment, then the proof or the trouble."""
    try:
        with result.open("rb") as file:
            lines = file.read(TOLD_BYTES).splitlines()
    except OSError:
        lines = []
    told: dict[str, Any] = {}
    for line in lines:
        try:
            part = json.loads(line)
        except (ValueError, RecursionError):
            break
        told |= part if isinstance(part, dict) else {}
    environment = told.get("environment")
    known = environment if isinstance(environment, dict) else {}
    proof, trouble = told.get("proof"), told.get("trouble")
    if isinstance(proof, dict) and proof and all(map(is_answer, proof.values())):
        return Asked(environment=known, proof=proof)
    if isinstance(trouble, str) and trouble:
        return Asked(environment=known, trouble=trouble, found_out=told.get("found_out") is True)
    return Asked(environment=known, trouble=otherwise)


def is_answer(told: object) -> bool:
    """Whether this says how one form of a model answered, as far as that is read again."""
    return (
        isinstance(told, dict)
        and isinstance(told.get("ok"), bool)
        and isinstance(told.get("said"), str)
        and isinstance(told.get("rows"), int)
        and isinstance(told.get("largest_difference"), int | float)
    )
