"""What is remembered of a stream of labels, and the evidence in it."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.evidence import bets, sequence
from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import Rule, judge

COUNTED = Rule(buckets=4)
GENERAL = Rule(buckets=4, counted=False)
THREE = np.array([-1.0, 0.0, 1.0])

whole_labels = st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 1.0]), st.integers(0, 3)))
any_labels = st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 3)))
some_counts = st.lists(st.integers(0, 400), min_size=3, max_size=3).map(np.array)
forms = pytest.mark.parametrize("rule", [COUNTED, GENERAL], ids=["counted", "general"])


def kept(rule: Rule, labels: list[tuple[float, int]]) -> Trail:
    trail = Trail.empty(rule)
    for d, bucket in labels:
        trail.add(d, bucket)
    return trail


def at_once(rule: Rule, labels: list[tuple[float, int]]) -> Trail:
    trail = Trail.empty(rule)
    trail.add(
        np.array([d for d, _ in labels], dtype=np.float64),
        np.array([bucket for _, bucket in labels], dtype=np.int64),
    )
    return trail


@given(labels=whole_labels)
def test_a_batch_counts_as_its_labels_one_by_one(labels: list[tuple[float, int]]) -> None:
    assert at_once(COUNTED, labels) == kept(COUNTED, labels)


@given(labels=any_labels.filter(len))
def test_so_it_does_where_labels_are_shared_out(labels: list[tuple[float, int]]) -> None:
    many = labels * (1 + sequence.FEW // len(labels))
    assert at_once(GENERAL, many) == kept(GENERAL, many)


@given(labels=any_labels, seed=st.integers(0, 99), cut=st.integers(0, 20))
def test_trails_add_up_exactly_in_any_order(
    labels: list[tuple[float, int]], seed: int, cut: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(labels))
    mixed = [labels[place] for place in order]
    here, there = kept(GENERAL, mixed[:cut]), kept(GENERAL, mixed[cut:])
    assert here + there == there + here == kept(GENERAL, labels)
    assert (here + there).n == len(labels)


def test_adding_up_leaves_both_as_they_were() -> None:
    here, there = kept(COUNTED, [(1.0, 0)]), kept(COUNTED, [(0.0, 1)])
    assert (here + there).n == 2
    assert (here.n, there.n) == (1, 1)


@pytest.mark.parametrize("other", [GENERAL, Rule(buckets=5), Rule(buckets=4, bound=2.0)])
def test_trails_of_other_forms_do_not_add_up(other: Rule) -> None:
    with pytest.raises(ValueError, match="different forms"):
        Trail.empty(COUNTED) + Trail.empty(other)


@given(labels=any_labels)
def test_a_trail_survives_json(labels: list[tuple[float, int]]) -> None:
    trail = kept(GENERAL, labels)
    assert Trail.from_json(json.loads(json.dumps(trail.to_json()))) == trail


def test_a_counted_trail_survives_json() -> None:
    trail = kept(COUNTED, [(1.0, 3), (0.0, 0)])
    assert Trail.from_json(json.loads(json.dumps(trail.to_json()))) == trail
    assert Trail.from_json(Trail.empty(COUNTED).to_json()) == Trail.empty(COUNTED)


@pytest.mark.parametrize(
    "cells", [{"4": [0, 1, 0]}, {"-1": [0, 1, 0]}, {"0": [0, 1]}, {"0": [2, -1, 0]}]
)
def test_a_damaged_trail_is_told(cells: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="damaged"):
        Trail.from_json({**Trail.empty(COUNTED).to_json(), "cells": cells})


def test_half_a_label_is_damage() -> None:
    row = [sequence.PARTS // 2, *[0] * (sequence.POINTS - 1)]
    with pytest.raises(ValueError, match="damaged"):
        Trail.from_json({**Trail.empty(GENERAL).to_json(), "cells": {"0": row}})


@forms
@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, 1.01, -2.0])
def test_what_is_no_difference_is_refused_and_nothing_is_counted(
    rule: Rule, many: int, wrong: float
) -> None:
    trail = Trail.empty(rule)
    with pytest.raises(ValueError, match="is not within 1 of 0"):
        trail.add(np.array([*[0.0] * many, wrong]), 0)
    assert trail == Trail.empty(rule)


@pytest.mark.parametrize("many", [1, 100])
def test_a_counted_trail_refuses_parts_of_a_label(many: int) -> None:
    trail = Trail.empty(COUNTED)
    with pytest.raises(ValueError, match="only counts those"):
        trail.add(np.array([*[1.0] * many, 0.5]), 0)
    assert trail.n == 0


@forms
@pytest.mark.parametrize("many", [1, 100])
@pytest.mark.parametrize("wrong", [-1, 4])
def test_a_bucket_that_does_not_exist_is_refused(rule: Rule, many: int, wrong: int) -> None:
    trail = Trail.empty(rule)
    with pytest.raises(ValueError, match="does not exist"):
        trail.add(np.zeros(many), wrong)
    with pytest.raises(ValueError, match="does not exist"):
        trail.add(np.zeros(many + 1), np.array([*[0] * many, wrong]))
    assert trail.n == 0


def test_a_mean_that_is_rounded_beyond_the_bound_lies_on_it() -> None:
    for many in (1, 50):
        trail = Trail.empty(Rule(bound=0.3, counted=False))
        trail.add(np.full(many, 0.3 + 1e-16))
        assert trail.mean() == pytest.approx(0.3)


@given(labels=any_labels.filter(len))
def test_a_general_trail_keeps_the_mean(labels: list[tuple[float, int]]) -> None:
    trail = kept(GENERAL, labels)
    assert trail.mean() == pytest.approx(np.mean([d for d, _ in labels]), abs=2e-9)
    late = [d for d, bucket in labels if bucket >= 2]
    assert trail.mean(2) == pytest.approx(np.mean(late) if late else 0.0, abs=2e-9)


@given(labels=any_labels.filter(len), level=st.floats(-0.5, 0.5))
def test_sharing_out_never_overstates_the_evidence(
    labels: list[tuple[float, int]], level: float
) -> None:
    trail = kept(GENERAL, labels)
    found = float(bets.whole(trail.counts().sum(axis=0), trail.values(), level))
    d = np.array([each for each, _ in labels])
    factors = np.log1p(np.multiply.outer((d + 1) / (level + 1) - 1, bets.STAKES))
    true = float(np.logaddexp.reduce(factors.sum(axis=0))) - math.log(bets.BETS)
    assert found <= true + 1e-6


def test_sharing_out_costs_little() -> None:
    d = np.clip(np.random.default_rng(3).normal(0.08, 0.15, 2000), -1, 1)
    trail = Trail.empty(GENERAL)
    trail.add(d)
    found = float(bets.whole(trail.counts().sum(axis=0), trail.values(), 0.025))
    factors = np.log1p(np.multiply.outer((d + 1) / 1.025 - 1, bets.STAKES))
    true = float(np.logaddexp.reduce(factors.sum(axis=0))) - math.log(bets.BETS)
    assert 0.98 * true < found < true


@given(labels=whole_labels)
def test_whole_labels_are_the_same_in_either_form(labels: list[tuple[float, int]]) -> None:
    one, other = kept(COUNTED, labels), kept(GENERAL, labels)
    found = judge("error", one, COUNTED), judge("error", other, GENERAL)
    assert found[0].log_e == pytest.approx(found[1].log_e, abs=1e-9)
    assert found[0].measure.verdict is found[1].measure.verdict


@forms
def test_a_trail_is_small_and_does_not_grow(rule: Rule) -> None:
    trail = Trail.empty(Rule(counted=rule.counted))
    before = len(trail.cells) * trail.cells.itemsize
    trail.add(np.ones(5000), np.arange(5000) % 48)
    assert len(trail.cells) * trail.cells.itemsize == before <= (1152 if rule.counted else 32_768)


def test_hundreds_of_millions_of_labels_are_counted_exactly() -> None:
    cells = {"0": [40_000_001, 900_000_000, 40_000_003], "3": [0, 0, 1]}
    trail = Trail.from_json({**Trail.empty(COUNTED).to_json(), "cells": cells})
    trail.add(1.0, 3)
    assert trail.n == 980_000_006
    assert trail.mean() == 4 / 980_000_006
    judged = judge("error", trail, COUNTED)
    assert judged.measure.verdict.value == "pass"
    assert judged.measure.high is not None
    assert 0 < judged.measure.high < 0.001
    assert all(math.isfinite(each) for each in judged.log_e.values())


@given(counts=some_counts, levels=st.tuples(st.floats(-0.99, 0.99), st.floats(-0.99, 0.99)))
def test_the_higher_the_level_the_less_evidence_against_it(
    counts: np.ndarray, levels: tuple[float, float]
) -> None:
    less, more = (bets.whole(counts, THREE, level) for level in sorted(levels))
    assert less >= more - 1e-9


@given(counts=some_counts, level=st.floats(-0.9, 0.9))
def test_a_worse_label_is_more_evidence_than_a_better_one(counts: np.ndarray, level: float) -> None:
    found = [bets.whole(counts + label, THREE, level) for label in np.eye(3)]
    assert all(one <= other + 1e-9 for one, other in pairwise(found))


@given(counts=some_counts.filter(lambda counts: counts.any()))
def test_bounds_enclose_the_mean_and_draw_near(counts: np.ndarray) -> None:
    mean = counts @ THREE / counts.sum()
    low, high = bets.bounds(counts, THREE, 0.05)
    assert -1 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    closer = bets.bounds(100 * counts, THREE, 0.05)
    assert closer[1] - closer[0] <= high - low


@given(counts=some_counts.filter(lambda counts: counts.any()), level=st.floats(-0.9, 0.9))
def test_a_level_below_the_low_bound_is_what_the_evidence_refuses(
    counts: np.ndarray, level: float
) -> None:
    low, _ = bets.bounds(counts, THREE, 0.05)
    if abs(level - low) > 1e-6:
        assert (level < low) == (bets.whole(counts, THREE, level) >= math.log(20))


def test_without_labels_nothing_is_known() -> None:
    assert bets.bounds(np.zeros(3), THREE, 0.05) == (-1.0, 1.0)


@pytest.mark.parametrize("only", [0, 1, 2])
def test_labels_that_are_all_alike_have_bounds(only: int) -> None:
    counts = 1000 * np.eye(3)[only]
    low, high = bets.bounds(counts, THREE, 0.05)
    assert low <= THREE[only] <= high
    assert high - low < 0.05


@pytest.mark.parametrize(("better", "worse"), [(0.04, 0.04), (0.0, 0.05), (0.3, 0.4), (0.01, 0.0)])
def test_bounds_hold_at_all_looks_together(better: float, worse: float) -> None:
    rng = np.random.default_rng(11)
    ends = np.unique(np.geomspace(10, 5000, 120).astype(int))
    shares = [better, 1 - better - worse, worse]
    steps = np.stack([rng.multinomial(size, shares, 1000) for size in np.diff(ends, prepend=0)])
    counts = np.cumsum(steps, axis=0).astype(np.float64)
    truth = worse - better
    below = bets.whole(counts, THREE, truth) >= math.log(20)
    above = bets.whole(counts[..., ::-1], THREE, -truth) >= math.log(20)
    assert below.any(axis=0).mean() <= 0.05
    assert above.any(axis=0).mean() <= 0.05


@settings(max_examples=25)
@given(buckets=st.integers(1, 60))
def test_the_bettors_share_one_purse(buckets: int) -> None:
    shares = np.exp(bets.purses(buckets))
    assert shares.sum() == pytest.approx(1)
    assert shares[0] >= 0.5 - 1e-12
