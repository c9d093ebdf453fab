"""What a promotion promises of the time after it: when to go back, and what is followed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rollback policy of a model; the watch of a promotion goes by that of its day.

    ``degradation_margin`` is in units of ``metric``. ``variance`` is that of the target on the
    evaluation rows, frozen (numbers only); ``promised`` the absolute bound that the version had
    to reach there; ``disagreement`` how often it answers otherwise than what it replaces, on the
    same rows. What is None was not known; without a ``metric`` only the guardrails act.
    """

    degradation_margin: float
    metric: str | None = None
    previous_version: str = "retained"
    variance: float | None = None
    promised: float | None = None
    disagreement: float | None = None
    rule: str = "balanced"
    hours: float = 48
    max_hours: float = 168
    min_labels: int = 100
    min_coverage_percent: float = 20
    errors_percent: float = 1
    review_hours: float = 24

    def to_json(self) -> dict[str, Any]:
        """A plain dict, which :meth:`from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Policy:
        """Read back what :meth:`to_json` wrote, or a version of seatrial that knew less.

        >>> policy = Policy(degradation_margin=0.05, metric="accuracy")
        >>> Policy.from_json(policy.to_json()) == policy
        True
        """
        known = (each.name for each in fields(cls))
        return cls(**{name: document[name] for name in known if name in document})
