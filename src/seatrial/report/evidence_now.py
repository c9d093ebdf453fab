"""What the evidence of everything under way says now, against the bars that it must reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from seatrial.errors import StoreError
from seatrial.evidence.agreement import Tally
from seatrial.evidence.shadowing import judge
from seatrial.registry import shadows, watches
from seatrial.registry.opened import signature_of
from seatrial.registry.policy import Policy
from seatrial.registry.rules import Rules
from seatrial.registry.trails import DIFFERING, Evidence, judged
from seatrial.report.sections.followed import AGAINST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seatrial.outcome import Measure
    from seatrial.registry.project import Project
    from seatrial.registry.shadows import Shadow
    from seatrial.registry.watches import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One number that is followed. ``towards`` is the part of what a rollback needs, 0 to 1.

    ``towards`` is ``None`` where evidence rolls nothing back: in a shadow test.
    """

    measure: Measure
    towards: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is followed of ``version`` beside ``against``: a ``watch``, or a ``shadow`` test.

    ``until`` is ISO, UTC; ``said`` tells how much there is to go by, or why nothing is known.
    """

    kind: str
    model: str
    version: int
    against: int
    until: str
    said: str
    seen: tuple[Seen, ...]


Known = tuple[str, tuple[Seen, ...]]
"""What is said, and what is seen."""

Followed = TypeVar("Followed", "Watch", "Shadow")


def evidence_now(project: Project) -> tuple[Standing, ...]:
    """Every watch and every shadow test under way, the oldest first."""
    ledger = project.ledger
    return (
        *(_standing("watch", each, project, _watched) for each in watches.under_way(ledger)),
        *(_standing("shadow", each, project, _shadowed) for each in shadows.wanted(ledger)),
    )


def seen_by(project: Project, watch: Watch) -> tuple[Seen, ...]:
    """What a watch has seen, all gateways together: until now, or until it ended.

    StoreError, KeyError, TypeError or ValueError where that cannot be read.
    """
    return tuple(_followed(project, watch))


def labels(seen: Iterable[Seen]) -> int:
    """So many labels came. How often answers differ is counted without any."""
    return max((each.measure.n for each in seen if each.measure.name != DIFFERING), default=0)


def _standing(
    kind: str, of: Followed, project: Project, read: Callable[[Project, Followed], Known]
) -> Standing:
    """What cannot be read is told in its place: the rest of the view does not suffer."""
    try:
        said, seen = read(project, of)
    except StoreError as error:
        said, seen = f"its evidence cannot be read: {error.mistakes[0].what}", ()
    except (KeyError, TypeError, ValueError):
        said, seen = "its evidence was kept by another release of seatrial", ()
    return Standing(
        kind=kind,
        model=of.model,
        version=of.version,
        against=of.against,
        until=of.until,
        said=said,
        seen=seen,
    )


def _watched(project: Project, watch: Watch) -> Known:
    seen = seen_by(project, watch)
    return f"{labels(seen)} labels", seen


def _followed(project: Project, watch: Watch) -> Iterator[Seen]:
    """What the labels say, those of all gateways together."""
    kept = [each["evidence"] for each in watches.trails(project.ledger, watch.id).values()]
    if not kept:
        return
    policy = Policy.from_json(watch.policy)
    version = project.registry.version(watch.model, watch.version)
    rules = Rules.of(policy, len(signature_of(project.registry, version).classes))
    whole = Evidence.empty(rules)
    for each in kept:
        whole += Evidence.from_json(each)
    for which, told in judged(whole, rules, policy).items():
        if told is None:
            continue
        against, _ = AGAINST[getattr(rules, which).mode]
        towards = min(1.0, max(0.0, told.log_e[against] / told.bar))
        yield Seen(measure=told.measure, towards=towards)


def _shadowed(project: Project, shadow: Shadow) -> Known:
    """How often answers differ. Its other limits are judged when it ends."""
    told = shadows.tallies(project.ledger, shadow.id)
    tally = sum((Tally.from_json(each.document) for each in told), Tally())
    measures = judge(
        tally,
        share_percent=shadow.share_percent,
        offline_disagreement=float(shadow.spec["disagreement"]),
        margin=float(shadow.spec["disagreement_margin"]),
    )
    said = f"{tally.reached} of {tally.requests} requests, {tally.errors + tally.nan} errors"
    differing = (each for each in measures if each.name == "disagreement")
    return said, tuple(Seen(measure=each, towards=None) for each in differing)
