"""What a step kept as JSON, read as far as a section needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from seatrial.report.section import Note
from seatrial.report.sections import Gone

if TYPE_CHECKING:
    from seatrial.report.sections import Sources

T = TypeVar("T")


def read(content: bytes | Gone, form: type[T], what: str) -> T | Note:
    """The content in that form; a note in its place where it is gone, or has another form.

    ``what`` is the subject of the note: "The slices of evaluate_model.performance_tests".
    """
    if isinstance(content, Gone):
        return Note(f"{what} cannot be shown any more: {content.why}.", gone=True)
    try:
        return msgspec.json.decode(content, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Note(
            f"{what} cannot be shown: another release of seatrial kept them in a form of its own."
        )


def every(sources: Sources, name: str, form: type[T], what: str) -> list[tuple[str, T | Note]]:
    """What each step kept under that name, behind its address, in order."""
    found = [(address, sources.blob(address, name)) for address in sources.steps]
    return [
        (address, read(content, form, f"{what} of {address}"))
        for address, content in found
        if content is not None
    ]
