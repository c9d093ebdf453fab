"""What is said of a slice: its value, or why it has none; the same whatever the order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.evaluation.labelled import Labelled
from seatrial.evaluation.slices import columns, declared, document, judged, told
from seatrial.metrics import Predictions, get
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from seatrial.evaluation.slices.declared import Slice

N = 900


def _rows(metric: str, groups: Any = None) -> tuple[Labelled, Predictions, Predictions]:
    random = np.random.default_rng(3)
    y = (random.random(N) < 0.4).astype(np.int64)
    gate = np.array(["A", "B", "C"], object)[np.arange(N) % 3]
    y[gate == "C"] = 1
    p = np.clip(0.5 + (y - 0.5) * 0.5 + random.normal(scale=0.3, size=N), 0.01, 0.99)
    answers = [
        Predictions((q > 0.5).astype(np.int64), np.column_stack([1 - q, q]), (0, 1))
        for q in (p, np.clip(p + random.normal(scale=0.05, size=N), 0.01, 0.99))
    ]
    features = {"gate": gate, "x": random.normal(size=N).astype(np.float32)}
    return Labelled("rows", features, y, get(metric), groups), answers[0], answers[1]


def _slices(rows: Labelled, *words: Any) -> tuple[Slice, ...]:
    return declared.slices(words, columns.from_features(rows.features))


def test_each_slice_has_its_value_and_the_degradation_beside_it() -> None:
    rows, mine, other = _rows("accuracy")
    found = judged.on_slices(rows, mine, _slices(rows, "gate"), 0.5, seed=1, other=other)
    assert [each.measure.name for each in found] == [
        "accuracy on gate = A",
        "accuracy on gate = B",
        "accuracy on gate = C",
    ]
    right = mine.label == rows.labels
    for each in found:
        assert each.measure.value == pytest.approx(right[each.slice.rows].mean())
        assert each.measure.value is not None
        assert each.measure.low is not None
        assert each.measure.low < each.measure.value
        assert each.measure.verdict is Verdict.PASS
        assert each.degradation is not None
        assert each.degradation.verdict is Verdict.SKIP
        theirs = (other.label == rows.labels)[each.slice.rows].mean()
        assert each.degradation.value == pytest.approx(theirs - each.measure.value)
    # what the slices of a partition are worth is what all rows are worth
    weighed = sum((each.measure.value or 0) * each.measure.n for each in found) / N
    assert weighed == pytest.approx(right.mean())


def test_a_slice_of_one_class_is_not_settled_where_it_is_named_and_told_where_it_is_not() -> None:
    rows, mine, other = _rows("roc_auc")
    words = ("gate", {"x": [(9, None)]})
    found = {
        (each.slice.name, each.slice.named): each
        for each in judged.on_slices(rows, mine, _slices(rows, *words), 0.6, seed=1, other=other)
    }
    out_of_the_column = found["gate = C", False]
    assert out_of_the_column.measure.verdict is Verdict.SKIP
    assert out_of_the_column.measure.limit is None
    assert "same class" in out_of_the_column.why
    # what somebody named is judged, though the column alone gives it as well
    twice = _slices(rows, {"gate": ["C"]}, "gate")
    named, *_ = judged.on_slices(rows, mine, twice, 0.6, seed=1)
    assert (named.measure.value, named.measure.verdict) == (None, Verdict.INCONCLUSIVE)
    empty = found["x >= 9", True]
    assert (empty.measure.n, empty.measure.verdict) == (0, Verdict.INCONCLUSIVE)
    without_a_limit = judged.on_slices(rows, mine, _slices(rows, {"gate": ["C"]}), seed=1)[0]
    assert without_a_limit.measure.verdict is Verdict.SKIP


def test_few_rows_that_nobody_named_are_told_and_not_judged() -> None:
    rows, mine, _ = _rows("accuracy")
    rows.features["x"][:20] = np.nan
    found = judged.on_slices(rows, mine, _slices(rows, "x"), 0.99, seed=1)
    missing = found[-1]
    assert missing.slice.name == "x is missing"
    assert (missing.measure.n, missing.measure.verdict) == (20, Verdict.SKIP)
    assert missing.measure.low is not None
    assert missing.why == "only 20 rows"
    (named,) = judged.on_slices(rows, mine, _slices(rows, {"x": [None]}), 0.99, seed=1)
    assert named.measure.verdict is not Verdict.SKIP


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "neg_log_loss", "f1"])
def test_the_order_of_the_rows_does_not_matter(metric: str) -> None:
    rows, mine, other = _rows(metric)
    order = np.random.default_rng(1).permutation(N)
    shuffled = rows.part(order)
    first = judged.on_slices(rows, mine, _slices(rows, "gate", "x"), 0.5, seed=1, other=other)
    second = judged.on_slices(
        shuffled,
        mine.rows(order),
        _slices(shuffled, "gate", "x"),
        0.5,
        seed=1,
        other=other.rows(order),
    )
    for one, same in zip(first, second, strict=True):
        assert one.slice.name == same.slice.name
        assert one.measure.verdict is same.measure.verdict
        assert one.measure.value == pytest.approx(same.measure.value, nan_ok=True)
        assert one.measure.low == pytest.approx(same.measure.low)


def test_rows_of_one_thing_prove_less() -> None:
    alone, mine, _ = _rows("accuracy")
    rows, _, _ = _rows("accuracy", groups=np.arange(N) // 18)
    one, grouped = (
        judged.on_slices(each, mine, _slices(each, {"gate": ["A"]}), 0.5, seed=1)[0].measure
        for each in (alone, rows)
    )
    assert one.low is not None
    assert grouped.low is not None
    assert grouped.low <= one.low


def test_the_three_worst_are_told_and_the_rest_is_counted() -> None:
    rows, mine, other = _rows("accuracy")
    words = ("gate", {"gate": ["A", "B"], "x": [(None, 0), (0, None)]}, {"gate": ["Z"]})
    found = judged.on_slices(rows, mine, _slices(rows, *words), 0.999, seed=1, other=other)
    findings = [*told.findings("rows", N, found, None)]
    failed = [each for each in findings if "at least 0.999 demanded" in each.what]
    assert len(failed) == 3
    assert "than in production" in failed[0].what
    assert "4 more fail" in findings[3].what
    assert "no row has gate = Z" in findings[4].what
    assert "take the slice out" in findings[4].hint


def test_the_document_counts_and_holds_no_rows() -> None:
    rows, mine, other = _rows("roc_auc")
    found = judged.on_slices(rows, mine, _slices(rows, "gate"), 0.6, seed=1, other=other)
    kept = document.document(rows, "sha256:ab", 0.6, found, None)
    first: Any = kept["slices"][0]  # type: ignore[index]
    assert first["name"] == "gate = A"
    assert sum(first["labels"].values()) == first["rows"] == 300
    assert first["measure"]["verdict"] == "pass"
    assert kept["slices"][2]["measure"]["value"] is None  # type: ignore[index]
    assert document.written(kept) == document.written(dict(kept))
