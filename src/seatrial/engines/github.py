"""The pipeline as a workflow of GitHub Actions: it judges every pull request.

The workflow calls ``seatrial run`` in one job, for a runner is there to work and not to wait.
Another one comments, which has the token for it and runs nothing of the repository's.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from seatrial.engines._exported import filled
from seatrial.engines._release import installed
from seatrial.environment.printable import printable
from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline

ACTIONS = {
    "CHECKOUT": "v7", "SETUP_PYTHON": "v7", "UPLOAD_ARTIFACT": "v7", "DOWNLOAD_ARTIFACT": "v8",
}  # fmt: skip
"""The major versions of GitHub's own actions that the file names."""
_REQUIREMENTS = "requirements.txt"
_NAMES_US = re.compile(r"seatrial\s*(?:[\[=<>~!;@#]|$)", re.IGNORECASE)
_SUNDAY = 7


class Github:
    """Writes ``.github/workflows/NAME.yml``."""

    installs_seatrial = True
    """The workflow brings an interpreter of its own: ``--python`` and ``--image`` do not apply."""

    def export(self, outline: Outline, call: Call) -> str:
        """The text of the workflow, for the repository that holds the project's folder."""
        folder = _in_repository(call.folder)
        return filled(
            "github.txt",
            **ACTIONS,
            NAME=outline.name,
            TITLE=_quoted(outline.name),
            COMMENT=printable(call.file if folder == "." else f"{folder}/{call.file}"),
            FILE=_quoted(call.file),
            FOLDER=_quoted(folder),
            PYTHON=f"{sys.version_info.major}.{sys.version_info.minor}",
            INSTALL=_install(call.folder),
            RELEASE=installed(),
            CLICK=version("click"),
            BY_SCHEDULE=" and by the pipeline's schedule" if outline.schedule else "",
            SCHEDULE=_schedule(outline),
            REPLACED=_replaced(outline),
        )


def _in_repository(folder: Path) -> str:
    """The folder as the root of its repository has it; without one, it is the root itself."""
    root = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)
    return folder.relative_to(root).as_posix()


def _install(folder: Path) -> str:
    """What the project requires; then this release, unless the project names one."""
    requirements = folder / _REQUIREMENTS
    required = requirements.read_text(encoding="utf-8") if requirements.is_file() else None
    lines = [] if required is None else [f"python -m pip install --requirement {_REQUIREMENTS}"]
    if required is None or not any(map(_NAMES_US.match, required.splitlines())):
        lines.append(f'python -m pip install "seatrial[postgres,s3]=={installed()}"')
    return "".join(f"          {line}\n" for line in lines)


def _schedule(outline: Outline) -> str:
    if outline.schedule is None:
        return ""
    lines = ["  schedule:", f"    - cron: {_quoted(_cron(outline.schedule))}"]
    if outline.timezone != "UTC":
        lines.append(f"      timezone: {_quoted(outline.timezone)}")
    return "".join(f"{line}\n" for line in lines)


def _cron(schedule: str) -> str:
    """The schedule in GitHub's words: months and weekdays in capitals, Sunday is 0 and not 7.

    >>> _cron("0 2 * jan-mar fri-7")
    '0 2 * JAN-MAR 0,5,6'
    """
    texts = schedule.upper().split()
    if str(_SUNDAY) in re.findall(r"\d+", texts[-1].partition("/")[0]):
        texts[-1] = ",".join(map(str, sorted(fields(schedule).weekdays)))
    return " ".join(texts)


def _replaced(outline: Outline) -> str:
    """A new commit always replaces the run of the last one; another run as the pipeline says."""
    if outline.overlap == "replace":
        return "true"
    return "${{ github.event_name == 'pull_request' }}"


def _quoted(text: str) -> str:
    """A text as YAML has it, in which GitHub evaluates nothing."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in escaped)
    inert = shown.replace("${{", "${{ '${{' }}")
    return f'"{inert}"'
