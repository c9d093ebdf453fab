"""Which hours of traffic are over and have not been judged?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.registry import drifts
from seatrial.registry.registry import PRODUCTION
from seatrial.traffic import files
from seatrial.traffic.span import HOUR, Span, hours_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from seatrial.registry.project import Project

SETTLES = timedelta(minutes=2)
"""What was answered in an hour is in the log so long after its end."""


def due(project: Project) -> list[Span]:
    """What can be judged now, the oldest hour first; cheap when there is nothing.

    An hour belongs to the versions that were in production in it, each for its part. Only hours
    in which a file of the log was begun are looked at, and versions that have a profile.
    """
    now = project.machine_clock()
    models = [c.model for c in project.registry.channels() if c.channel == PRODUCTION]
    found = [span for model in models for span in _of_model(project, model, now)]
    return sorted(found, key=lambda span: (span.since, span.model, span.version))


def _of_model(project: Project, model: str, now: datetime) -> Iterator[Span]:
    traffic = project.workspace.traffic
    logged = {number: hours_of(traffic, model, number) for number in files.versions(traffic, model)}
    if not any(logged.values()):
        return
    known = drifts.judged(project.ledger, model)
    parts: dict[tuple[int, datetime], Span] = {}
    for version, since, until in drifts.terms(project.ledger, model):
        for hour in logged.get(version, ()):
            end = hour + HOUR
            within = since < end and (until is None or hour < until)
            if not within or end + SETTLES > now or hour.isoformat() in known.get(version, ()):
                continue
            first = parts.get((version, hour))  # production may have come back within the hour
            parts[version, hour] = Span(
                model=model,
                version=version,
                since=max(hour, since) if first is None else first.since,
                until=end if until is None else min(end, until),
            )
    versions = {version for version, _ in parts}
    told = {
        number
        for number in versions
        if drifts.profile_of(project.registry, model, number) is not None
    }
    yield from (span for span in parts.values() if span.version in told)
