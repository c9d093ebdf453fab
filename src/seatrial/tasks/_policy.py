"""The rollback policy of a stage, as its ``rollback_plan`` states it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.registry.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.tasks import Context, Scope, Task

FORM = re.compile(r"\s*degradation\s*>\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*")


def number(threshold: str) -> float | None:
    """The NUMBER of ``degradation > NUMBER``; ``None`` when it does not read so.

    >>> number("degradation > 0.05")
    0.05
    """
    match = FORM.fullmatch(threshold)
    return float(match[1]) if match else None


def rollback_margin(scope: Scope) -> float | None:
    """The margin of the first rollback plan in the file."""
    for task in scope.tasks.values():
        margin = _margin(task)
        if margin is not None:
            return margin
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a test on held-out rows knows that the watch will need.

    ``promised`` is the absolute bound that ``metric`` had to reach; ``variance`` is that of the
    target (numbers only); ``disagreement`` the share of rows that production answers otherwise.
    """

    metric: str
    promised: float | None
    variance: float | None
    disagreement: float | None

    FACT = "judged"

    @classmethod
    def of(cls, context: Context) -> Judged | None:
        """What the newest test said."""
        told: Any = context.fact(cls.FACT)
        return cls(**told) if isinstance(told, dict) else None


def stage_margin(scope: Scope) -> float | None:
    """The margin of this stage's rollback plan; ``None`` when it has none."""
    margins = (_margin(task) for _, task in scope.same_stage())
    return next((margin for margin in margins if margin is not None), None)


def stage_policy(context: Context) -> Mapping[str, Any] | None:
    """The policy that is installed with a promotion of this stage; ``None``: it has no plan."""
    pipeline, margin = context.scope.pipeline, stage_margin(context.scope)
    if margin is None:
        return None
    watch, judged = pipeline.watch, Judged.of(context)
    metric = watch.metric or (judged.metric if judged else None)
    same = judged is not None and metric == judged.metric
    return Policy(
        degradation_margin=watch.margin if watch.margin is not None else margin,
        metric=metric,
        variance=judged.variance if judged else None,
        promised=judged.promised if judged and same else None,
        disagreement=judged.disagreement if judged else None,
        rule=watch.rule,
        hours=watch.hours,
        max_hours=watch.longest_hours,
        min_labels=watch.min_labels,
        min_coverage_percent=watch.min_coverage_percent,
        errors_percent=watch.errors_percent,
        review_hours=pipeline.review.hours,
    ).to_json()


def _margin(task: Task) -> float | None:
    threshold = getattr(task, "auto_rollback_threshold", None)
    return number(threshold) if isinstance(threshold, str) else None
