"""How a file of another engine reaches seatrial: an interpreter or an image, and the project."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.engines._release import installed
from seatrial.environment.printable import printable
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 60.0
_SAID = re.compile(r".*\bseatrial, version (\S+)\s*")
CARRIED = (
    "SEATRIAL_HOME", "SEATRIAL_DATABASE", "SEATRIAL_BLOBS", "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL",
    "AWS_DEFAULT_REGION", "PGPASSWORD",
)  # fmt: skip
"""The variables that a container takes over; their values never stand in a file."""


@dataclass(frozen=True, slots=True)
class Call:
    """The project ``folder`` and the pipeline ``file`` in it; ``python`` or an ``image``."""

    folder: Path
    file: str
    python: str
    image: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What comes before ``begin`` and ``step``; ``{user}`` stands for the ids of who calls."""
        if self.image is None:
            return (self.python, "-m", "seatrial")
        carried = [word for name in CARRIED for word in ("--env", name)]
        return (
            *("docker", "run", "--rm", "--init", "--network", "host", "--user", "{user}"),
            *("--volume", f"{self.folder}:{self.folder}", "--workdir", str(self.folder)),
            *carried,
            *(self.image, "python", "-m", "seatrial"),
        )


def demand_names(call: Call) -> None:
    """Refuse a folder or a file of a name that the exported file could not hand on: UsageError."""
    where = printable(f"{call.folder}/{call.file}")
    try:
        f"{call.folder}{call.file}{call.python}".encode()
    except UnicodeEncodeError:
        mistake = Mistake("the name is no UTF-8 text", where=where, fix="rename it")
        raise UsageError(mistake) from None
    if call.image is not None and ":" in str(call.folder):
        what = "the name of the folder holds a colon, with which Docker ends a name"
        raise UsageError(Mistake(what, where=where, fix="rename it, or use --python"))


def demand_seatrial(call: Call) -> str | None:
    """Ask the interpreter for its seatrial; a warning when it is another release than this one.

    Raises :class:`UsageError` when there is none. An image is not asked: it may be elsewhere.
    """
    if call.image is not None:
        return None
    words = [*call.words, "--version"]
    try:
        asked = subprocess.run(  # noqa: S603 - the interpreter that the user names
            words,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
    except OSError as error:
        mistake = Mistake(
            f"this interpreter cannot be called: {error.strerror}",
            where=call.python,
            fix="name one that has seatrial with --python; on another machine: --unchecked",
        )
        raise UsageError(mistake) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(_none(call, str(error))) from error
    if asked.returncode != 0:
        last = (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise UsageError(_none(call, last))
    said = _SAID.fullmatch(asked.stdout)
    if said is None:
        raise UsageError(_none(call, "it does not say its release"))
    if said[1] == installed():
        return None
    return f"{call.python} has seatrial {said[1]}; this is {installed()}"


def _none(call: Call, why: str) -> Mistake:
    return Mistake(
        f"this interpreter has no seatrial: {why}",
        where=call.python,
        fix=f"{call.python} -m pip install seatrial=={installed()}; or name another with --python;"
        " on another machine: --unchecked",
    )
