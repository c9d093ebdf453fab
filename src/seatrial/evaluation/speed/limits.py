"""What a version may take: the words of the pipeline file about time, memory and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES, PLUS_MS = 2.0, 5.0
"""How much slower than production is still good enough when the file does not say: as in the
shadow test, so that nothing waits for its traffic only to fail by what could be seen before."""

Positive = Annotated[float, Meta(gt=0)]


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the time that one request of one row takes, in milliseconds.

    ``p50_ms``, ``p95_ms`` and ``p99_ms`` are absolute. ``times`` and ``plus_ms`` are beside
    production in the same run, at p50 and p95: at most so many times its time, or so much
    longer; whichever is more. One that is given alone stands alone.
    """

    p50_ms: Positive | None = None
    p95_ms: Positive | None = None
    p99_ms: Positive | None = None
    times: Annotated[float, Meta(ge=1)] | None = None
    plus_ms: Annotated[float, Meta(ge=0)] | None = None

    @property
    def absolute(self) -> dict[str, float | None]:
        """The limits in ms, by quantile.

        >>> Latency(p95_ms=5).absolute
        {'p50': None, 'p95': 5, 'p99': None}
        """
        return {"p50": self.p50_ms, "p95": self.p95_ms, "p99": self.p99_ms}

    @property
    def beside(self) -> tuple[float, float]:
        """``times`` and ``plus_ms`` as they count.

        >>> Latency().beside, Latency(times=1.5).beside, Latency(plus_ms=2).beside
        ((2.0, 5.0), (1.5, 0.0), (1.0, 2))
        """
        if self.times is None and self.plus_ms is None:
            return TIMES, PLUS_MS
        return self.times or 1.0, self.plus_ms or 0.0

    def ratio(self, production_ms: float) -> float:
        """The greatest ratio of the candidate's time to production's that is allowed.

        >>> Latency(times=1.5, plus_ms=1).ratio(0.5), Latency(times=1.5, plus_ms=1).ratio(10)
        (3.0, 1.5)
        """
        times, plus_ms = self.beside
        return max(times, 1 + plus_ms / production_ms)


class Throughput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the rows that one worker answers in a second, asked in large batches."""

    rows_per_s: Positive | None = None


class Speed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it; what is None is reported only. ``memory_mb`` and ``size_mb`` are 2**20 bytes."""

    latency: Latency = Latency()
    throughput: Throughput = Throughput()
    memory_mb: Positive | None = None
    size_mb: Positive | None = None


def demanded(speed: Speed) -> Iterator[str]:
    """A line for each demand.

    >>> for line in demanded(Speed(latency=Latency(p95_ms=5), size_mb=50)): print(line)
    one row: p95 at most 5 ms (95 % bounds)
    one row beside production: p50 and p95 at most 2 times its time, or 5 ms more
    the files of the model have at most 50 MB
    """
    for quantile, limit in speed.latency.absolute.items():
        if limit is not None:
            yield f"one row: {quantile} at most {limit:g} ms (95 % bounds)"
    times, plus_ms = speed.latency.beside
    more = f"{times:g} times its time" if times > 1 or not plus_ms else ""
    or_more = f"{plus_ms:g} ms more" if plus_ms else ""
    yield (
        "one row beside production: p50 and p95 at most "
        f"{', or '.join(filter(None, (more, or_more)))}"
    )
    if speed.throughput.rows_per_s is not None:
        yield f"at least {speed.throughput.rows_per_s:g} rows a second (lower 95 % bound)"
    if speed.memory_mb is not None:
        yield f"opening it and answering takes at most {speed.memory_mb:g} MB of memory"
    if speed.size_mb is not None:
        yield f"the files of the model have at most {speed.size_mb:g} MB"
