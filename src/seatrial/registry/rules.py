"""What is asked of the labels of a watch, by the policy of its promotion?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from seatrial.evidence.losses import Loss, loss_for, why_none
from seatrial.evidence.watching import Rule

if TYPE_CHECKING:
    from seatrial.evidence.watching import Mode
    from seatrial.registry.policy import Policy

BUCKETS = 48
"""Spans of a watch that are told apart; what comes after ``hours`` belongs to the last."""

DIFFERING_MARGIN = 0.05
"""How much more often than offline answers may differ, where the margin is no share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is asked of the labels: each None when it cannot be asked.

    ``quality`` compares with the version before, ``promised`` the version's own loss with what it
    had to reach offline, ``differing`` how often both answer otherwise with what was seen offline.
    """

    loss: Loss | None
    quality: Rule | None
    promised: Rule | None
    differing: Rule | None
    unpaired: str

    @classmethod
    def of(cls, policy: Policy, classes: int) -> Rules:
        """By the policy of the promotion, for a version that knows so many classes."""
        loss, why = None, "no metric was tested on held-out rows, so labels compare nothing"
        if policy.metric is not None:
            asked: Any = {"margin": policy.degradation_margin, "variance": policy.variance}
            loss = loss_for(policy.metric, **asked, classes=classes)
            why = why_none(policy.metric, **asked)
        return cls(
            loss=loss,
            quality=_quality(policy, loss) if loss else None,
            promised=_promised(policy, loss) if loss else None,
            differing=_differing(policy, loss),
            unpaired="" if loss else why,
        )


def _quality(policy: Policy, loss: Loss) -> Rule:
    return Rule(
        margin=loss.margin,
        mode=cast("Mode", policy.rule),
        buckets=BUCKETS,
        min_labels=policy.min_labels,
        bound=loss.bound,
        counted=False,  # the mean over the rows of a request need be no whole number
    )


def _promised(policy: Policy, loss: Loss) -> Rule | None:
    level = None if policy.promised is None else loss.level(policy.promised)
    if level is None or not 0 < level < loss.bound:
        return None
    return Rule(
        margin=level,
        mode="strict",
        buckets=BUCKETS,
        min_labels=policy.min_labels,
        bound=loss.bound,
        counted=False,
    )


def _differing(policy: Policy, loss: Loss | None) -> Rule | None:
    if policy.disagreement is None:
        return None
    share = loss is not None and loss.bound == 1.0
    margin = policy.degradation_margin if share else DIFFERING_MARGIN
    level = policy.disagreement + margin
    if not 0 < level < 1:
        return None
    return Rule(
        margin=level,
        mode="strict",
        buckets=BUCKETS,
        min_labels=policy.min_labels,
        counted=False,
    )
