"""The sections of a report, one file each: what a run decided, and what that was decided from.

A section is a function of :class:`Sources`: ``section(sources) -> Section | None``. It knows what
the ledger keeps and says it as tables, charts and sentences (``report/section.py``); it writes no
markup, and is ``None`` where the run has nothing of its kind. What it cannot read, because a blob
is gone or was written by a release that writes otherwise, it says in a :class:`Note` in its place;
a report never fails for that.

To add one, write ``sections/NAME.py`` with that function and put its name into ``ORDER``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from seatrial.errors import StoreError
from seatrial.report.section import Note, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.runs import Run, Step
    from seatrial.outcome import Outcome
    from seatrial.registry.project import Project
    from seatrial.report.account import Account

ORDER = (
    "people",
    "gates",
    "findings",
    "distribution",
    "answers",
    "slices",
    "latency",
    "shadow",
    "followed",
    "environment",
    "card",
    "lineage",
)
"""The files of this folder, in the order of a page."""


UNFIT = (ArithmeticError, LookupError, TypeError, ValueError)
"""What comes of content that has its form and yet does not fit together, as other releases may
write it. Whoever looks for why a run decided as it did shall see all the rest."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A blob that is missing or damaged; ``why`` says which, in a sentence."""

    digest: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What sections are made from: the account of a run, its steps, and the opened project."""

    account: Account
    steps: Mapping[str, Step]
    project: Project

    def outcome(self, address: str) -> Outcome | None:
        """What the step at ``STAGE.TASK`` said, with its facts and the digests of its blobs."""
        step = self.steps.get(address)
        return None if step is None else step.outcome

    def blob(self, address: str, name: str) -> bytes | Gone | None:
        """What that step kept under a name, verified; ``None`` where it kept none."""
        outcome = self.outcome(address)
        digest = None if outcome is None else outcome.blobs.get(name)
        return None if digest is None else self.kept(digest, f"{name!r} of {address}")

    def kept(self, digest: str, of: str) -> bytes | Gone:
        """A blob by its digest, verified; ``of`` says whose it is."""
        try:
            return self.project.registry.blobs.get(digest, of)
        except StoreError as error:
            return Gone(digest, error.mistakes[0].what)


def sources(project: Project, run: Run) -> Sources:
    """What the sections of a run are made from."""
    # the page of a dataset has sections too, and no ledger
    from seatrial.ledger import runs  # noqa: PLC0415 - it loads SQLAlchemy
    from seatrial.report.account import account  # noqa: PLC0415 - it loads SQLAlchemy

    steps = {step.address: step for step in runs.steps(project.ledger, run.id)}
    return Sources(account=account(project, run), steps=steps, project=project)


def sections(of: Sources) -> tuple[Section, ...]:
    """Every section that the run has something for, in order."""
    made = (_made(name, of) for name in ORDER)
    return tuple(section for section in made if section is not None)


def _made(name: str, of: Sources) -> Section | None:
    """One of them; where what was kept does not fit together, a note of that in its place."""
    found: Section | None
    try:
        found = import_module(f"{__name__}.{name}").section(of)
    except UNFIT as error:
        said = f"This cannot be drawn: what was kept does not fit together ({error!r})."
        return Section(anchor=name, title=name.capitalize(), parts=(Note(said, gone=True),))
    return found
