"""What does a watch rule do between no degradation and a great one?

By simulation with the rule itself, since no formula says it: the guarantee only speaks of versions
that are never worse than a part of the margin, and what happens beyond depends on the labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import bets, rates
from seatrial.evidence.power import DISCORDANT
from seatrial.evidence.watching import harm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.evidence.watching import Rule

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PARTS_OF_MARGIN = (0.0, 0.4, 0.6, 0.8, 1.0, 1.2, 1.6)
WATCHES = 200
"""Simulated watches of each degradation."""

LOOKS = 2
"""Looks in each bucket; more would change the shares by less than their bounds are apart."""

FIRST_LOOKS = 1.05
"""Factor from one look to the next before that."""

CERTAIN = 0.98
"""A share is called certain when its low bound lies above this."""

CHUNK = 500
"""Watches that are judged together: as many as the fast part of the memory holds."""

ROUNDING = 1e-9
"""How far the evidence may differ by the order in which it was added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What happened to versions that are worse by ``degradation``; all bounds one-sided 95 %."""

    degradation: float
    labels: int
    """Labels in the whole watch."""
    share: float
    """Versions that were rolled back within these labels."""
    share_low: float
    share_high: float
    median_labels: int | None
    """Half of those that were rolled back were so by then; None when hardly any was."""
    median_low: int | None
    median_high: int | None


def operating(
    rule: Rule, *, labels: int = 20_000, discordance: float = DISCORDANT, seed: int = 1
) -> tuple[Row, ...]:
    """Rows from no degradation to 1.6 times the margin, worse from the first label on.

    ``discordance`` is the share of labels that one version has right and the other wrong, or for
    other losses the mean of the absolute difference in units of the bound. A live watch looks
    more often: it rolls back up to four more of a hundred versions near the margin.

    >>> from seatrial.evidence.watching import Rule
    >>> rows = operating(Rule(margin=0.1), labels=2000)
    >>> rows[0].share, rows[-1].share
    (0.0, 1.0)
    """
    rng = np.random.default_rng(seed)
    ends, buckets = _looks(labels, rule)
    worst = 1.0 - 1e-9
    return tuple(
        row(
            round(degradation * rule.bound, 12),
            first_rollback(
                simulated(rng, WATCHES, np.diff(ends, prepend=0), degradation, discordance),
                buckets,
                rule,
            ),
            ends,
        )
        for degradation in (min(part * rule.margin / rule.bound, worst) for part in PARTS_OF_MARGIN)
    )


def said(rule: Rule, rows: Sequence[Row]) -> list[str]:
    """The lines that the plan prints, from the rows of :func:`operating`.

    >>> from seatrial.evidence.watching import Rule
    >>> common = {"labels": 20_000, "median_low": 800, "median_high": 900}
    >>> some = Row(degradation=0.04, share=0.26, share_low=0.24, share_high=0.28,
    ...            median_labels=1850, **common)
    >>> all_ = Row(degradation=0.06, share=1.0, share_low=0.99, share_high=1.0,
    ...            median_labels=850, **common)
    >>> for line in said(Rule(), [some, all_]):
    ...     print(line)
    rolled back within 20 000 labels: 26 % of versions 0.04 worse, certain beyond 0.06
    a version 0.06 worse is rolled back after about 850 labels (median)
    the guarantee: a version never more than 0.025 worse is rolled back with a probability of at \
