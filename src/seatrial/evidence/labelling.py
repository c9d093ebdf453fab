"""What do requests in random order prove, of which only those that differ need a label?

Where two versions answer alike, d is 0 whatever the label: such a request counts, and costs nobody
a look. Where they differ, a person's label says d. Both together, in the order in which they were
drawn, are a random sample of paired, labelled requests; so the trail and the rule of a watch
(:mod:`seatrial.evidence.watching`) hold for them unchanged, at whatever label the person stops.
Only the beginning up to the first request that still waits for its label may count: whoever picks
the labels to be given first picks the verdict.

That the order is random spares the onset (one bucket). What is proven is about requests like these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import bets
from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import harm
from seatrial.outcome import Direction, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.evidence.watching import Rule

    Floats = NDArray[np.float64]

FORESEEN = 100_000
"""More requests than this are not foretold."""

_PRIOR = 0.5
"""Of a label on either side, before any came: versions that differ are first taken to be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the labels say so far; ``measure.verdict`` is inconclusive until they settle it.

    ``requests`` count, ``labels`` of them because of a label and ``alike`` for nothing. ``skipped``
    could not be judged. ``trail`` holds what counts, ``log_e`` are logs of e-values as in
    :class:`~seatrial.evidence.watching.Judged`.
    """

    measure: Measure
    reason: str
    labels: int
    alike: int
    skipped: int
    more_labels: int | None
    """About how many more settle it, if they come like those so far; None: not foreseen."""
    trail: Trail
    log_e: Mapping[str, float]

    @property
    def requests(self) -> int:
        """How many count."""
        return self.labels + self.alike

    @property
    def done(self) -> bool:
        """Whether no more labels are needed."""
        return self.measure.verdict is not Verdict.INCONCLUSIVE


def settle(name: str, alike: Sequence[int], d: Sequence[int | None], rule: Rule) -> Settled:
    """Judge drawn requests up to the first label that settles it, or to the last that came.

    ``alike`` ([k + 1]) says how many requests with equal answers were drawn before each of the k
    that differ, and after the last of them. ``d`` is what the labels say of the first of those k,
    in this order: 1 when only the new version is wrong, -1 when only the old one is, 0 when both
    are, None for one that nobody can judge. ``rule`` has one bucket and is counted.

    What cannot be judged is left out of the estimate, but the verdict must hold whatever its label
    would have been: against a pass it counts as worse, against a failure as better (the bounds of
    Manski 1990, "Nonparametric bounds on treatment effects", American Economic Review 80). Else
    skipping every hard one would be the quickest way to a pass.

    >>> from seatrial.evidence.watching import Rule
    >>> rule = Rule(mode="strict", buckets=1)
    >>> settle("error", [14] * 30, [1, -1] * 12, rule).reason
    'no difference on 314 requests (at most 0.048, margin 0.05) by 20 labels'
    >>> settle("error", [14] * 30, [1, -1, None], rule).measure.verdict
    <Verdict.INCONCLUSIVE: 'inconclusive'>
    """
    if rule.buckets != 1 or not rule.counted:
        raise ValueError("requests in random order have one bucket, and whole differences")
    looks = _looks(alike, d)
    place, verdict = _first(looks, rule)
    counts, skipped = looks[place, :3], int(looks[place, 3])
    trail = _trail(counts, rule)
    measure = _measure(name, trail, _views(looks[place]), rule, verdict)
    labels = (place + 1) // 2 - skipped
    differing = len(alike) - 1
    share = differing / (sum(alike) + differing) if differing else 0.0
    done = verdict is not Verdict.INCONCLUSIVE
    more = 0 if done else _more_labels(looks[place], labels, share, rule)
    return Settled(
        measure=measure,
        reason=_said(measure, labels, skipped, more, rule),
        labels=labels,
        alike=trail.n - labels,
        skipped=skipped,
        more_labels=more,
        trail=trail,
        log_e=_evidence(looks[place], rule),
    )


def _looks(alike: Sequence[int], d: Sequence[int | None]) -> Floats:
    """[1 + 2 labels, 4]: better, alike, worse and skipped so far, after each label and each run.

    Requests that are alike make a failure less likely and a pass more, so no verdict first shows
    in the middle of a run of them.
    """
    steps = np.zeros((1 + 2 * len(d), 4))
    steps[::2, 1] = alike[: len(d) + 1]
    column = [3 if each is None else each + 1 for each in d]
    steps[1 + 2 * np.arange(len(d)), column] = 1
    return np.cumsum(steps, axis=0)


def _views(looks: Floats) -> tuple[Floats, Floats]:
    """[..., 3] twice: with every skipped request counted as better, and as worse."""
    counts, skipped = looks[..., :3], looks[..., 3:]
    nothing = np.zeros_like(skipped)
    return (
        counts + np.concatenate([skipped, nothing, nothing], axis=-1),
        counts + np.concatenate([nothing, nothing, skipped], axis=-1),
    )


def _first(looks: Floats, rule: Rule) -> tuple[int, Verdict]:
    """The first look with a verdict; the last look when none has one."""
    kind, strict = _views(looks)
    fails = harm(kind[:, None, :], rule).rolls_back
    within = bets.whole(strict[:, ::-1], rule.values, -rule.margin)
    passes = (looks[:, :3].sum(axis=-1) >= rule.min_labels) & (within >= -math.log(rule.alpha))
    settled = fails | passes
    if not settled.any():
        return len(looks) - 1, Verdict.INCONCLUSIVE
    place = int(settled.argmax())
    return place, Verdict.FAIL if fails[place] else Verdict.PASS


def _trail(counts: Floats, rule: Rule) -> Trail:
    trail = Trail.empty(rule)
    trail.add(np.repeat(rule.values, counts.astype(np.int64)))
    return trail


def _measure(
    name: str, trail: Trail, views: tuple[Floats, Floats], rule: Rule, verdict: Verdict
) -> Measure:
    kind, strict = views
    low, _ = bets.bounds(kind, rule.values, rule.alpha)
    _, high = bets.bounds(strict, rule.values, rule.alpha)
    return Measure(
        name=name,
        value=trail.mean() if trail.n else None,
        low=low,
        high=high,
        limit=rule.margin,
        direction=Direction.AT_MOST,
        n=trail.n,
        verdict=verdict,
    )


def _evidence(look: Floats, rule: Rule) -> dict[str, float]:
    kind, strict = _views(look)
    levels = {"worse": 0.0, "worse_than_half_margin": rule.margin / 2}
    levels["worse_than_margin"] = rule.margin
    return {
        **{name: float(bets.whole(kind, rule.values, level)) for name, level in levels.items()},
        "within_margin": float(bets.whole(strict[::-1], rule.values, -rule.margin)),
    }


def _more_labels(look: Floats, labels: int, share: float, rule: Rule) -> int | None:
    """The fewest more labels that settle it if they are like those so far; ``share`` differ."""
    if not share:
        return None
    kind, strict = _views(look)
    better, _, worse, _ = look.tolist()
    expected = np.array([better + _PRIOR, labels - better - worse, worse + _PRIOR])
    of_request = share * expected / expected.sum() + np.array([0.0, 1 - share, 0.0])
    more = np.geomspace(1, FORESEEN, 512)
    passes = _grown(strict[::-1], of_request[::-1], more, -rule.margin, rule)
    settled = passes >= -math.log(rule.alpha)
    if of_request @ rule.values > rule.margin:
        settled |= _grown(kind, of_request, more, rule.level, rule) >= rule.bar
    settled &= look[:3].sum() + more >= rule.min_labels
    return math.ceil(more[settled.argmax()] * share) if settled.any() else None


def _grown(now: Floats, each: Floats, more: Floats, level: float, rule: Rule) -> Floats:
    """The evidence after so many more requests."""
    have, gain = (bets.wealths(counts, rule.values, level) for counts in (now, each))
    return bets.mean_of_exp(have + more[:, None] * gain)


def _said(measure: Measure, labels: int, skipped: int, more: int | None, rule: Rule) -> str:
    if measure.value is None or measure.low is None or measure.high is None:
        return "no request counts yet"
    value, low, high = (
        f"{each if abs(each) > 1e-9 else 0.0:.3g}"
        for each in (abs(measure.value), measure.low, measure.high)
    )
    word = "worse" if measure.value > 0 else "better"
    seen = f"{value} {word}" if measure.value else "no difference"
    between = {Verdict.PASS: f"at most {high}", Verdict.FAIL: f"at least {low}"}.get(
        measure.verdict, f"between {low} and {high}"
    )
    by = f"by {labels} label{'' if labels == 1 else 's'}" if labels else "without a label"
    left_out = f", {skipped} that nobody could judge left out" if skipped else ""
    open_ = f"; about {more} more would settle it" if more else ""
    limits = f"({between}, margin {rule.margin:.3g})"
    return f"{seen} on {measure.n} requests {limits} {by}{left_out}{open_}"
