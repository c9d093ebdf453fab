"""What a person declares: invariances, directions and noise, each broken on purpose."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from behaving import (
    FILLED,
    NUMBER,
    SCORE,
    TWO_CLASSES,
    Plain,
    node,
    number,
    of_text,
    rows,
    scored,
    signature_of,
    two_classes,
)
from seatrial.evaluation.behaviour.direction import decreasing, increasing
from seatrial.evaluation.behaviour.invariance import _given, invariant
from seatrial.evaluation.behaviour.noise import noise
from seatrial.inference.answer import Answer, most_probable
from seatrial.outcome import Measure, Verdict

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.found import Found

MANY = rows(2000)


def only(found: Found) -> Measure:
    return found.measures[0]


def sigmoid(score: Any) -> Any:
    return 1 / (1 + np.exp(-score))


# Invariances


def test_a_column_that_changes_nothing_passes_with_what_so_many_rows_prove() -> None:
    model = scored(lambda f: sigmoid(f["a"]))
    found = invariant(model, MANY, "b")
    measure = only(found)
    assert (measure.value, measure.low, measure.verdict) == (0, 0, Verdict.PASS)
    # a row counts in two answers: its own, and that of the row that is given its value
    assert measure.high == pytest.approx(1 - 0.05 ** (2 / 2000))
    assert not found.faults


def test_a_rare_value_that_matters_is_not_taken_for_many_rows() -> None:
    """The label changes wherever Z stands or is drawn, in 0.98 % or in 1.02 % of endless rows."""

    def answers(features: Any) -> Answer:
        p = np.where(features["colour"] == "Z", 0.9, 0.1)
        return most_probable(np.column_stack([1 - p, p]), (0, 1))

    model = Plain(signature_of(numbers=(), texts=("colour",)), answers)
    verdicts = {0.0098: 0, 0.0102: 0}
    for truth, wrong in ((0.0098, Verdict.FAIL), (0.0102, Verdict.PASS)):
        for seed in range(200):
            random = np.random.default_rng(seed)
            # rows of A or B, half each, draw it as often again as other values: three times in all
            colour = np.where(random.random(2000) < 0.5, "A", "B").astype(object)
            colour[random.random(2000) < truth / 3] = "Z"
            found = invariant(model, {"colour": colour}, "colour", seed=seed)
            verdicts[truth] += only(found).verdict is wrong
    # 25 and 35 when rows count as if they stood alone
    assert max(verdicts.values()) <= 16


def test_few_rows_do_not_prove_an_invariance() -> None:
    found = invariant(scored(lambda f: sigmoid(f["a"])), rows(100), "b")
    assert only(found).verdict is Verdict.INCONCLUSIVE


def test_a_column_that_the_model_does_not_read_cannot_matter_on_any_rows() -> None:
    measure = only(invariant(two_classes(), rows(3), "gender"))
    assert (measure.value, measure.high, measure.n) == (0, 0, 3)
    assert measure.verdict is Verdict.PASS


def test_a_column_that_decides_fails_and_says_in_which_rows() -> None:
    found = invariant(two_classes(), MANY, "b")
    measure, shift = found.measures
    assert measure.name == "behaviour.invariant_to.b"
    assert measure.low is not None
    assert measure.low > measure.limit == 0.01  # type: ignore[operator]
    assert measure.verdict is Verdict.FAIL
    assert (shift.name, shift.verdict) == ("behaviour.invariant_to.b.probability", Verdict.SKIP)
    assert shift.value is not None
    assert shift.value > 0.1
    (fault,) = found.faults
    assert measure.value is not None
    assert len(fault.rows) == round(measure.value * 2000)
    assert f"another 'b' changes the label of {len(fault.rows)} of 2000 rows" in fault.what


def test_a_text_is_replaced_by_texts_that_occur() -> None:
    asked: set[str] = set()

    def answers(features: Any) -> Answer:
        asked.update(features["colour"])
        score = np.array([0.9 if text == "red" else 0.1 for text in features["colour"]])
        return most_probable(np.column_stack([1 - score, score]), (0, 1))

    signature = signature_of(numbers=(), texts=("colour",))
    found = invariant(Plain(signature, answers), rows(numbers=(), texts=("colour",)), "colour")
    assert asked == {"blue", "green", "red"}
    assert not found.ok
    assert "such as 'red' instead of" in str(found) or "instead of 'red'" in str(found)


def test_numbers_move_in_their_own_standard_deviations() -> None:
    found = invariant(number(), MANY, "a", limit=0.5)
    # a has the weight 1 and b 2: two independent a differ by 2 / sqrt(pi) in the mean
    assert only(found).value == pytest.approx(2 / np.pi**0.5 / 5**0.5, rel=0.05)
    assert only(found).verdict is Verdict.INCONCLUSIVE
    assert only(invariant(number(), MANY, "a", limit=0.6)).verdict is Verdict.PASS
    assert only(invariant(number(), MANY, "a", limit=0.4)).verdict is Verdict.FAIL


def test_a_column_of_one_value_says_nothing() -> None:
    found = invariant(two_classes(), {**rows(), "b": np.ones(300, np.float32)}, "b")
    assert only(found).verdict is Verdict.SKIP
    assert "'b' holds one value only" in str(found)


def test_a_model_that_fails_on_another_value_is_told() -> None:
    mine = rows()

    def score(features: Any) -> Any:
        if (features["a"] != mine["a"]).any():
            raise ValueError("a is of another row")
        return np.full(300, 0.5)

    found = invariant(scored(score), mine, "a")
    assert only(found).verdict is Verdict.FAIL
    assert "with another 'a' of the same data, it fails: a is of another row" in str(found)


COLUMNS = st.one_of(
    arrays.arrays(np.float32, st.integers(2, 60), elements=st.sampled_from([0, 1, 2.5, np.nan])),
    st.lists(st.sampled_from(["", "x", "y"]), min_size=2, max_size=60).map(
        lambda texts: np.array(texts, object)
    ),
)


@given(COLUMNS, st.integers(0, 9))
def test_the_other_value_is_never_a_rows_own_and_always_one_that_occurs(
    column: Any, seed: int
) -> None:
    given = _given(column, np.random.default_rng(seed))
    shown = [str(value) for value in column]
    assert (given is not None) == (len({*shown}) > 1)
    if given is not None:
        assert all(shown[row] != old for row, old in zip(given, shown, strict=True))


def test_other_values_come_as_often_as_they_occur() -> None:
    column = np.array(["x"] * 1000 + ["y"] * 3000 + ["z"] * 6000, object)
    given = _given(column, np.random.default_rng(1))
    assert given is not None
    others = column[given]
    assert np.mean(others[:1000] == "z") == pytest.approx(2 / 3, abs=0.05)
    assert np.mean(others[4000:] == "x") == pytest.approx(1 / 4, abs=0.05)


# Directions


def test_a_model_that_rises_passes_upwards_and_fails_downwards() -> None:
    model = two_classes()
    up, down = increasing(model, MANY, "a"), decreasing(model, MANY, "a")
    assert (only(up).name, only(up).value) == ("behaviour.increasing_in.a", 0)
    assert only(up).verdict is Verdict.PASS
    assert only(down).verdict is Verdict.FAIL
    assert "while 'a' grows from -1.6" in str(down)
    assert "the mean probability of 1 rises by" in str(down)
    assert decreasing(model, MANY, "b").ok


def test_one_stretch_that_falls_is_found_and_bounded() -> None:
    """The score rises by a, but between 0 and 0.5 it falls twice as fast."""
    nodes = [
        *FILLED,
        node("Relu", "a", "over"),
        node("Sub", "a half", "less"),
        node("Relu", "less", "beyond"),
        node("Sub", "over beyond", "stretch"),
        node("Mul", "stretch three", "bend"),
        node("Sub", "a bend", "score"),
    ]
    model = two_classes([*nodes, *TWO_CLASSES], constants={"half": 0.5, "three": 3.0})
    found = increasing(model, {**MANY, "a": MANY["a"]}, "a")
    assert only(found).verdict is Verdict.FAIL
    (fault,) = found.faults
    words = fault.what.split()
    start, end = float(words[words.index("from") + 1]), float(words[words.index("to") + 1])
    assert -0.3 < start < 0.2
    assert 0.3 < end < 0.8
    # sigmoid(0) less sigmoid(-1), where the grid meets its ends
    assert only(found).value == pytest.approx(sigmoid(0.0) - sigmoid(-1.0), abs=0.04)
    assert increasing(model, MANY, "a", tolerance=0.3).ok


def test_a_fall_of_some_rows_only_counts_in_the_mean_and_few_rows_do_not_settle_it() -> None:
    """In half of the rows the answer falls by 0.05, in the others it rises by 0.05."""
    model = scored(lambda f: 0.5 + np.where(f["b"] > 0, 1, -1) * 0.05 * (f["a"] > 0))
    assert only(increasing(model, rows(40), "a")).verdict is Verdict.INCONCLUSIVE
    assert only(increasing(model, rows(5000), "a")).verdict is Verdict.PASS


def test_many_classes_ask_for_the_one_that_is_named() -> None:
    def answers(features: Any) -> Answer:
        high = sigmoid(features["a"].astype(np.float64)) / 2
        table = np.column_stack([0.5 - high, np.full(len(high), 0.5), high])
        return most_probable(table, ("high", "low", "middle"))

    model = Plain(signature_of(classes=("high", "low", "middle")), answers)
    assert increasing(model, MANY, "a", of_class="middle").ok
    assert decreasing(model, MANY, "a", of_class="high").ok
    assert not increasing(model, MANY, "a", of_class="high").ok
    flat = increasing(model, MANY, "a", of_class="low")
    assert flat.ok
    assert "the answer does not depend on 'a' at all" in str(flat)


def test_numbers_are_judged_in_their_own_unit_and_by_default_in_deviations() -> None:
    thousand = scored(lambda f: 1000 * f["a"], classes=())
    assert only(increasing(thousand, MANY, "a")).limit == pytest.approx(10, rel=0.05)
    assert only(decreasing(thousand, MANY, "a", tolerance=5000)).verdict is Verdict.PASS
    found = only(decreasing(thousand, MANY, "a"))
    assert found.value == pytest.approx(3300, rel=0.05)
    assert found.verdict is Verdict.FAIL


def test_a_value_that_the_model_fails_on_is_named() -> None:
    def refuses(features: Any) -> Any:
        if (features["a"] > 1).all():
            raise ValueError("too much of a")
        return np.full(len(features["a"]), 0.5)

    found = increasing(scored(refuses), rows(), "a")
    assert only(found).verdict is Verdict.FAIL
    assert str(found).startswith("'a' = 1.")
    assert str(found).endswith(" in every row: it fails: too much of a")
    found = increasing(scored(lambda f: np.where(f["a"] > 1, np.nan, 0.5)), rows(), "a")
    assert only(found).verdict is Verdict.FAIL
    assert "in every row: some answers are not finite" in str(found)


def test_a_column_of_one_value_has_no_direction() -> None:
    found = increasing(two_classes(), {**rows(), "a": np.zeros(300, np.float32)}, "a")
    assert only(found).verdict is Verdict.SKIP
    assert "'a' holds one value only" in str(found)
    assert only(increasing(of_text(0), rows(texts=("colour",)), "a")).verdict is Verdict.SKIP


@settings(max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8))
def test_the_measure_is_the_greatest_fall_from_any_value_to_a_later_one(steps: list[float]) -> None:
    heights = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.arange(len(heights)).astype(np.float32)
    places = np.tile(places, 500)
    model = scored(lambda f: heights[f["a"].astype(int)], numbers=("a",), classes=())
    falls = [heights[i] - heights[j] for i in range(len(heights)) for j in range(i, len(heights))]
    rises = [-fall for fall in falls]
    up = only(increasing(model, {"a": places}, "a", tolerance=0.5))
    down = only(decreasing(model, {"a": places}, "a", tolerance=0.5))
    assert up.value == pytest.approx(max(falls), abs=1e-5)
    assert down.value == pytest.approx(max(rises), abs=1e-5)
    # every row answers alike, and may hide hardly one that does not
    assert up.low <= up.value <= up.high <= up.value + 2 * np.std(heights) / 500  # type: ignore[operator]
    assert (up.verdict is Verdict.PASS) == (up.high <= 0.5)  # type: ignore[operator]


@pytest.mark.parametrize(("falls", "wrong"), [(0.8, Verdict.PASS), (-0.8, Verdict.FAIL)])
def test_what_few_rows_do_is_not_ruled_out_by_rows_that_answer_alike(
    falls: float, wrong: Verdict
) -> None:
    """1.5 % of the rows decide, and most samples of 50 and many of 100 hold none of them."""

    def score(features: Any) -> Any:
        grown, rare = features["a"] > 0, features["b"] > 2.17
        usual = 0.5 - 0.02 * (falls < 0) * grown
        return np.where(rare, 0.5 - falls / 2 * np.where(grown, 1, -1), usual)

    model = scored(score)
    for count in (50, 100):
        told = 0
        for seed in range(100):
            random = np.random.default_rng(seed)
            drawn = {name: random.normal(size=count).astype(np.float32) for name in "ab"}
            told += only(increasing(model, drawn, "a")).verdict is wrong
        assert told <= 5


def _looked_up(heights: Any, features: Any) -> Any:
    return heights[features["a"].astype(int), np.arange(len(features["a"]))]


def test_a_flat_truth_is_hardly_ever_called_a_fall() -> None:
    """Of 100 samples in which only chance moves the mean, at most about 5 % may fail."""
    falls = 0
    for seed in range(100):
        heights = np.random.default_rng(seed).normal(size=(20, 60))
        features = {"a": np.arange(60, dtype=np.float32) % 20}
        model = scored(partial(_looked_up, heights), numbers=("a",), classes=())
        found = only(increasing(model, features, "a", tolerance=1e-9))
        falls += found.verdict is Verdict.FAIL
    assert falls <= 10


# Noise


SAW = [
    node("Mul", "a fast", "angle"),
    node("Sin", "angle", "score"),
]


def test_noise_is_reported_and_decides_only_with_a_limit() -> None:
    calm = noise(two_classes(), MANY)
    assert (only(calm).limit, only(calm).verdict) == (None, Verdict.SKIP)
    assert only(calm).value is not None
    assert only(noise(two_classes(), MANY, limit=0.02)).verdict is Verdict.PASS


def test_a_model_that_a_little_noise_turns_round_is_found() -> None:
    model = two_classes([*SAW, *TWO_CLASSES], constants={"fast": 1e4}, numbers=("a",))
    features = {"a": MANY["a"]}
    found = noise(model, features, limit=0.02)
    assert only(found).low > 0.2  # type: ignore[operator]
    assert only(found).verdict is Verdict.FAIL
    assert "noise of 0.01 of the interquartile range flips the label of" in str(found)
    assert only(noise(model, features)).verdict is Verdict.SKIP


def test_more_noise_flips_more() -> None:
    values = [only(noise(two_classes(), MANY, share=share)).value for share in (0.01, 0.1, 1.0)]
    assert values == sorted(values)  # type: ignore[type-var]
    assert values[0] != values[-1]


def test_noise_of_a_model_of_numbers_is_a_mean_change() -> None:
    model = number([*FILLED, *SCORE, *NUMBER])
    # both columns move by 0.01 times about 1.35, up or down: by 1 or 3 of these
    moved = only(noise(model, MANY, limit=0.05))
    assert moved.value == pytest.approx(0.0135 * 2 / 5**0.5, rel=0.1)
    assert moved.verdict is Verdict.PASS


def test_missing_stays_missing_and_a_model_of_text_has_no_noise() -> None:
    seen: list[Any] = []

    def score(features: Any) -> Any:
        seen.append(features["a"])
        return np.full(len(features["a"]), 0.5)

    features = rows(10)
    features["a"][4] = np.nan
    noise(scored(score), features)
    assert np.isnan(seen[1]).tolist() == np.isnan(seen[0]).tolist()
    assert (seen[1] != seen[0]).all()
    texts = rows(numbers=(), texts=("colour",))
    assert only(noise(of_text(0), texts, limit=0.01)).value is None


def test_a_model_that_fails_under_noise_fails() -> None:
    def score(features: Any) -> Any:
        if (features["a"] % 1).any():
            raise ValueError("whole numbers, please")
        return np.full(len(features["a"]), 0.5)

    whole = {"a": np.arange(20, dtype=np.float32), "b": np.arange(20, dtype=np.float32)}
    found = noise(scored(score), whole, limit=0.05)
    assert only(found).verdict is Verdict.FAIL
    assert "with noise in its numbers, it fails: whole numbers, please" in str(found)
