"""A few labels of the requests that differ settle what random labels would: as often wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.labelling import Settled, settle
from seatrial.evidence.rates import of_one
from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import Rule, judge
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.slow  # each is quick, and there are many

GATE = Rule(mode="strict", buckets=1)
WATCH = Rule(buckets=1)
EAGER = Rule(mode="eager", buckets=1)

answers = st.lists(st.sampled_from([-1, 0, 1, None]), max_size=60)
runs = st.lists(st.integers(0, 40), min_size=61, max_size=61)


def drawn(
    random: np.random.Generator, degradation: float, differing: float, most: int = 400
) -> tuple[list[int], list[int | None]]:
    """What a world without end would show: ``alike`` and ``d`` of :func:`settle`."""
    worse = (differing + degradation) / 2
    alike = (random.geometric(differing, most + 1) - 1).tolist()
    return alike, np.where(random.random(most) < worse / differing, 1, -1).tolist()


def simulated(
    degradation: float, differing: float, rule: Rule, worlds: int = 300, seed: int = 1
) -> list[Settled]:
    random = np.random.default_rng(seed)
    return [settle("error", *drawn(random, degradation, differing), rule) for _ in range(worlds)]


def share(found: Sequence[Settled], verdict: Verdict) -> float:
    return sum(each.measure.verdict is verdict for each in found) / len(found)


@pytest.mark.parametrize("rule", [GATE, WATCH])
@pytest.mark.parametrize("differing", [0.08, 0.09])
def test_an_equal_version_passes_by_some_25_labels(differing: float, rule: Rule) -> None:
    found = simulated(0.0, differing, rule)
    assert share(found, Verdict.PASS) >= 0.99
    assert 20 <= np.median([each.labels for each in found]) <= 29
    # at random these would have been so many labels
    assert 250 <= np.median([each.requests for each in found]) <= 340


@pytest.mark.parametrize(
    ("rule", "most"),
    [(EAGER, 20), (WATCH, 25), (GATE, 45)],
)
def test_a_version_that_does_harm_fails_by_some_dozens(rule: Rule, most: int) -> None:
    found = simulated(0.10, 0.12, rule)
    assert share(found, Verdict.FAIL) == 1
    assert np.median([each.labels for each in found]) <= most


@pytest.mark.parametrize("rule", [GATE, WATCH, EAGER])
def test_at_the_margin_a_pass_is_rare(rule: Rule) -> None:
    wrong = share(simulated(rule.margin, 0.08, rule, seed=2), Verdict.PASS)
    low, _ = of_one(wrong * 300, 300)
    assert low <= 0.05
    assert wrong <= 0.05


@pytest.mark.parametrize(("rule", "harmless"), [(GATE, 0.05), (WATCH, 0.025), (EAGER, 0.0)])
def test_what_the_rule_holds_harmless_seldom_fails(rule: Rule, harmless: float) -> None:
    assert share(simulated(harmless, 0.08, rule, seed=3), Verdict.FAIL) <= 0.05


@given(runs, answers)
def test_it_judges_as_a_watch_would(alike: list[int], d: list[int | None]) -> None:
    """On what counts, with nothing skipped: the same trail, the same evidence."""
    told = [each for each in d if each is not None]
    found = settle("error", alike, told, GATE)
    watched = judge("error", found.trail, GATE)
    assert found.measure.verdict is watched.measure.verdict
    assert found.log_e == pytest.approx(watched.log_e)
    assert (found.measure.low, found.measure.high) == pytest.approx(
        (watched.measure.low, watched.measure.high)
    )
    assert found.trail.n == found.requests == found.labels + found.alike


@given(runs, answers, st.integers(0, 60))
def test_once_settled_more_labels_change_nothing(
    alike: list[int], d: list[int | None], kept: int
) -> None:
    before, after = (settle("error", alike, part, WATCH) for part in (d[:kept], d))
    if before.done:
        assert replace(after, trail=before.trail) == before
        assert after.trail == before.trail


@given(runs, answers)
def test_what_nobody_can_judge_helps_neither_verdict(alike: list[int], d: list[int | None]) -> None:
    """Whatever the skipped labels would have been, the verdict would be the same or none yet."""
    found = settle("error", alike, d, WATCH)
    if not found.done:
        return
    counted = d[: found.labels + found.skipped]
    for truth in (-1, 0, 1):
        told = [truth if each is None else each for each in counted]
        run = alike[: len(told) + 1]
        if found.measure.verdict is Verdict.FAIL:
            run = [*run[:-1], 0]  # it was settled by the last label, before the run after it
        trail = Trail.empty(WATCH)
        trail.add(np.array([*told, *[0] * sum(run)], dtype=float))
        assert judge("error", trail, WATCH).measure.verdict is found.measure.verdict


def test_skipping_everything_proves_nothing() -> None:
    found = settle("error", [10] * 201, [None] * 200, GATE)
    assert found.measure.verdict is Verdict.INCONCLUSIVE
    assert (found.labels, found.skipped, found.requests) == (0, 200, 2010)
    assert "200 that nobody could judge left out" in found.reason


def test_skipping_what_speaks_for_the_new_version_does_not_condemn_it() -> None:
    some: list[int | None] = [1, None, None] * 20
    assert settle("error", [5] * 61, some, WATCH).measure.verdict is Verdict.INCONCLUSIVE
    none = [each for each in some if each is not None]
    assert settle("error", [15] * 21, none, WATCH).measure.verdict is Verdict.FAIL


def test_versions_that_never_differ_need_no_label() -> None:
    found = settle("error", [150], [], GATE)
    assert (found.measure.verdict, found.labels) == (Verdict.PASS, 0)
    assert (
        found.reason == "no difference on 150 requests (at most 0.037, margin 0.05) without a label"
    )


def test_the_forecast_shrinks_to_what_was_needed() -> None:
    random = np.random.default_rng(4)
    alike, d = drawn(random, 0.0, 0.08)
    needed = settle("error", alike, d, GATE).labels
    forecasts = [settle("error", alike, d[:n], GATE).more_labels for n in range(needed)]
    assert all(each is not None and each >= 1 for each in forecasts)
    assert forecasts[-1] is not None
    assert forecasts[0] is not None
    assert forecasts[-1] < forecasts[0] < 60


@pytest.mark.parametrize(
    ("alike", "d", "rule"),
    [([0], [], Rule()), ([0], [], replace(GATE, counted=False))],
)
def test_a_rule_that_does_not_fit_is_refused(alike: Any, d: Any, rule: Rule) -> None:
    with pytest.raises(ValueError, match="one bucket"):
        settle("error", alike, d, rule)


def test_nothing_is_known_of_nothing() -> None:
    found = settle("error", [0], [], GATE)
    assert (found.measure.value, found.measure.verdict) == (None, Verdict.INCONCLUSIVE)
    assert (found.reason, found.more_labels) == ("no request counts yet", None)
