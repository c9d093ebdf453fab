"""What keeps a version from being promoted by itself, although every gate has passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.outcome import Finding, Outcome, Verdict, Wait
from seatrial.registry import brakes, gateways, watches
from seatrial.registry.gateways import SERVING
from seatrial.registry.opened import digest_of

if TYPE_CHECKING:
    from seatrial.registry.registry import Version
    from seatrial.registry.watches import Watch
    from seatrial.tasks import Context

LATE_S = 60.0
"""How soon one looks again when a watch should have ended."""


def held_back(context: Context, version: Version) -> Outcome | Wait | None:
    """A quarantine or a freeze, for a person; a cool-down or a watch, to be waited for."""
    return (
        _quarantined(context, version)
        or _frozen(context, version)
        or _cooling(context, version)
        or _watched(context, version)
    )


def _quarantined(context: Context, version: Version) -> Outcome | None:
    digest = digest_of(context.registry, version)
    found = brakes.quarantined(context.registry.ledger, version.model, digest)
    if found is None:
        return None
    return _for_a_person(
        context,
        "quarantine_lift",
        f"{version} is in quarantine since {found.since[:16].replace('T', ' ')} UTC: it is the"
        f" model of version {found.version}, which was rolled back: {found.reason}",
        f"May {version} be promoted although the same model was rolled back?",
        {"digest": digest, "since": found.since, "reason": found.reason},
    )


def _frozen(context: Context, version: Version) -> Outcome | None:
    found = brakes.frozen(context.registry.ledger, version.model)
    if found is None:
        return None
    return _for_a_person(
        context,
        "storm_freeze",
        f"{version.model} is frozen since {found.since[:16].replace('T', ' ')} UTC: {found.reason}",
        f"May {version.model} be promoted by itself again?",
        {"since": found.since, "reason": found.reason},
    )


def _for_a_person(
    context: Context, kind: str, reason: str, question: str, evidence: dict[str, str]
) -> Outcome:
    """An approval lifts it, and the step is asked again: it is no pass by itself."""
    return Outcome(
        verdict=Verdict.INCONCLUSIVE,
        reason=reason,
        findings=(
            Finding(
                what="only a person can allow this",
                where=context.scope.entry.address,
                hint="`seatrial reviews` shows the question; production was not changed",
            ),
        ),
        facts={"asks": {"kind": kind, "question": question, "evidence": evidence}},
    )


def _cooling(context: Context, version: Version) -> Wait | None:
    """After an automatic rollback the next promotion by itself must wait."""
    hours = context.scope.pipeline.watch.cool_down_hours
    now, ledger = context.workspace.clock(), context.registry.ledger
    with ledger.read() as connection:
        made = watches.rollbacks(connection, version.model, now - timedelta(hours=hours))
    if not made:
        return None
    until = datetime.fromisoformat(made[-1]) + timedelta(hours=hours)
    at = made[-1][:16].replace("T", " ")
    reason = f"{version.model} was rolled back at {at} UTC and cools down for {hours:g} hours"
    return Wait(until=until, reason=reason) if until > now else None


def _watched(context: Context, version: Version) -> Wait | None:
    """What serves is being watched: replaced now, nobody would ever know whether it was good."""
    watch = watches.current(context.registry.ledger, version.model)
    if watch is None or not _served(context, watch):
        return None
    now, until = context.workspace.clock(), datetime.fromisoformat(watch.until)
    live = gateways.live(context.registry.ledger, context.workspace.home)
    if until <= now and not live:
        return None  # nobody is there to end it
    reason = f"version {watch.version} is being watched until {until:%Y-%m-%d %H:%M} UTC"
    return Wait(until=max(until, now + timedelta(seconds=LATE_S)), reason=reason)


def _served(context: Context, watch: Watch) -> bool:
    """Whether any gateway ever answered by the watched version; else there is nothing to see."""
    said = gateways.readiness(context.registry.ledger, watch.model, watch.version)
    return any(each.state == SERVING for each in said.values())
