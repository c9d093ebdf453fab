"""How much do gateways do now? The difference of two looks at what each has counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.gateway.counts import BOUNDS_US, Counts
from seatrial.watch.guardrails import quantile_us

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.gateway.scraped import Scraped, Which


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What one version did between two looks: requests, those that got an error among them.

    The times are those of the answers without an error, within the bins of the histogram; ``None``
    where there was none.
    """

    per_s: float
    errors_percent: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


def between(looks: Iterable[tuple[Scraped, Scraped]]) -> dict[Which, Throughput]:
    """Each version that was ever asked, by two looks at each gateway, which are added up.

    >>> from seatrial.gateway.scraped import Scraped
    >>> first, later = Counts(), Counts(requests=19, errors=1, buckets=[0, 19] + [0] * 13)
    >>> of = {("late", 3): first}, {("late", 3): later}
    >>> between([(Scraped(0.0, of[0]), Scraped(2.0, of[1]))])["late", 3]
    Throughput(per_s=10.0, errors_percent=5.0, p50_ms=0.15, p95_ms=0.195, p99_ms=0.199)
    """
    added: dict[Which, Counts] = {}
    longest_s = 0.0
    for before, now in looks:
        longest_s = max(longest_s, now.at_s - before.at_s)
        for which, counts in now.counts.items():
            gone_by = before.counts.get(which, Counts())
            added.setdefault(which, Counts()).add(_less(counts, gone_by))
    return {which: _of(counts, longest_s) for which, counts in added.items()} if longest_s else {}


def so_far(looks: Iterable[tuple[Scraped, Scraped]]) -> dict[Which, int]:
    """How often each version was asked since the gateways began, in order; errors among it.

    >>> from seatrial.gateway.scraped import Scraped
    >>> now = Scraped(2.0, {("late", 3): Counts(requests=19, errors=1)})
    >>> so_far([(now, now), (now, now)])
    {('late', 3): 40}
    """
    whole: dict[Which, int] = {}
    for _, now in looks:
        for which, counts in now.counts.items():
            whole[which] = whole.get(which, 0) + counts.requests + counts.errors
    return dict(sorted(whole.items()))


def _less(now: Counts, before: Counts) -> Counts:
    """What was counted meanwhile. Counts only grow; what was folded into earlier ones is none."""
    return Counts(
        requests=max(0, now.requests - before.requests),
        errors=max(0, now.errors - before.errors),
        buckets=[max(0, a - b) for a, b in zip(now.buckets, before.buckets, strict=True)],
    )


def _of(counts: Counts, took_s: float) -> Throughput:
    asked = counts.requests + counts.errors
    p50_ms, p95_ms, p99_ms = (_ms(counts.buckets, share) for share in (0.5, 0.95, 0.99))
    return Throughput(
        per_s=asked / took_s,
        errors_percent=100 * counts.errors / asked if asked else 0.0,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
    )


def _ms(buckets: Iterable[int], share: float) -> float | None:
    found = quantile_us(BOUNDS_US, buckets, share)
    return None if found is None else found / 1000
