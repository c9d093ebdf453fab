"""How like the first training the second one is, by bytes and by answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial import metrics
from seatrial.evaluation.labelled import Labelled
from seatrial.evaluation.reproduction import Sameness, compared, judged, quality, said, same_files
from seatrial.inference.answer import Answer, most_probable
from seatrial.metrics import Predictions
from seatrial.outcome import Verdict

SAME = {"model.onnx": True, "native": True}
OTHER = {"model.onnx": True, "native": False}


def classes(*positive: float) -> Answer:
    column = np.array(positive)
    return most_probable(np.column_stack([1 - column, column]), (0, 1))


def numbers(*values: float) -> Answer:
    return Answer(np.array(values, dtype=np.float32))


@pytest.mark.parametrize(
    ("then", "again", "files", "sameness"),
    [
        (numbers(1, 2), numbers(1, 2), SAME, Sameness.IDENTICAL),
        (numbers(1, np.nan), numbers(1, np.nan), SAME, Sameness.IDENTICAL),
        (numbers(1, np.inf), numbers(1, np.inf), SAME, Sameness.IDENTICAL),
        (numbers(1, 2), numbers(1, 2), OTHER, Sameness.EQUAL),
        (numbers(1, 2), numbers(1, 2.000001), SAME, Sameness.EQUAL),
        (numbers(1, 2000), numbers(1, 2000.01), OTHER, Sameness.EQUAL),
        (numbers(1, 2), numbers(1, 2.1), OTHER, Sameness.DIFFERENT),
        (numbers(1, 2), numbers(1, np.nan), OTHER, Sameness.DIFFERENT),
        (classes(0.3, 0.6), classes(0.3, 0.6), SAME, Sameness.IDENTICAL),
        (classes(0.3, 0.6), classes(0.3, 0.600001), OTHER, Sameness.EQUAL),
        (classes(0.3, 0.6), classes(0.3, 0.4), OTHER, Sameness.DIFFERENT),
        (classes(0.3, 0.6), classes(0.3, 0.7), OTHER, Sameness.DIFFERENT),
    ],
)
def test_bytes_and_answers_decide(
    then: Answer, again: Answer, files: dict[str, bool], sameness: Sameness
) -> None:
    assert judged(files, [compared("rows", then, again)]) is sameness


def test_one_differing_set_of_rows_is_enough() -> None:
    rows = [
        compared("golden rows", numbers(1), numbers(1)),
        compared("training rows", numbers(1), numbers(3)),
    ]
    assert judged(SAME, rows) is Sameness.DIFFERENT


def test_another_label_of_the_same_probabilities_is_no_longer_identical() -> None:
    tie = classes(0.5)
    other = Answer(1 - tie.label, tie.probabilities)
    found = compared("rows", tie, other)
    assert (found.exact, found.same, found.row) == (False, True, 1)
    assert judged(SAME, [found]) is Sameness.EQUAL


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20), st.data())
def test_the_row_that_differs_most_is_named(values: list[float], data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(values) - 1))
    then = numbers(*values)
    other = then.label.astype(np.float64)
    other[row] += 10 * max(1.0, abs(other[row]))
    found = compared("rows", then, Answer(other))
    assert found.row == row + 1
    assert found.parity.outside == 1


def test_the_sentences_say_how_much_and_where() -> None:
    alike = compared("training rows", numbers(1, 2), numbers(1, 2))
    close = compared("training rows", numbers(1, 2), numbers(1, 2.00001))
    far = compared("training rows", classes(0.3, 0.6), classes(0.3, 0.4))
    assert said(Sameness.IDENTICAL, SAME, [alike]) == (
        "the same bytes, and the same answers to 2 training rows"
    )
    assert said(Sameness.EQUAL, OTHER, [alike]) == "other bytes (native), the same answers"
    assert said(Sameness.EQUAL, OTHER, [alike, close]) == (
        "other bytes, and no answer differs by more than 5.0e-06 (row 2 of the training rows;"
        " allowed 1e-05)"
    )
    assert said(Sameness.DIFFERENT, OTHER, [far]) == (
        "other bytes, and 1 of 2 training rows are answered otherwise (largest difference 0.2 in"
        " row 2 of the training rows, 1 label flipped)"
    )


def test_a_file_that_only_one_of_them_has_is_another_file() -> None:
    then = {"model.onnx": "a", "native": "b", "golden.json": "c"}
    assert same_files(then, {"model.pickle": "a", "native": "b"}) == {
        "model.onnx": False,
        "model.pickle": False,
        "native": True,
    }


def test_the_metric_of_both_is_paired_and_decides_nothing() -> None:
    truth = np.array([0, 1] * 200)
    worse = np.where(np.arange(400) < 40, 1 - truth, truth)
    rows = Labelled("held_out", {"x": np.zeros(400)}, truth, metrics.get("accuracy"), None)
    then, again = (Predictions(labels, None, (0, 1)) for labels in (truth, worse))
    found = quality(rows, then, again, seed=1)
    assert (found.then, found.again, found.noise_floor) == (1.0, 0.9, None)
    measure = found.degradation
    assert measure.value == pytest.approx(0.1)
    assert measure.low is not None
    assert measure.high is not None
    assert 0.07 < measure.low < 0.1 < measure.high < 0.14
    assert (measure.limit, measure.verdict) == (None, Verdict.SKIP)
    with_seed = quality(rows, then, again, [again], seed=1)
    assert with_seed.noise_floor is not None
    assert with_seed.noise_floor.value == pytest.approx(0.1)
