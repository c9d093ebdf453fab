"""What a watch does now, from what it knows: no clock, no ledger, no process in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from seatrial.evidence.watching import foretold
from seatrial.outcome import Verdict
from seatrial.registry.watches import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from seatrial.evidence.watching import Judged
    from seatrial.registry.policy import Policy

MOST_ROLLBACKS = 2
STORM_DAYS = 7
"""So many rollbacks by itself within so many days, then a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brakes:
    """What keeps production from going back by itself.

    ``promoted`` says that what serves was promoted, and not gone back to; ``rollbacks`` counts
    those by itself within the last :data:`STORM_DAYS` days.
    """

    promoted: bool
    rollbacks: int
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a watch at one look.

    ``quality`` compares with the version that was replaced, None when labels cannot be compared
    and then ``unpaired`` says why. ``promised`` judges the mean loss of the version itself against
    what it had to reach offline, ``differing`` how often the two answer otherwise against what was
    seen offline.
    """

    now: datetime
    version: int
    first_deadline: datetime
    last_deadline: datetime
    until: datetime
    quality: Judged | None
    unpaired: str
    coverage_percent: float
    promised: Judged | None
    differing: Judged | None
    brakes: Brakes


@dataclass(frozen=True, slots=True)
class RollBack:
    """Move production back, now; ``kind`` says what found the harm: quality or guardrail."""

    reason: str
    kind: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Put a question to a person; the same one is asked once."""

    kind: str
    question: str
    recommended: str
    on_timeout: str
    resolves: str
    reason: str


@dataclass(frozen=True, slots=True)
class Extend:
    """Watch longer, because labels are too few."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """The watch is over; the version stays."""

    state: State
    reason: str


Action: TypeAlias = RollBack | Ask | Extend | End


def decide(known: Known, policy: Policy) -> Iterator[Action]:
    """What to do, in this order."""
    quality = known.quality
    if quality is not None and quality.measure.verdict is Verdict.FAIL:
        action = harmed(known.version, quality.reason, "quality", known.brakes)
        yield action
        if isinstance(action, Ask) and known.now >= known.last_deadline:
            # nobody answered: what would replace it must not wait for this watch for ever
            yield End(State.FAILED, f"{quality.reason}; nothing moved, because a person must say")
        return
    yield from _doubts(known)
    if known.now >= known.first_deadline:
        yield from _ending(known, policy)


def harmed(version: int, reason: str, found_by: str, brakes: Brakes) -> RollBack | Ask:
    """Back, unless something forbids it: then a person is called."""
    why = _forbidden(brakes)
    if not why:
        return RollBack(reason, found_by)
    return Ask(
        kind="rollback_blocked",
        question=f"Shall production go back from version {version}? It does harm, but {why}.",
        recommended="look now: if it does harm, seatrial rollback",
        on_timeout="keep",
        resolves="nothing but a person",
        reason=reason,
    )


def _forbidden(brakes: Brakes) -> str:
    """Why production must not go back by itself; empty when it may."""
    if not brakes.promoted:
        return "it is what production went back to, and from there nothing goes back by itself"
    if brakes.frozen:
        return "the model is frozen"
    if brakes.rollbacks >= MOST_ROLLBACKS:
        return f"{brakes.rollbacks} rollbacks by itself within {STORM_DAYS} days are enough"
    return ""


def _doubts(known: Known) -> Iterator[Ask]:
    """What is no harm beside the version before, but a person should know of."""
    version, promised, differing = f"version {known.version}", known.promised, known.differing
    if promised is not None and promised.measure.verdict is Verdict.FAIL:
        yield Ask(
            kind="retrain",
            question=f"Shall the model be trained anew? {version} no longer reaches what it had to"
            " reach before it was promoted, and the version before would do no better.",
            recommended="retrain",
            on_timeout="keep",
            resolves="a new version that passes the gates",
            reason=promised.reason,
        )
    if differing is not None and differing.measure.verdict is Verdict.FAIL:
        yield Ask(
            kind="disagreement",
            question=f"Is {version} right to answer otherwise so often? It differs from the"
            " version before more than on the evaluation rows, so requests are not like those.",
            recommended="label the requests on which they differ",
            on_timeout="keep",
            resolves="labels of the requests on which the two versions differ",
            reason=differing.reason,
        )


def _ending(known: Known, policy: Policy) -> Iterator[Action]:
    """The time is over: known good, or longer, or left to a person."""
    quality = known.quality
    covered = known.coverage_percent >= policy.min_coverage_percent
    if quality is not None and quality.measure.verdict is Verdict.PASS and covered:
        yield End(State.PASSED, f"known good: {quality.reason}")
        return
    why = _open(known, policy, covered=covered)
    if known.now < known.last_deadline:
        if known.until < known.last_deadline:
            yield Extend(known.last_deadline, why)
        return
    resolves = "more labelled requests"
    if quality is not None and quality.more_labels:
        resolves = f"about {foretold(quality.more_labels)} more labelled requests"
    yield Ask(
        kind="watch_inconclusive",
        question=f"Is version {known.version} as good as the one before? The watch could not tell.",
        recommended="label the requests on which the two versions differ",
        on_timeout="keep",
        resolves=resolves,
        reason=why,
    )
    # after the question: a watch that has ended is looked at no more, and nobody would ask
    yield End(State.INCONCLUSIVE, f"{why}; the version stays")


def _open(known: Known, policy: Policy, *, covered: bool) -> str:
    """Why the watch cannot say that the version is good."""
    if known.quality is None:
        return known.unpaired
    if known.quality.measure.verdict is Verdict.PASS and not covered:
        return (
            f"only {known.coverage_percent:.3g} % of the answers got a label"
            f" (at least {policy.min_coverage_percent:g} %), and those may not be like the rest"
        )
    return known.quality.reason
