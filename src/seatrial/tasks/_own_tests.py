"""The project's own pytest tests: run in a copy of its code, where they can do no harm."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from seatrial.errors import Mistake, StoreError
from seatrial.evaluation.handed import Handed, Numbered, hand_over
from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict
from seatrial.tasks import _confined
from seatrial.tasks._candidate import candidate, production
from seatrial.tasks._scratch_copy import copy_code
from seatrial.tasks._tests_record import Record, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.registry.registry import Version
    from seatrial.tasks import Context

LAUNCHER = Path(_confined.__file__)
GRACE_S = 10.0
"""How long ending all that the tests started may take."""

TOLD = 20
"""So many failing tests are told, the rest is counted."""

_HEAD_BYTES, _TAIL_BYTES = 4_000, 16_000
_LINE = 300
_PROGRESS = re.compile(r"[.,EFRXsx]+( *\[ *\d+%\])?")
_INTERRUPTED, _INTERNAL, _MISUSED, _NONE_RAN = 2, 3, 4, 5  # pytest's exit codes

UNCONFINED = Finding(
    what="this kernel cannot keep the tests inside their copy of the project (it has no Landlock):"
    " what they change outside by Python's own functions is refused, by other programs it is not",
    where="/sys/kernel/security/lsm",
    hint="run on Linux 5.13 or later with Landlock among its security modules",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the tests ended: the status (negative: a signal; None: time was up), and what they said.

    ``running`` is the test that had begun and not ended, if any; ``said`` the end of the output.
    """

    status: int | None
    record: Record
    running: str
    said: str


def own_tests(context: Context, tests: str, timeout_s: float, memory_mb: int | None) -> Outcome:
    """Run the tests in ``tests`` and tell what they say. StoreError when they cannot be run.

    Nothing that they started outlives them. What they print is kept to a few lines.
    """
    confined = _confined.landlock_version() > 0
    with _scratch() as scratch:
        copy = scratch / "project"
        copy_code(context.scope.folder, copy, context.workspace.home)
        handed = _handed(context, scratch, confined=confined)
        variables = hand_over(handed, scratch / "handed.json")
        ended = _run(
            [sys.executable, "-m", "pytest", tests, *_OPTIONS],
            copy,
            {**os.environ, **variables, **_quiet(scratch)},
            handed,
            timeout_s=timeout_s,
            confined_to=scratch if confined else None,
            memory_mb=memory_mb,
        )
    said = told(ended, tests, timeout_s)
    return said if confined else replace(said, findings=(*said.findings, UNCONFINED))


# Options that the project gives itself count first; `seatrial` is loaded by name, so that it is
# there also where plugins are not looked for.
_OPTIONS = (
    *("-q", "--color=no", "--rootdir=."),
    *("-p", "seatrial", "-p", "seatrial.testing.recorder"),
)


@contextmanager
def _scratch() -> Iterator[Path]:
    try:
        scratch = tempfile.TemporaryDirectory(prefix="seatrial-tests-", ignore_cleanup_errors=True)
    except OSError as error:
        what = f"there is no room for a copy of the project: {error.strerror}"
        raise StoreError(Mistake(what, where=str(error.filename or ""))) from error
    with scratch as folder:
        (Path(folder) / "tmp").mkdir()
        yield Path(folder).resolve()


