"""What a mapping at the top of a pipeline file may say: its keys, and what each may hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from seatrial.pipeline.notes import kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from seatrial.pipeline.located import Path
    from seatrial.pipeline.notes import Notes

ABSENT: Any = object()
"""What a check gives for a value that it refused; the mistake is noted."""

Check: TypeAlias = "Callable[[object, Path, Notes], Any]"


def mapping(
    value: object, path: Path, notes: Notes, checks: Mapping[str, Check]
) -> dict[str, Any] | None:
    """The keys that are known and right; ``None`` when the value is no mapping."""
    if not isinstance(value, dict):
        fix = f"write one of {', '.join(checks)} below it"
        notes.wrong(path, f"{path[-1]!r} must be a mapping, not {kind(value)}", fix=fix)
        return None
    found = {}
    for name, item in value.items():
        step: Path = (*path, name if isinstance(name, int) else str(name))
        if name not in checks:
            notes.unknown(step, f"{path[-1]!r} has an unknown key", name, checks)
        elif (said := checks[name](item, step, notes)) is not ABSENT:
            found[name] = said
    return found


LARGEST = 100_000
"""More hours or days than this lead beyond the years that a calendar has."""


def above_zero(value: object, path: Path, notes: Notes, example: str = "10") -> Any:
    """A number above 0, and at most :data:`LARGEST`."""
    if _number(value) and 0 < float(str(value)) <= LARGEST:
        return value
    too_large = _number(value) and LARGEST < float(str(value)) < math.inf
    most = f" and at most {LARGEST}" if too_large else ""
    what = f"a number above 0{most}, not {kind(value)}"
    return _refused(path, notes, what, f"{example}, without quotes")


def margin(value: object, path: Path, notes: Notes) -> Any:
    """How much worse is still good enough, in units of a metric."""
    return above_zero(value, path, notes, example="0.05")


def percent(value: object, path: Path, notes: Notes) -> Any:
    """A number from 0 to 100."""
    if _number(value) and 0 <= float(str(value)) <= 100:  # noqa: PLR2004 - per hundred
        return value
    return _refused(path, notes, f"a number from 0 to 100, not {kind(value)}", "5, without quotes")


def count(value: object, path: Path, notes: Notes) -> Any:
    """A whole number above 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    what = f"a whole number above 0, not {kind(value)}"
    return _refused(path, notes, what, "100, without quotes")


def truth(value: object, path: Path, notes: Notes) -> Any:
    """``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    return _refused(path, notes, f"true or false, not {kind(value)}", "true, without quotes")


def word(value: object, path: Path, notes: Notes) -> Any:
    """Any text."""
    if isinstance(value, str) and value.strip():
        return value
    return _refused(path, notes, f"a text, not {kind(value)}", "accuracy")


def texts(value: object, path: Path, notes: Notes) -> Any:
    """A list of column names, as a tuple."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    given = "a list with other things" if value and isinstance(value, list) else kind(value)
    what = f"{path[-1]!r} must be a list of column names, not {given}"
    example = f"{path[-1]}: [email], with names like numbers in quotes"
    notes.wrong(path, what, fix=f"write such as {example}")
    return ABSENT


def one_of(known: Collection[str]) -> Check:
    """One of a few words."""

    def check(value: object, path: Path, notes: Notes) -> Any:
        if isinstance(value, str) and value in known:
            return value
        notes.unknown(path, f"{path[-1]!r} cannot be", value, known)
        return ABSENT

    return check


def by_word(known: Collection[str], example: str) -> Check:
    """A mapping of any words, each to one of a few; those that are right count."""

    def check(value: object, path: Path, notes: Notes) -> Any:
        if not isinstance(value, dict):
            return _refused(path, notes, f"a mapping, not {kind(value)}", example)
        found = {}
        for name, item in value.items():
            step: Path = (*path, name if isinstance(name, int) else str(name))
            if not isinstance(name, str):
                what = f"{path[-1]!r} has a key that is no word: {kind(name)}"
                notes.wrong(step, what, fix=f"write such as {path[-1]}: {example}")
            elif (said := one_of(known)(item, step, notes)) is not ABSENT:
                found[name] = said
        return found

    return check


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused(path: Path, notes: Notes, what: str, example: str) -> Any:
    notes.wrong(path, f"{path[-1]!r} must be {what}", fix=f"write such as {path[-1]}: {example}")
    return ABSENT
