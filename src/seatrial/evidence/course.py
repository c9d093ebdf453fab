"""How a shadow test went: what was counted at a few moments, from which it is drawn over time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOMENTS = 128
"""So many are kept at most: with more, every second one is dropped."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a tally had counted by then, in requests: ``failed`` are errors and NaN together.

    ``at_us`` is in microseconds since 1970.
    """

    at_us: int
    reached: int = 0
    failed: int = 0
    compared: int = 0
    disagreed: float = 0.0

    @classmethod
    def of(cls, at_us: int, tally: Mapping[str, Any]) -> Moment:
        """What ``Tally.to_json`` says.

        >>> Moment.of(7, {"reached": 5, "errors": 1, "nan": 1, "compared": 3, "disagreed": 0.5})
        Moment(at_us=7, reached=5, failed=2, compared=3, disagreed=0.5)
        """
        failed = int(tally["errors"]) + int(tally["nan"])
        counted = int(tally["compared"])
        return cls(at_us, int(tally["reached"]), failed, counted, float(tally["disagreed"]))

    @property
    def at(self) -> str:
        """When, as ISO, UTC: several gateways tell within one second."""
        return datetime.fromtimestamp(self.at_us / 1e6, UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Course:
    """Moments in order of time, about evenly apart; the newest is always among them.

    A moment that is less than ``apart_us`` behind the one before takes the place of the last.
    """

    moments: tuple[Moment, ...] = ()
    apart_us: int = 0

    def later(self, moment: Moment) -> Course:
        """With another moment, no earlier than the last.

        >>> course = Course()
        >>> for second in range(1000):
        ...     course = course.later(Moment(second * 1_000_000, reached=second))
        >>> 60 < len(course.moments) <= 128, course.moments[0].reached, course.moments[-1].reached
        (True, 0, 999)
        """
        known = self.moments
        if len(known) > 1 and known[-1].at_us - known[-2].at_us < self.apart_us:
            return Course((*known[:-1], moment), self.apart_us)
        if len(known) < MOMENTS:
            return Course((*known, moment), self.apart_us)
        span_us = known[-1].at_us - known[0].at_us
        return Course((*known[::2], moment), span_us // (MOMENTS // 2))

    def to_json(self) -> dict[str, list[Any]]:
        """Column by column, which :meth:`from_json` reads back."""
        return {name: [getattr(each, name) for each in self.moments] for name in _NAMES}

    @classmethod
    def from_json(cls, document: Mapping[str, Sequence[Any]] | None) -> Course:
        """Read back what :meth:`to_json` wrote; none of what kept no course.

        >>> course = Course().later(Moment(5, reached=2, compared=2, disagreed=0.5))
        >>> Course.from_json(course.to_json()) == course, Course.from_json(None)
        (True, Course(moments=(), apart_us=0))
        """
        if not document:
            return cls()
        rows = zip(*(document[name] for name in _NAMES), strict=True)
        return cls(tuple(Moment(*row) for row in rows))


_NAMES = tuple(each.name for each in fields(Moment))


def together(courses: Iterable[Course]) -> Course:
    """What several gateways had counted in all: at each moment, what each had told by then.

    >>> here = Course((Moment(1, reached=5), Moment(3, reached=9)))
    >>> there = Course((Moment(2, reached=1),))
    >>> [(each.at_us, each.reached) for each in together([here, there]).moments]
    [(1, 5), (2, 6), (3, 10)]
    """
    told = sorted(
        (
            (moment.at_us, place, moment)
            for place, each in enumerate(courses)
            for moment in each.moments
        ),
        key=lambda told: told[:2],
    )
    latest: dict[int, Moment] = {}
    whole: dict[int, Moment] = {}
    for at_us, place, moment in told:
        latest[place] = moment
        whole[at_us] = _sum(at_us, latest.values())
    return reduce(Course.later, whole.values(), Course())


def _sum(at_us: int, moments: Iterable[Moment]) -> Moment:
    counted = [(each.reached, each.failed, each.compared, each.disagreed) for each in moments]
    return Moment(at_us, *map(sum, zip(*counted, strict=True)))
