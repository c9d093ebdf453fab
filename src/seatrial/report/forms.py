"""The forms that a report may take, each by the ending of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import Mistake, UsageError, nearest
from seatrial.report.as_json import as_json
from seatrial.report.as_markdown import as_markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seatrial.report.account import Account

FORMS: Mapping[str, Callable[[Account], str]] = {".md": as_markdown, ".json": as_json}


def form_of(file: Path) -> Callable[[Account], str]:
    """What writes a file of that ending. Raises :class:`UsageError` for any other."""
    ending = file.suffix.lower()
    if ending not in FORMS:
        raise UsageError(
            Mistake(
                f"no report ends in {ending!r}" if ending else "the file has no ending",
                where=str(file),
                nearest=nearest(ending, FORMS),
                fix=f"name it {' or '.join(f'{file.stem}{known}' for known in FORMS)}",
            )
        )
    return FORMS[ending]
