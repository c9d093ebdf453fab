"""The project's own pytest tests: run in a copy of its code, where they can do no harm."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError
from seatrial.evaluation.handed import Handed, Numbered, hand_over
from seatrial.inference import foreign, launcher
from seatrial.ledger.bringing import bring
from seatrial.outcome import Finding
from seatrial.tasks._candidate import candidate, production
from seatrial.tasks._scratch_copy import copy_code
from seatrial.tasks._tests_record import read
from seatrial.tasks._tests_told import Ended, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.outcome import Outcome
    from seatrial.registry.registry import Version
    from seatrial.tasks import Context

COPY = "project"
"""The copy of the project, in the scratch folder."""

UNCONFINED = Finding(
    what="this kernel cannot keep the tests inside their copy of the project (it has no Landlock):"
    " what they change outside by Python's own functions is refused, by other programs it is not",
    where="/sys/kernel/security/lsm",
    hint="run on Linux 5.13 or later with Landlock among its security modules",
)


def own_tests(context: Context, tests: str, timeout_s: float, memory_mb: int | None) -> Outcome:
    """Run the tests in ``tests`` and tell what they say. StoreError when they cannot be run.

    Nothing that they started outlives them. What they print is kept to a few lines.
    """
    confined = launcher.landlock_version() > 0
    with _scratch() as scratch:
        copy_code(context.scope.folder, scratch / COPY, context.workspace.home)
        handed = _handed(context, scratch, confined=confined)
        variables = hand_over(handed, scratch / "handed.json")
        limits = foreign.Limits(timeout_s, memory_mb, confined)
        ended = _run(tests, scratch, handed, {**variables, **_quiet(scratch)}, limits)
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
    mine = candidate(context) if context.fact("version") is not None else None
    theirs = production(context)
    for version in filter(None, (mine, theirs)):
        # the tests can neither write a copy of a blob nor reach a store
        bring(context.blobs, version.digest, str(version))
    return Handed(
        folder=str(context.scope.folder.absolute()),
        file=pipeline.file,
        text=pipeline.text,
        changes=pipeline.changes,
        blobs=str(context.blobs.folder.absolute()),
        candidate=_numbered(mine),
        production=_numbered(theirs),
        record=str(scratch / "junit.xml"),
        running=str(scratch / "running"),
        writable=None if confined else str(scratch),
    )


def _numbered(version: Version | None) -> Numbered | None:
    if version is None:
        return None
    return Numbered(model=version.model, version=version.version, digest=version.digest)


def _run(
    tests: str,
    scratch: Path,
    handed: Handed,
    variables: Mapping[str, str],
    limits: foreign.Limits,
) -> Ended:
    record, running = Path(handed.record), Path(handed.running)
    running.touch()
    # what is open is still read when a test deletes the file
    with record.open("w+b") as junit, running.open("rb") as now:
        ran = foreign.run(
            [sys.executable, "-m", "pytest", tests, *_OPTIONS],
            limits,
            folder=scratch / COPY,
            environment={**foreign.environment(), **variables},
            scratch=scratch,
        )
        ended = Ended(
            status=ran.status,
            record=read(junit.read()),
            running=now.read().decode(errors="replace").strip(),
            said=ran.said,
        )
    if ended.status == launcher.CANNOT_START and not ended.record.begun:
        raise StoreError(Mistake(f"the project's tests could not be started: {ran.last_line}"))
    return ended
