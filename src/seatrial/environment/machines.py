"""What files say of machines: captures, pinned packages, proofs that were brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.environment import document, requirements
from seatrial.environment.proof import proving
from seatrial.environment.proof.asked import is_answer
from seatrial.environment.text_file import text_of
from seatrial.errors import FileError, Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PINNED = (".txt", ".lock")
"""The endings of files that pin packages; any other file is a capture."""

PROOF = "seatrial.proof/"
"""How the format of a proof begins, whatever its release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One that serves, or will, and how it answered the golden rows of a version.

    ``digest`` is that of the version's manifest, empty when none was asked. ``proof`` holds what
    each form of the model answered, by its file's name. ``trouble`` says why there is none;
    ``found_out``: because the model cannot answer there.
    """

    name: str
    environment: Mapping[str, Any]
    digest: str = ""
    proof: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trouble: str = ""
    found_out: bool = False

    @property
    def answers(self) -> bool | None:
        """Whether the golden rows were answered equally, in every form; None: not known."""
        if self.proof:
            return proving.answered(self.proof)
        return False if self.found_out else None

    @property
    def worst(self) -> Mapping[str, Any]:
        """The form that answered farthest off."""
        return max(self.proof.values(), key=lambda each: float(each["largest_difference"]))


def expected_of(path: Path) -> Mapping[str, Any]:
    """An environment that is demanded: a capture, or pinned packages by the file's ending.

    FileError with every mistake in it.
    """
    if path.suffix in PINNED:
        return requirements.read(text_of(path, "the list of packages"), str(path))
    return document.read(path)


def machine_of(path: Path, name: str) -> Machine:
    """A machine by its capture, or by what the proof of a bundle printed there as JSON.

    FileError with every mistake in it.
    """
    if path.suffix in PINNED:
        what = "pinned packages say nothing of the machine that serves"
        fix = "name a capture of it here, and the packages under `expected`"
        raise FileError(Mistake(what, str(path), fix=fix))
    told = document.parsed(path)
    if not isinstance(told, dict) or not str(told.get("format", "")).startswith(PROOF):
        return Machine(name=name, environment=document.demanded(told, str(path)))
    if told["format"] != proving.FORMAT or not _is_whole(told):
        what = "this proof cannot be read: it is cut, edited, or of a later release"
        fix = "prove it again there: `python -m seatrial.environment verify DIR --json > FILE`"
        raise FileError(Mistake(what, str(path), fix=fix))
    return Machine(
        name=name,
        environment=document.demanded(told["environment"], str(path)),
        digest=told["digest"],
        proof=told["proof"] or {},
        trouble=told["trouble"],
        found_out=told.get("found_out") is True,
    )


def _is_whole(told: Mapping[str, Any]) -> bool:
    """Whether a proof has all that is read of it, each of its type."""
    types = {"digest": str, "trouble": str, "environment": dict}
    proof = told.get("proof")
    return (
        all(isinstance(told.get(key), kind) for key, kind in types.items())
        and isinstance(proof, dict | None)
        and all(map(is_answer, (proof or {}).values()))
    )
