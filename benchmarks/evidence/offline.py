"""Offline gates by simulation: who is promoted, and how often bounds miss what they bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evidence.models import classes
from seatrial.evidence import rates
from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.outcome import Direction, Verdict, judge

if TYPE_CHECKING:
    from seatrial.metrics import Metric

MARGIN = 0.05
ACCURACY = 0.90
"""Of the model in production."""

DISCORDANT = 0.08
"""Share of rows that one of two equal models has right and the other wrong."""

MANY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of ``of`` samples, and the one-sided 95 % bounds of their share."""

    count: int
    of: int

    @property
    def percent(self) -> float:
        """The share itself."""
        return 100 * self.count / self.of

    @property
    def bounds_percent(self) -> tuple[float, float]:
        """Clopper and Pearson's, by the code under test: it is tested against its definition."""
        low, high = rates.of_one(self.count, self.of)
        return 100 * low, 100 * high

    def __str__(self) -> str:
        low, high = self.bounds_percent
        return f"{self.percent:.2f} % ({low:.2f} to {high:.2f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotions:
    """What three rules do with candidates that are truly so much worse."""

    passed: Share
    inconclusive: Share
    failed: Share
    point: Share
    """Promoted when the observed degradation is within the margin."""
    unpaired: Share
    """Promoted by a z-test that takes the models' rows for independent ones."""


def promotions(n: int, degradation: float, samples: int, *, seed: int) -> Promotions:
    """Of ``samples`` candidates, each judged on ``n`` rows of its own.

    Four cells are drawn, not rows: only production right, only the candidate, both, neither. A
    worse candidate loses rows that production has right; what it alone has right stays.
    """
    won = DISCORDANT / 2
    lost = won + degradation
    both = ACCURACY - lost
    drawn = np.random.default_rng(seed).multinomial(
        n, [lost, won, both, 1 - lost - won - both], size=samples
    )
    cells, counts = np.unique(drawn, axis=0, return_counts=True)
    decided = dict.fromkeys(Verdict, 0)
    judged: dict[tuple[int, int], Verdict] = {}
    for pair, count in zip(cells[:, :2].tolist(), counts.tolist(), strict=True):
        key = (pair[0], pair[1])
        if key not in judged:
            bounds = rates.of_difference(*key, n)
            judged[key] = judge(*bounds, MARGIN, Direction.AT_MOST)
        decided[judged[key]] += count
    gap = (cells[:, 0] - cells[:, 1]) / n
    correct = [(cells[:, 2] + cells[:, each]) / n for each in (0, 1)]
    error = np.sqrt(sum(rate * (1 - rate) for rate in correct) / n)

    def share(count: int) -> Share:
        return Share(count=int(count), of=samples)

    return Promotions(
        passed=share(decided[Verdict.PASS]),
        inconclusive=share(decided[Verdict.INCONCLUSIVE]),
        failed=share(decided[Verdict.FAIL]),
        point=share(counts[cells[:, 0] - cells[:, 1] <= MARGIN * n].sum()),
        unpaired=share(counts[gap + rates.Z * error <= MARGIN].sum()),
    )


def misses(metric: Metric, n: int, samples: int, *, prevalence: float) -> dict[str, Share]:
    """How often each bound lies beyond what it bounds, which is known from a million rows."""
    y, production, candidate = classes(0, MANY, prevalence=prevalence)
    true = metric.value(y, candidate)
    worse = metric.value(y, production) - true
    missed = dict.fromkeys(("low", "high", "paired low", "paired high"), 0)
    for seed in range(1, samples + 1):
        y, production, candidate = classes(seed, n, prevalence=prevalence)
        one = absolute(metric, y, candidate, true, seed=seed)
        two = compare(metric, y, candidate, production, worse, seed=seed)
        # at most, for a degradation: a low bound beyond the truth is a failure by mistake
        missed["low"] += one.verdict is Verdict.PASS
        missed["high"] += one.verdict is Verdict.FAIL
        missed["paired low"] += two.verdict is Verdict.FAIL
        missed["paired high"] += two.verdict is Verdict.PASS
    return {bound: Share(count=count, of=samples) for bound, count in missed.items()}
