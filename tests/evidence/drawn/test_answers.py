"""What is kept of answers: it adds up, stays small, holds no row, and is read again as it was."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.evidence.drawn import Answers, drawn, read, written
from seatrial.evidence.drawn.bins import round_edges
from seatrial.inference.answer import most_probable
from seatrial.metrics import Predictions, get

if TYPE_CHECKING:
    from seatrial.evidence.drawn.classes import OfClasses
    from seatrial.evidence.drawn.numbers import OfNumbers

KB = 1024


def scored(
    rows: int, classes: tuple[int | str, ...], seed: int = 0
) -> tuple[np.ndarray, Predictions]:
    """Labels, and a model that is often right about them."""
    random = np.random.default_rng(seed)
    place = random.integers(0, len(classes), rows)
    raw = random.gamma(1.0, size=(rows, len(classes))) + 3 * (place[:, None] == range(len(classes)))
    answer = most_probable(raw / raw.sum(axis=1, keepdims=True), classes)
    words = any(isinstance(each, str) for each in classes)
    labels = np.array(classes, dtype=object if words else np.int64)[place]
    return labels, Predictions(answer.label, answer.probabilities, classes)


def kept(labels: np.ndarray, *models: Predictions) -> Answers:
    """As it is read back from what was written."""
    mine, *others = enumerate(models, 1)
    asked = {"dataset": "validation_data", "fingerprint": "f"}
    found = drawn(labels, mine, others[0] if others else None, **asked)
    again = read(written(found))
    assert again == found
    return found


def of_classes(labels: np.ndarray, *models: Predictions) -> OfClasses:
    found = kept(labels, *models).candidate.of_classes
    assert found is not None
    return found


def of_numbers(labels: np.ndarray, answers: np.ndarray) -> OfNumbers:
    found = kept(labels, Predictions(answers)).candidate.of_numbers
    assert found is not None
    return found


def test_counts_of_two_classes_add_up_to_the_metrics() -> None:
    labels, model = scored(3000, ("no", "yes"))
    found = of_classes(labels, model)
    counts = np.array(found.confusion)
    assert counts.trace() / counts.sum() == get("accuracy").value(labels, model)
    assert sum(each.n for each in found.calibration) == counts.sum() == 3000
    assert sum(each.true for each in found.calibration) == (labels == "yes").sum()
    assert [sum(part) for part in found.scores] == [(labels == "no").sum(), (labels == "yes").sum()]


def test_the_curve_is_the_roc_curve_at_few_points() -> None:
    labels, model = scored(4000, (0, 1))
    roc = of_classes(labels, model).roc
    assert 50 < len(roc) <= 101
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    assert (roc[-1].true_positives, roc[-1].false_positives) == (positives, negatives)
    for point in roc[::20]:
        called = model.probabilities[:, 1] >= point.threshold  # type: ignore[index]
        assert point.true_positives == (called & (labels == 1)).sum()
    across = [0.0, *(each.false_positives / negatives for each in roc)]
    up = [0.0, *(each.true_positives / positives for each in roc)]
    assert np.trapezoid(up, across) == pytest.approx(get("roc_auc").value(labels, model), abs=2e-3)


def test_a_rare_class_has_as_many_steps_as_the_other() -> None:
    labels, model = scored(5000, (0, 1))
    rare = np.flatnonzero((labels == 0) | (np.cumsum(labels) <= 60))
    roc = of_classes(labels[rare], model.rows(rare)).roc
    assert len({each.true_positives for each in roc}) > 30
    assert len({each.false_positives for each in roc}) > 30


def test_bins_of_calibration_are_even_and_hold_what_came_true() -> None:
    labels, model = scored(3000, (0, 1))
    bins = of_classes(labels, model).calibration
    assert len(bins) == 15
    assert {each.n for each in bins} == {200}
    assert all(each.low <= each.true / each.n <= each.high for each in bins)
    assert [each.mean for each in bins] == sorted(each.mean for each in bins)


def test_few_different_probabilities_are_few_bins() -> None:
    said = np.repeat([0.25, 0.75], 50)
    model = Predictions(said > 0.5, np.column_stack([1 - said, said]).astype(np.float32), (0, 1))
    found = of_classes((np.arange(100) % 2), model)
    assert [(each.mean, each.n) for each in found.calibration] == [(0.25, 50), (0.75, 50)]
    assert len(found.roc) == 2


def test_rows_of_one_class_have_no_curve() -> None:
    labels, model = scored(50, (0, 1))
    found = of_classes(np.zeros_like(labels), model)
    assert found.roc == ()
    assert sum(each.true for each in found.calibration) == 0


def test_more_classes_are_calibrated_by_what_is_answered() -> None:
    labels, model = scored(2000, ("a", "b", "c"))
    found = of_classes(labels, model)
    assert (found.roc, found.scores) == ((), ())
    assert sum(each.true for each in found.calibration) == (labels == model.label).sum()


def test_of_many_classes_the_worst_are_told_apart() -> None:
    labels, model = scored(6000, tuple(f"class {n:03}" for n in range(300)))
    found = kept(labels, model, model)
    assert (len(found.classes), found.others) == (19, 281)
    for side in (found.candidate, found.production):
        assert side is not None
        assert side.of_classes is not None
        counts = side.of_classes.confusion
        assert (len(counts), np.sum(counts)) == (20, 6000)
    assert len(written(found)) < 20 * KB


@pytest.mark.parametrize("classes", [(0, 1), tuple(range(20))])
def test_the_document_stays_small(classes: tuple[int, ...]) -> None:
    labels, model = scored(100_000, classes)
    _, other = scored(100_000, classes, seed=1)
    assert len(written(kept(labels, model, other))) < 20 * KB


def test_versions_may_know_other_classes_and_labels_none_of_them_knows() -> None:
    _, model = scored(90, ("a", "b"))
    _, other = scored(90, (1, 2, 3))
    labels = np.array(["a", "b", "new"] * 30, dtype=object)
    found = kept(labels, model, other)
    assert found.classes == ("1", "2", "3", "a", "b", "new")
    assert found.production is not None
    assert found.production.of_classes is not None
    assert np.sum(found.production.of_classes.confusion) == 90


def test_a_long_name_is_cut() -> None:
    labels, model = scored(20, ("a" * 9000, "b"))
    assert [len(name) for name in kept(labels, model).classes] == [60, 1]


def test_answers_of_another_problem_are_left_out() -> None:
    labels, model = scored(20, (0, 1))
    assert kept(labels, model, Predictions(np.ones(20))).production is None


def test_residuals_are_counted_between_round_edges() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(100, 20, 2000)
    residuals = random.normal(1, 4, 2000)
    found = of_numbers(truth, (truth + residuals).astype(np.float32))
    edges, counts = found.residuals.edges, found.residuals.counts
    assert len(counts) == len(edges) - 1 <= 40
    assert edges == tuple(-edge for edge in reversed(edges))
    assert sum(counts) + found.residuals.below + found.residuals.above == 2000
    assert found.residuals.below + found.residuals.above <= 10
    assert np.sum(np.array(counts) * np.array(edges[:-1])) / sum(counts) == pytest.approx(
        0.5, abs=0.7
    )


def test_deciles_say_where_the_answers_are_off() -> None:
    answer = np.linspace(0, 100, 1000)
    truth = np.where(answer < 50, answer, answer - 7)
    found = of_numbers(truth, answer).deciles
    assert [each.n for each in found] == [100] * 10
    assert found[0].residuals[2] == pytest.approx(0, abs=1e-9)
    assert found[-1].residuals[2] == pytest.approx(7)
    assert found[-1].answered - found[-1].true == pytest.approx(7)


def test_a_far_residual_does_not_flatten_the_others() -> None:
    truth = np.zeros(1000)
    answer = np.linspace(-1, 1, 1000)
    answer[0] = 1e6
    found = of_numbers(truth, answer).residuals
    assert found.edges[-1] == 1.0
    assert (found.above, found.below, sum(found.counts)) == (1, 0, 999)


def test_both_versions_have_the_same_edges() -> None:
    truth = np.zeros(100)
    found = kept(truth, Predictions(np.ones(100)), Predictions(np.full(100, -30.0)))
    assert found.candidate.of_numbers is not None
    assert found.production is not None
    assert found.production.of_numbers is not None
    edges = found.candidate.of_numbers.residuals.edges
    assert edges == found.production.of_numbers.residuals.edges
    assert edges[0] <= -30


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False),
            st.floats(allow_nan=False, allow_infinity=False, width=32),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_the_numbers_are_they_are_counted_and_can_be_read(
    rows: list[tuple[float, float]],
) -> None:
    truth, answer = (np.array(each) for each in zip(*rows, strict=True))
    found = of_numbers(truth, answer)
    counted = found.residuals
    assert sum(counted.counts) + counted.below + counted.above == len(rows)
    assert sum(each.n for each in found.deciles) == len(rows)


@given(st.floats(0, 1e300), st.sampled_from([2, 8, 40]))
def test_edges_are_few_even_and_reach(reach: float, most: int) -> None:
    edges = round_edges(reach, most)
    assert len(edges) - 1 <= max(most, 2)
    assert edges[-1] >= reach * (1 - 1e-6)
    assert all(a < b for a, b in itertools.pairwise(edges))


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff",
        b'{"format": "seatrial.answers", "version": 2}',
        b'{"format": "x"}',
    ],
)
def test_what_is_no_such_document_is_none(damaged: bytes) -> None:
    assert read(damaged) is None