most 5 %, however often one looks
    """
    between = [each for each in rows if rule.level < each.degradation and not _certain(each)]
    certain = [each for each in rows if _certain(each)]
    shares = [f"{_percent(each.share)} at {each.degradation:.3g}" for each in between]
    if shares:
        shares[0] = f"{_percent(between[0].share)} of versions {between[0].degradation:.3g} worse"
    if certain:
        shares.append(f"certain beyond {certain[0].degradation:.3g}")
    lines = [f"rolled back within {_spaced(rows[0].labels)} labels: {', '.join(shares)}"]
    if rows[-1].median_labels is not None:
        lines.append(
            f"a version {rows[-1].degradation:.3g} worse is rolled back after about"
            f" {_spaced(rows[-1].median_labels)} labels (median)"
        )
    together = f" over all {rule.tests} metrics and slices" if rule.tests > 1 else ""
    lines.append(
        f"the guarantee: a version never more than {rule.level:.3g} worse is rolled back with a"
        f" probability of at most {_percent(rule.alpha)}{together}, however often one looks"
    )
    return lines


def simulated(
    rng: np.random.Generator,
    watches: int,
    sizes: Ints,
    degradation: float | Floats,
    discordance: float,
) -> Ints:
    """[watches, looks, 3]: how many of the labels between looks were better, alike, worse.

    ``sizes`` ([looks]) says how many labels each has, ``degradation`` how much worse the version
    is, in units of the bound, always or at each look. A degradation as great as the discordance
    would leave no label on which the version is better: an eighth of the discordance comes on top.

    >>> simulated(np.random.default_rng(1), 2, np.array([10, 20]), 0.1, 0.5).sum(axis=-1).tolist()
    [[10, 20], [10, 20]]
    """
    worse_by = np.broadcast_to(np.asarray(degradation, dtype=np.float64), sizes.shape)
    better = np.maximum((discordance - worse_by) / 2, discordance / 8)
    better = np.minimum(better, (1 - worse_by) / 2)
    shape = (watches, len(sizes))
    worse = rng.binomial(sizes, better + worse_by, shape)
    # of the labels that are not worse; rounding must not make more than all of them better
    best = rng.binomial(sizes - worse, np.minimum(better / (1 - better - worse_by), 1.0))
    return np.stack([best, sizes - worse - best, worse], axis=-1)


def first_rollback(steps: Ints, buckets: Ints, rule: Rule) -> Ints:
    """[watches]: the look at which the rule rolls back first, or the number of looks if at none.

    ``steps`` ([watches, looks, 3]) counts the labels that were better, alike, worse since the
    look before; ``buckets`` ([looks], ascending) says to which bucket they belong. The verdicts
    are those of :func:`~seatrial.evidence.watching.harm`, which is only asked where the evidence
    has reached the bar. Labels that come in order allow to carry it on from look to look: a bucket
    that begins adds its purse to all that came before (as Shiryaev and Roberts do).

    >>> from seatrial.evidence.watching import Rule
    >>> steps = np.array([[[0, 150, 0], [0, 50, 50]], [[0, 150, 0], [0, 100, 0]]])
    >>> first_rollback(steps, np.array([0, 1]), Rule()).tolist()
    [1, 2]
    """
    rule = replace(rule, counted=True)
    watches, looks = steps.shape[:2]
    found = np.full(watches, looks)
    counts = np.zeros((watches, rule.buckets, 3))
    purse = bets.purses(rule.buckets)
    carried = np.full((watches, bets.BETS), -np.inf)
    for bucket in range(rule.buckets):
        carried = np.logaddexp(carried, purse[bucket])
        here = np.flatnonzero(buckets == bucket)
        going = np.flatnonzero(found == looks)
        if not here.size or not going.size:
            continue
        added = np.cumsum(steps[going][:, here], axis=1, dtype=np.float64)
        wealth = bets.wealths(added, rule.values, rule.level) + carried[going][:, None]
        log_e = np.logaddexp(bets.mean_of_exp(wealth), _still_closed(purse, bucket))
        watch, look = np.nonzero(log_e >= rule.bar - ROUNDING)
        for few in np.array_split(np.arange(len(watch)), math.ceil(len(watch) / CHUNK) or 1):
            seen = counts[going[watch[few]], : bucket + 1]
            seen[:, bucket] = added[watch[few], look[few]]
            falls = few[harm(seen, rule).rolls_back]
            np.minimum.at(found, going[watch[falls]], here[look[falls]])
        counts[going, bucket] = added[:, -1]
        carried[going] = wealth[:, -1]
    return found


def _still_closed(purse: Floats, bucket: int) -> float:
    """The log of what the bettors hold who have not begun."""
    rest = purse[bucket + 1 :]
    return float(bets.together(rest)) if len(rest) else -math.inf


def row(degradation: float, found: Ints, ends: Ints, *, onset: int = 0) -> Row:
    """The share and the median of :func:`first_rollback`; ``ends`` counts labels at each look.

    Labels are counted from ``onset``, and a rollback before it has caught nothing. Bounds of the
    share: Clopper and Pearson (1934), of the median: David and Nagaraja (2003), "Order
    Statistics", 7.1.

    >>> example = row(0.1, np.array([0, 1, 1, 1, 2]), np.array([100, 200]))
    >>> example.share, example.median_labels
    (0.8, 200)
    """
    rolled = np.sort(ends[found[found < len(ends)]])
    took = rolled[rolled > onset] - onset
    low, high = rates.of_one(len(took), len(found))
    rank = _rank(len(took))
    told = rank > 0
    return Row(
        degradation=degradation,
        labels=int(ends[-1]),
        share=len(took) / len(found),
        share_low=low,
        share_high=high,
        median_labels=int(took[(len(took) - 1) // 2]) if len(took) else None,
        median_low=int(took[rank - 1]) if told else None,
        median_high=int(took[len(took) - rank]) if told else None,
    )


def _rank(n: int) -> int:
    """The greatest rank whose value lies above the median with at most 5 %; 0 if there is none."""
    below, rank = 0, 0
    for rank in range(n + 1):
        below += math.comb(n, rank)
        if below / 2**n > 1 - rates.LEVEL:
            break
    return rank


def _looks(labels: int, rule: Rule) -> tuple[Ints, Ints]:
    """The labels at each look, and the bucket of those since the look before."""
    edges = [math.ceil(labels * bucket / rule.buckets) for bucket in range(rule.buckets + 1)]
    ends: list[int] = []
    buckets: list[int] = []
    look = float(min(rule.min_labels, labels))
    for bucket, (begin, end) in enumerate(pairwise(edges)):
        while look < end:
            if look > max(begin, ends[-1] if ends else 0):
                ends.append(int(look))
                buckets.append(bucket)
            look += max(min(look * (FIRST_LOOKS - 1), labels / rule.buckets / LOOKS), 1)
        if end > begin:
            ends.append(end)
            buckets.append(bucket)
    return np.array(ends), np.array(buckets)


def _certain(each: Row) -> bool:
    return each.share_low >= CERTAIN


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _spaced(n: int) -> str:
    return f"{n:,}".replace(",", " ")
