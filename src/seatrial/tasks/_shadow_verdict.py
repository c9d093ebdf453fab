"""The verdict of a shadow test: every limit, then the quality; and what it was drawn from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from seatrial.evidence.gate import gate
from seatrial.evidence.shadowing import judge, over_time, said
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.tasks._quality import quality

if TYPE_CHECKING:
    from seatrial.evidence.agreement import Tally
    from seatrial.evidence.course import Course
    from seatrial.evidence.shadowing import Limits
    from seatrial.tasks import Context
    from seatrial.tasks._offline import Offline
    from seatrial.tasks._quality import Window


def judged(
    context: Context,
    window: Window,
    tally: Tally,
    offline: Offline,
    limits: Limits,
    course: Course,
) -> Outcome:
    """The worst of all measures decides. What they were drawn from is kept as a blob."""
    measures = judge(
        tally,
        share_percent=window.share_percent,
        offline_disagreement=offline.disagreement,
        margin=offline.disagreement_margin,
        limits=limits,
    )
    disagreement = next((each for each in measures if each.name == "disagreement"), None)
    found = quality(context, window, offline, disagreement)
    verdict = gate((*measures, found.measure), rows="compared requests").verdict
    reason = said(measures, tally)
    blobs = {"shadow": context.blobs.put(_evidence(window, tally, offline, limits, course))}
    if found.kept:
        blobs["pairs"] = context.blobs.put(found.kept)
    return Outcome(
        verdict=verdict,
        reason=f"{reason}; {found.said}" if tally.requests else reason,
        measures=(*measures, found.measure),
        findings=(again(context, "more requests would settle it"),)
        if verdict is Verdict.INCONCLUSIVE
        else (),
        blobs=blobs,
    )


def again(context: Context, hint: str) -> Finding:
    """What to do about a test that is not settled."""
    return Finding(
        what="the shadow test is not settled",
        where=context.scope.entry.address,
        hint=f"{hint}: the same command begins another test",
    )


def _evidence(
    window: Window, tally: Tally, offline: Offline, limits: Limits, course: Course
) -> bytes:
    return json.dumps(
        {
            "candidate": window.candidate.version,
            "production": window.serving.version,
            "since": window.since.isoformat(),
            "until": window.until.isoformat(),
            "share_percent": window.share_percent,
            "tally": tally.to_json(),
            "course": over_time(course),
            "offline": asdict(offline),
            "limits": asdict(limits),
        },
        sort_keys=True,
    ).encode()
