"""What the watch of a promotion will follow, and what its rule does near the margin."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

from seatrial import extend, metrics
from seatrial.errors import Mistake, nearest
from seatrial.evidence.losses import FOLLOWED, IN_UNITS_OF_THE_TARGET, why_none
from seatrial.evidence.operating import operating, said
from seatrial.evidence.watching import Mode, Rule
from seatrial.tasks._policy import stage_margin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.tasks import Scope


def check_watch(scope: Scope) -> Iterator[Mistake]:
    """The metric that is followed is a mean over rows, and its margin within reach."""
    name, own = _followed(scope), scope.pipeline.watch.metric
    if own is not None and own.partition("@")[0] not in extend.names("metrics"):
        yield Mistake(
            f"the watch cannot follow {own!r}: there is no such metric",
            str(scope.pipeline.where("watch", "metric")),
            nearest=nearest(own, extend.names("metrics")),
            fix=f"use one of: {', '.join(FOLLOWED)}",
        )
        return
    margin = _margin(scope)
    if margin is None or margin <= 0 or name in IN_UNITS_OF_THE_TARGET:
        return  # what has the target's unit can only be judged by the data
    name = name or metrics.default(scope.pipeline.problem or "classes")
    what, _, fix = why_none(name, margin=margin, variance=1.0).partition(": ")
    if what:
        where = scope.pipeline.where("watch", "metric") if own else scope.entry.place
        yield Mistake(f"the watch cannot follow {name}: {what}", str(where), fix=fix)


def demands(scope: Scope) -> Iterator[str]:
    """How long, what is followed, and what the rule does between half the margin and beyond."""
    watch, margin = scope.pipeline.watch, _margin(scope)
    if margin is None:
        return
    yield (
        f"watched for {watch.hours:g} hours beside the version it replaces, by"
        f" {_followed(scope) or 'the primary metric'} on the same labelled requests"
        f" (rule {watch.rule}, margin {margin:g}); for {watch.longest_hours:g} at most"
    )
    yield from does(margin, watch.rule, watch.min_labels)
    yield (
        f"back without statistics: more than {watch.errors_percent:g} % failed requests in a"
        " minute, workers that die, NaN, answers that take twice as long"
    )


@functools.lru_cache(maxsize=8)
def does(margin: float, rule: str, min_labels: int) -> tuple[str, ...]:
    """The lines about a rule, by simulation of 0/1 losses; half a second the first time.

    None for a margin that is no share: how such losses spread is not known beforehand.
    """
    if not 0 < margin < 1:
        return ()
    asked = Rule(margin=margin, mode=cast("Mode", rule), min_labels=min_labels)
    return tuple(said(asked, operating(asked)))


def _followed(scope: Scope) -> str | None:
    """The metric's name, where the file (and not the data) decides it."""
    tested = [
        getattr(task, "metric", None)
        for _, task in scope.earlier()
        if type(task).__name__ == "IntegrationTests"
    ]
    return scope.pipeline.watch.metric or next(
        filter(None, reversed(tested)), scope.pipeline.metric
    )


def _margin(scope: Scope) -> float | None:
    """The watch's own, else the rollback plan's."""
    own = scope.pipeline.watch.margin
    return own if own is not None else stage_margin(scope)
