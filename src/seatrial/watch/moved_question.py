"""What are people asked when traffic is not like the training data?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.registry.drifts import columns_said
from seatrial.review.items import Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.traffic.span import Span
    from seatrial.watch.moved import Episode

KIND = "drift"
CALM = "a whole day of traffic was like the training data again"


def subject(model: str, version: int) -> str:
    """What the question is about."""
    return f"{model} version {version}"


def question(
    span: Span, body: Mapping[str, Any], episode: Episode, review_hours: float
) -> Question:
    """The question, with the numbers of the day that raised it. An answer moves nothing."""
    day = body["day"]
    told = [each for each in day["columns"] if each["name"] in day["moved"]]
    about = subject(span.model, span.version)
    return Question(
        kind=KIND,
        subject=about,
        model=span.model,
        version=span.version,
        run=None,
        step=None,
        by=None,
        question=f"May {about} go on by what was learned and tested before? The traffic of"
        f" {day['hours']} hours up to {span.until:%Y-%m-%dT%H:%MZ} is not like its training data:"
        f" {columns_said(told, len(day['moved']), body['unit'])}. Held-out data like the training"
        " data say little about such requests.",
        recommended="reject, and train anew on newer data, unless the move is known and meant",
        options=("approve", "reject"),
        evidence={
            "model": span.model,
            "version": span.version,
            "since": episode.since,
            "columns": list(episode.asked),
            "rows": day["rows"],
            "counts": day["evidence"],
            "measures": [{**each, "name": f"{body['measure']}.{each['name']}"} for each in told],
        },
        resolves="a whole day of traffic like the training data, or another version in production",
        hours=review_hours,
        on_timeout="keep",
    )
