"""What is asked of the labels, by the policy of the promotion; what cannot be asked is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.registry.policy import Policy
from seatrial.registry.rules import DIFFERING_MARGIN, Rules

POLICY = Policy(degradation_margin=0.05, metric="accuracy", promised=0.82, disagreement=0.02)


def test_all_that_is_known_is_asked() -> None:
    rules = Rules.of(POLICY, 2)
    assert rules.quality is not None
    assert rules.promised is not None
    assert rules.differing is not None
    assert (rules.quality.margin, rules.quality.mode, rules.unpaired) == (0.05, "balanced", "")
    assert rules.promised.margin == pytest.approx(0.18)
    assert rules.differing.margin == pytest.approx(0.07)
    assert rules.promised.mode == rules.differing.mode == "strict"


@pytest.mark.parametrize("promised", [None, 1.0, 0.0, -0.5])
def test_a_promise_that_nothing_or_everything_breaks_is_not_watched(
    promised: float | None,
) -> None:
    rules = Rules.of(replace(POLICY, promised=promised), 2)
    assert rules.promised is None
    assert rules.quality is not None


@pytest.mark.parametrize("disagreement", [None, 0.95, 0.99, 1.0])
def test_versions_that_hardly_agree_cannot_differ_more(disagreement: float | None) -> None:
    rules = Rules.of(replace(POLICY, disagreement=disagreement), 2)
    assert rules.differing is None
    assert rules.quality is not None


def test_a_margin_that_is_no_share_says_nothing_of_how_often_answers_may_differ() -> None:
    policy = replace(
        POLICY, metric="neg_mean_absolute_error", degradation_margin=3.0, variance=16.0
    )
    rules = Rules.of(policy, 0)
    assert rules.quality is not None
    assert rules.quality.margin == pytest.approx(0.75)
    assert rules.differing is not None
    assert rules.differing.margin == pytest.approx(0.02 + DIFFERING_MARGIN)


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (replace(POLICY, metric=None), "no metric was tested on held-out rows"),
        (replace(POLICY, metric="roc_auc"), "roc_auc is no mean over rows"),
        (replace(POLICY, metric="r2"), "the target did not vary"),
        (replace(POLICY, degradation_margin=1.5), "a margin of 1.5 is more than the watch can see"),
    ],
)
def test_what_labels_cannot_compare_is_said(policy: Policy, why: str) -> None:
    rules = Rules.of(policy, 2)
    assert (rules.loss, rules.quality, rules.promised) == (None, None, None)
    assert why in rules.unpaired
