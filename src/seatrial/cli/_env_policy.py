"""What does a policy file say? ``RULE: LEVEL`` a line, as under ``environment.policy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.environment.policy import Policy
from seatrial.environment.text_file import text_of
from seatrial.errors import FileError
from seatrial.pipeline.located import locate
from seatrial.pipeline.notes import Notes, by_place, kind

if TYPE_CHECKING:
    from pathlib import Path


def read_policy(path: Path) -> Policy:
    """The levels in a YAML file; FileError with every mistake in it, each at its line."""
    found = locate(text_of(path, "the policy"), str(path))
    notes = Notes(str(path), found.places, list(found.mistakes))
    written = {} if found.value is None else found.value
    if not isinstance(written, dict):
        what = f"a policy is a mapping of rules to levels, not {kind(written)}"
        notes.wrong((), what, fix="write one a line, such as `libc: warn`")
    if notes.mistakes:
        raise FileError(*by_place(notes.mistakes))
    return Policy.read(written, lambda key: str(notes.where((key,) if key else ())))