def _quiet(scratch: Path) -> dict[str, str]:
    """Temporary files beside the copy; no bytecode beside the code."""
    return {"TMPDIR": str(scratch / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}


def _handed(context: Context, scratch: Path, *, confined: bool) -> Handed:
    pipeline = context.scope.pipeline
    registered = context.fact("version") is not None
    return Handed(
        folder=str(context.scope.folder.absolute()),
        file=pipeline.file,
        text=pipeline.text,
        changes=pipeline.changes,
        blobs=str(context.blobs.folder.absolute()),
        candidate=_numbered(candidate(context)) if registered else None,
        production=_numbered(production(context)),
        record=str(scratch / "junit.xml"),
        running=str(scratch / "running"),
        writable=None if confined else str(scratch),
    )


def _numbered(version: Version | None) -> Numbered | None:
    if version is None:
        return None
    return Numbered(model=version.model, version=version.version, digest=version.digest)


def _run(
    program: list[str],
    copy: Path,
    environment: dict[str, str],
    handed: Handed,
    *,
    timeout_s: float,
    confined_to: Path | None,
    memory_mb: int | None,
) -> Ended:
    limits = [str(os.getpid()), str(confined_to or ""), str(memory_mb or 0)]
    record, running = Path(handed.record), Path(handed.running)
    running.touch()
    # what is open is still read when a test deletes the file
    with (
        record.open("w+b") as junit,
        running.open("rb") as now,
        subprocess.Popen(  # noqa: S603 - the project's own tests, on purpose
            [sys.executable, "-I", "-S", str(LAUNCHER), *limits, *program],
            cwd=copy,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as started,
    ):
        assert started.stdout is not None
        output = _Output(started.stdout)
        try:
            status: int | None = started.wait(timeout_s)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(started)
            said = output.said()
        ended = Ended(
            status=status,
            record=read(junit.read()),
            running=now.read().decode(errors="replace").strip(),
            said=said,
        )
    if status == _confined.CANNOT_START and not ended.record.begun:
        raise StoreError(Mistake(f"the project's tests could not be started: {_last_line(said)}"))
    return ended


def _end(started: subprocess.Popen[bytes]) -> None:
    """End the launcher, which ends all that the tests started."""
    if started.poll() is not None:
        return
    started.terminate()
    try:
        started.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)


class _Output:
    """Reads a pipe to its end, and keeps how it began and how it ends."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._head, self._tail = b"", b""
        self._reader = threading.Thread(target=self._read, name="output of tests", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while part := os.read(self._pipe.fileno(), 65_536):
            room = _HEAD_BYTES - len(self._head)
            self._head += part[:room]
            self._tail = (self._tail + part[room:])[-_TAIL_BYTES:]

    def said(self) -> str:
        self._reader.join(GRACE_S)
        return (self._head + self._tail).decode(errors="replace")


def told(ended: Ended, tests: str, timeout_s: float) -> Outcome:
    """The verdict over the tests; the first sentence that fits is the reason."""
    record = ended.record
    broke_off = _broke_off(ended, tests, timeout_s)
    findings = [
        replace(each, what=_short(each.what), hint=_short(each.hint)) for each in record.findings
    ]
    failed = record.failed + record.uncollected
    if broke_off:
        failed += bool(ended.running)
        said = _telling_line(ended.said)
        findings.append(
            Finding(
                what=broke_off[1],
                where=ended.running or tests,
                hint=f"printed at last: {said}" if said else "",
            )
        )
        return _outcome(Verdict.FAIL, broke_off[0], record, failed, findings)
    if record.uncollected:
        files = "1 file" if record.uncollected == 1 else f"{record.uncollected} files"
        ran = f"{_counted(record)} ran" if record.tests else f"no test of {tests} ran"
        reason = f"{ran}: {files} could not be collected"
        return _outcome(Verdict.FAIL, reason, record, failed, findings)
    if failed:
        reason = f"{failed} of {_counted(record)} of {tests} fail{'s' * (failed == 1)}"
        return _outcome(Verdict.FAIL, reason, record, failed, findings)
    if ended.status:
        reason, what = _unfinished(ended, tests)
        findings.append(Finding(what=what, where=tests))
        return _outcome(Verdict.FAIL, reason, record, failed, findings)
    if not record.passed and not record.expected:
        reason = f"every test of {tests} was skipped: {_short(record.why_skipped)}"
        return _outcome(Verdict.SKIP, reason, record, failed, findings)
    return _outcome(Verdict.PASS, _passed(record, tests), record, failed, findings)


def _broke_off(ended: Ended, tests: str, timeout_s: float) -> tuple[str, str] | None:
    """The reason, and what to say of the test that ran, when the tests did not come to an end."""
    during = f" while running {ended.running}" if ended.running else ""
    if ended.status is None:
        was = f": it was running {ended.running}" if ended.running else ", not even to begin"
        return f"{tests} did not end within {timeout_s:g} s{was}", "had not ended when time was up"
    if not ended.record.begun or ended.record.whole:
        return None
    if ended.status < 0:
        by = signal.Signals(-ended.status).name
        why = ", perhaps for lack of memory" if by == "SIGKILL" else ""
        return f"{tests} was ended by {by}{why}{during}", f"ended everything by {by}{why}"
    return (
        f"{tests} ended by itself with status {ended.status}{during}",
        f"ended everything with status {ended.status}",
    )


def _unfinished(ended: Ended, tests: str) -> tuple[str, str]:
    """The reason and a finding when no test failed and pytest is not content all the same."""
    status, last = ended.status or 0, _last_line(ended.said)
    if status == _NONE_RAN:
        return f"no test of {tests} ran: pytest found none", last or "no tests ran"
    if status == _MISUSED:
        return f"no test of {tests} ran: pytest refused its options", _error_line(ended.said)
    if status == _INTERNAL:
        return f"pytest itself failed over {tests}", _error_line(ended.said)
    if status == _INTERRUPTED:
        return f"the tests of {tests} were interrupted", _error_line(ended.said)
    by = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
    when = "after its last test" if ended.record.begun else "before its first test"
    return f"pytest {by} {when}, though no test of {tests} failed", _error_line(ended.said)


def _outcome(
    verdict: Verdict, reason: str, record: Record, failed: int, findings: list[Finding]
) -> Outcome:
    more = len(findings) - TOLD
    shown = findings[:TOLD]
    if more > 0:
        shown = [*shown, Finding(what=f"… and {more} more")]
    judged = verdict in {Verdict.PASS, Verdict.FAIL}
    measures = (
        Measure(name="tests.passed", value=float(record.passed), n=record.tests),
        Measure(
            name="tests.failed",
            value=float(failed),
            limit=0.0,
            direction=Direction.AT_MOST,
            n=record.tests,
            verdict=(Verdict.FAIL if failed else Verdict.PASS) if judged else Verdict.SKIP,
        ),
    )
    return Outcome(verdict=verdict, reason=reason, measures=measures, findings=tuple(shown))


def _passed(record: Record, tests: str) -> str:
    one = record.passed == 1
    said = f"{record.passed} test{'s' * (not one)} of {tests} pass{'es' * one}"
    others = ((record.skipped, "skipped"), (record.expected, "failed as expected"))
    return "".join([said, *(f", {count} {how}" for count, how in others if count)])


def _counted(record: Record) -> str:
    return f"{record.tests} test{'s' * (record.tests != 1)}"


def _error_line(said: str) -> str:
    """The line in which pytest says what is wrong, else the last one."""
    lines = [line.strip() for line in said.splitlines()]
    errors = [
        line.removeprefix("E ").strip()
        for line in lines
        if line.startswith(("ERROR: ", "E ", "INTERNALERROR> ", "!!!!"))
    ]
    telling = [line for line in errors if "Error" in line or line.startswith("ERROR: ")]
    refused = [line.partition(": error: ")[2] for line in lines if ": error: " in line]
    return _short((refused or telling or errors or [_last_line(said)])[-1]) or "pytest said nothing"


def _telling_line(said: str) -> str:
    """What Python says of a crash, else the last line that is more than dots of progress."""
    lines = [line for line in said.splitlines() if not _PROGRESS.fullmatch(line.strip())]
    crashes = [line for line in lines if line.startswith("Fatal Python error")]
    return _last_line("\n".join(crashes or lines))


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _short(lines[-1]) if lines else ""


def _short(text: str) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return printable if len(printable) <= _LINE else f"{printable[: _LINE - 1]}…"
