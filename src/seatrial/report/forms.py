"""The forms that a report may take, each by the ending of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report.as_html import as_html
from seatrial.report.as_json import as_json
from seatrial.report.as_junit import as_junit
from seatrial.report.as_markdown import as_markdown
from seatrial.report.ending import ending_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seatrial.report.sections import Sources

FORMS: Mapping[str, Callable[[Sources], str]] = {
    ".html": as_html,
    ".md": lambda sources: as_markdown(sources.account),
    ".xml": lambda sources: as_junit(sources.account),
    ".json": lambda sources: as_json(sources.account),
}


def form_of(file: Path) -> Callable[[Sources], str]:
    """What writes a file of that ending. Raises :class:`UsageError` for any other."""
    return FORMS[ending_of(file, FORMS)]
