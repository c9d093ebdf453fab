"""What a worker counts: requests, errors and latency of each version."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

BOUNDS_US = (
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 5_000_000,
)  # fmt: skip
"""Upper ends of the latency histogram's buckets; the last bucket has none."""


@dataclass(slots=True)
class Counts:
    """One version's counts in one worker; they only grow.

    ``faults`` are those of the errors that are the version's own, not what the client sent.
    """

    requests: int = 0
    rows: int = 0
    errors: int = 0
    faults: int = 0
    sum_us: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_US) + 1))

    def answered(self, rows: int, took_us: int) -> None:
        """A request of so many rows was answered after so many microseconds."""
        self.requests += 1
        self.rows += rows
        self.sum_us += took_us
        self.buckets[bisect_left(BOUNDS_US, took_us)] += 1

    def add(self, other: Counts) -> None:
        """Count what another has counted too."""
        self.requests += other.requests
        self.rows += other.rows
        self.errors += other.errors
        self.faults += other.faults
        self.sum_us += other.sum_us
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """For the worker's cell."""
        return {
            "requests": self.requests,
            "rows": self.rows,
            "errors": self.errors,
            "faults": self.faults,
            "sum_us": self.sum_us,
            "buckets": self.buckets,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Counts:
        """What the worker's predecessor had counted."""
        return cls(**{**document, "buckets": list(document["buckets"])})


@dataclass(slots=True)
class Book:
    """All counts of one worker; ``refused`` are requests that no version could be asked for."""

    versions: dict[tuple[str, int], Counts] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    """Model name ("" when it is unknown) to answered errors, by no version's fault."""

    def fold(self, kept: Container[tuple[str, int]]) -> None:
        """Add up what versions counted that are no longer loaded, as version 0 of their model."""
        for model, version in [*self.versions]:
            if version and (model, version) not in kept:
                self.of(model, 0).add(self.versions.pop((model, version)))

    def of(self, model: str, version: int) -> Counts:
        """The counts of a version."""
        return self.versions.setdefault((model, version), Counts())

    def refuse(self, model: str) -> None:
        """A request got an error before a version saw it."""
        self.refused[model] = self.refused.get(model, 0) + 1

    def to_json(self) -> dict[str, Any]:
        """For the worker's cell."""
        return {
            "versions": [[m, v, counts.to_json()] for (m, v), counts in self.versions.items()],
            "refused": self.refused,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Book:
        """What the worker's predecessor had counted.

        >>> book = Book()
        >>> book.of("m", 1).answered(rows=2, took_us=150)
        >>> Book.from_json(book.to_json()) == book
        True
        """
        versions = {(m, v): Counts.from_json(counts) for m, v, counts in document["versions"]}
        return cls(versions, dict(document["refused"]))
