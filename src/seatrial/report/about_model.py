"""A model: its versions, who was in production when, and what keeps it from moving."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.errors import StoreError
from seatrial.ledger.tables import RUN
from seatrial.registry import brakes
from seatrial.registry.registry import PRODUCTION, STAGING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from seatrial.registry.brakes import Frozen, Quarantined
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Channel, Version

ROLLBACK = "rollback"
"""The event of a move back, by a person or by a watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A version: where it is pointed at, and what its run said.

    ``served`` tells whether it is or was in production. ``quarantined`` is why it must not be
    promoted, where it must not. Only what is ``whole`` can be moved to: its files are there still.
    """

    version: Version
    channels: tuple[str, ...]
    verdict: str | None
    served: bool
    quarantined: Quarantined | None

    @property
    def whole(self) -> bool:
        """Whether its files were not collected."""
        return self.version.collected is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A time in production: ``until`` is when the next one began, ``None`` for what serves."""

    at: str
    until: str | None
    event: str
    version: int
    by: str
    reason: str
    evidence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a model. ``versions`` and ``terms`` are newest first."""

    model: str
    production: Channel | None
    previous: int | None
    frozen: Frozen | None
    versions: tuple[Kept, ...]
    terms: tuple[Term, ...]

    @property
    def targets(self) -> tuple[Kept, ...]:
        """What production can go back to by hand: what served before, newest first."""
        now = None if self.production is None else self.production.version
        return tuple(
            each
            for each in self.versions
            if each.served
            and each.whole
            and each.quarantined is None
            and each.version.version != now
        )

    @property
    def candidates(self) -> tuple[Kept, ...]:
        """What a person can put into production: all that is whole and not there, newest first."""
        now = None if self.production is None else self.production.version
        return tuple(each for each in self.versions if each.whole and each.version.version != now)

    @property
    def staged(self) -> int | None:
        """The version that *staging* points at, unless it serves already."""
        found = (each.version.version for each in self.candidates if STAGING in each.channels)
        return next(found, None)

    @property
    def proposed(self) -> int | None:
        """What a person is offered first: what is staged, else the newest whose run passed.

        What is in quarantine, or did not pass, is chosen by whoever wants it.
        """
        free = [each for each in self.candidates if each.quarantined is None]
        wanted = [each for each in free if each.version.version == self.staged]
        passed = [each for each in free if each.verdict == "pass"]
        return next((each.version.version for each in [*wanted, *passed]), None)

    @property
    def target(self) -> int | None:
        """What it would go back to where nobody names a version."""
        numbers = [each.version.version for each in self.targets]
        return self.previous if self.previous in numbers else next(iter(numbers), None)

    def rolled_back(self, number: int) -> Term | None:
        """The move that took a version out of production last, where that was a rollback."""
        return rolled_back(self.terms, number)


def about(project: Project, model: str) -> About:
    """What is known of a model now."""
    registry = project.registry
    return About(
        model=model,
        production=registry.channel(model, PRODUCTION),
        previous=registry.previous(model),
        frozen=brakes.frozen(project.ledger, model),
        versions=_versions(project, model),
        terms=terms_of(project, model),
    )


def terms_of(project: Project, model: str) -> tuple[Term, ...]:
    """When which version was in production, newest first."""
    moves: Sequence[Mapping[str, Any]] = project.registry.history(model)
    found = [
        Term(
            at=str(move["at"]),
            until=str(following["at"]) if following else None,
            **{key: move[key] for key in ("event", "version", "by", "reason", "evidence")},
        )
        for move, following in zip_longest(moves, moves[1:])
    ]
    return tuple(reversed(found))


def rolled_back(terms: Sequence[Term], number: int) -> Term | None:
    """Of ``terms``, newest first: the rollback that ended the last one of a version, if one did."""
    ended = next((after for after, term in pairwise(terms) if term.version == number), None)
    return ended if ended is not None and ended.event == ROLLBACK else None


def _versions(project: Project, model: str) -> tuple[Kept, ...]:
    registry = project.registry
    found = registry.versions(model)[::-1]
    channels = [each for each in registry.channels() if each.model == model]
    served = registry.delivered(model)
    verdicts = _verdicts(project, model)
    held = [each for each in brakes.all_quarantined(project.ledger) if each.model == model]
    return tuple(
        Kept(
            version=version,
            channels=tuple(each.channel for each in channels if each.version == version.version),
            verdict=verdicts.get(version.run or ""),
            served=version.version in served,
            quarantined=_held(project, version, held),
        )
        for version in found
    )


def _verdicts(project: Project, model: str) -> Mapping[str, str | None]:
    """What the runs of a model said, by run."""
    query = sa.select(RUN.c.id, RUN.c.verdict).where(RUN.c.model == model)
    with project.ledger.read() as connection:
        return {row.id: row.verdict for row in connection.execute(query)}


def _held(project: Project, version: Version, held: Collection[Quarantined]) -> Quarantined | None:
    """Why a version is in quarantine: by its model file, which other versions may share."""
    if not held:
        return None
    from seatrial.registry.opened import digest_of  # noqa: PLC0415 - it loads what opens models

    try:
        digest = digest_of(project.registry, version)
    except StoreError:  # its manifest is gone or damaged: then its number tells, if anything
        return next((each for each in held if each.version == version.version), None)
    return next((each for each in held if each.digest == digest), None)
