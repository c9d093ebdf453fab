"""What the labels of a watch have said so far, and how that went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import LABELLED, judge, unfolded
from seatrial.registry.rules import BUCKETS, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.evidence.watching import Judged, Rule
    from seatrial.registry.policy import Policy

DIFFERING = "disagreement"
"""The measure of how often answers differ: of drawn requests, whether or not a label came."""


@dataclass(slots=True)
class Evidence:
    """The trails of one place; those of several are added up."""

    quality: Trail | None
    promised: Trail | None
    differing: Trail | None

    @classmethod
    def empty(cls, rules: Rules) -> Evidence:
        """Nothing was seen yet."""
        asked = (rules.quality, rules.promised, rules.differing)
        return cls(*(Trail.empty(rule) if rule else None for rule in asked))

    def __add__(self, other: Evidence) -> Evidence:
        pairs = (
            (self.quality, other.quality),
            (self.promised, other.promised),
            (self.differing, other.differing),
        )
        return Evidence(*(a + b if a and b else a or b for a, b in pairs))

    def to_json(self) -> dict[str, Any]:
        """A plain dict, which :meth:`from_json` reads back."""
        return {
            name: trail.to_json() if (trail := getattr(self, name)) is not None else None
            for name in ("quality", "promised", "differing")
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Evidence:
        """Read back what :meth:`to_json` wrote."""
        names = ("quality", "promised", "differing")
        return cls(*(Trail.from_json(document[n]) if document[n] else None for n in names))


def judged(
    seen: Evidence, rules: Rules, policy: Policy, *, unpaired: str = ""
) -> dict[str, Judged | None]:
    """What was seen, by what is asked: ``quality``, ``promised`` and ``differing``.

    None where nothing is asked, and for ``quality`` where labels are ``unpaired``. ValueError when
    the trails were kept for other rules.
    """
    hours = policy.hours / BUCKETS
    found: dict[str, Judged | None] = dict.fromkeys(("quality", "promised", "differing"))
    for asked in _asked(seen, rules, policy):
        if asked.which == "quality" and unpaired:
            continue
        found[asked.which] = judge(
            asked.name,
            asked.trail,
            asked.rule,
            bucket_hours=hours,
            level=asked.level,
            counted=asked.counted,
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one question went: what was known at the end of each span that labels belong to.

    ``times`` are ISO, UTC. The last of ``judged`` is what is known now.
    """

    which: str
    rule: Rule
    times: tuple[str, ...]
    judged: tuple[Judged, ...]


def over_time(seen: Evidence, rules: Rules, policy: Policy, opened: str) -> tuple[Course, ...]:
    """How every question went of which something is known, in a watch that was ``opened`` then.

    A label belongs to the time of its request, whenever it came. ValueError when the trails were
    kept for other rules.
    """
    began, span = datetime.fromisoformat(opened), timedelta(hours=policy.hours / BUCKETS)
    found = []
    for asked in _asked(seen, rules, policy):
        told = [*unfolded(asked.name, asked.trail, asked.rule, level=asked.level)]
        if told:
            ends = tuple((began + (bucket + 1) * span).isoformat() for bucket, _ in told)
            each = Course(
                which=asked.which, rule=asked.rule, times=ends, judged=tuple(j for _, j in told)
            )
            found.append(each)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Asked:
    which: str
    name: str
    level: str
    counted: str
    trail: Trail
    rule: Rule


def _asked(seen: Evidence, rules: Rules, policy: Policy) -> Iterator[_Asked]:
    for which, name, level, counted in (
        ("quality", f"degradation.{policy.metric}", "", LABELLED),
        ("promised", f"loss.{policy.metric}", "mean loss", LABELLED),
        ("differing", DIFFERING, "share of answers that differ", "compared requests"),
    ):
        trail, rule = getattr(seen, which), getattr(rules, which)
        if trail is not None and rule is not None:
            yield _Asked(which, name, level, counted, trail, rule)
