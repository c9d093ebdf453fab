"""What proves that golden rows are answered equally, and what never passes."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatrial.errors import FormError, StoreError
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.proof import LAST_BIT, WORST, Proof, prove
from seatrial.inference.tolerance import ANSWERS, ORDER, Tolerance

LABELS = ("late", "on time")
OUT = {"outside": 2, "order_changes": 1}


def classes(*late: float) -> Answer:
    column = np.array(late)
    return most_probable(np.column_stack([column, 1 - column]), LABELS)


def numbers(*values: float) -> Answer:
    return Answer(np.array(values, dtype=np.float64))


def proven(expected: Answer, got: Answer, tolerance: Tolerance = Tolerance()) -> Proof:  # noqa: B008
    return prove(expected, got, tolerance, classes=LABELS)


@pytest.mark.parametrize(
    ("expected", "got", "bad"),
    [
        (classes(0.2, 0.6), classes(0.2, 0.6), {}),
        (classes(0.2, 0.6), classes(0.200005, 0.599995), {}),
        (classes(0.2, 0.6), classes(0.2, 0.6001), {"outside": 1}),
        (classes(0.2, 0.6), classes(0.2, 0.4), {"outside": 1, "label_flips": 1}),
        (classes(0.2, 0.6), classes(0.6, 0.2), {**OUT, "label_flips": 2}),
        (classes(0.2, 0.6), classes(0.4, 0.4), {**OUT, "label_flips": 1}),
        (classes(0.500001), classes(0.499999), {}),  # nearer than the tolerance: no flip
        (classes(0.8), classes(np.nan), {"outside": 1, "not_finite": 1}),
        (classes(2e-6, 4e-6), classes(4e-6, 2e-6), {"order_changes": 1}),
        (classes(2e-6, 2.1e-6), classes(2.1e-6, 2e-6), {}),  # 1 - p is not known better
        (numbers(1, 2), numbers(1, 2.00001), {}),
        (numbers(1, 2), numbers(1, 2.1), {"outside": 1}),
        (numbers(1, 2), numbers(1, np.inf), {"outside": 1, "not_finite": 1}),
        (numbers(1e-6, 2e-6), numbers(2e-6, 4e-6), {"outside": 2}),
        (numbers(0, 80_000), numbers(0.1, 80_000), {}),  # little, where answers are so wide apart
        (numbers(0, 80_000), numbers(90, 80_000), {"outside": 1}),
        (numbers(1_000_000, 1_000_001), numbers(1_000_001, 1_000_000), {}),
        (numbers(5, 5), numbers(5, 5), {}),
        (numbers(0, 0), numbers(0, 1e-6), {}),
    ],
)  # fmt: skip
def test_a_table_of_answers(expected: Answer, got: Answer, bad: dict[str, int]) -> None:
    found = proven(expected, got)
    counts = ("outside", "label_flips", "not_finite", "order_changes")
    assert {name: getattr(found, name) for name in counts} == {**dict.fromkeys(counts, 0), **bad}
    assert found.ok is not bool(bad)
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["rows"] == len(expected.label)


def test_no_rows_prove_nothing() -> None:
    found = proven(numbers(), numbers())
    assert not found.ok
    assert "no rows prove nothing" in found.said


def test_answers_of_other_shapes_cannot_be_compared() -> None:
    with pytest.raises(FormError, match="cannot be compared"):
        proven(numbers(1, 2), numbers(1))


def test_what_is_off_is_told_the_worst_first() -> None:
    expected = classes(*np.linspace(0.6, 0.99, 20))
    late = np.linspace(0.6, 0.99, 20)
    late[3] -= 0.3
    late[7] = np.nan
    late[9:] += 2e-5
    found = prove(expected, classes(*late), Tolerance(), kinds=["typical"] * 20, classes=LABELS)
    assert len(found.worst) == WORST
    assert [each.row for each in found.worst[:2]] == [8, 4]
    assert found.worst[0].difference is None
    assert str(found.worst[1]) == (
        "row 4 (typical): 'late' (0.661579 for 'late') -> 'on time' (0.361579 for 'late')"
    )
    assert found.said.startswith("it differs on 13 of 20 golden rows (largest difference 0.3, allo")
    assert "1 row answered by no finite number" in found.said
    assert "1 label flipped" in found.said


def test_rows_in_another_order_are_told_when_nothing_else_is_off() -> None:
    found = proven(classes(1e-6, 5e-6, 0.3), classes(5e-6, 1e-6, 0.3))
    assert [each.row for each in found.worst] == [1, 2]


SCORES = st.lists(st.integers(1, 1000), min_size=2, max_size=30, unique=True)


@given(SCORES, st.data())
def test_any_other_order_of_distinct_scores_fails(scores: list[int], data: st.DataObject) -> None:
    other = data.draw(st.permutations(scores))
    assume(other != scores)
    widest = Tolerance(answers=1.0)
    for make, scale in ((classes, 1e-3), (classes, 1e-5), (numbers, 1e-6), (numbers, 1e6)):
        kept = make(*(scale * each for each in scores))
        assert proven(kept, kept, widest).ok
        assert proven(kept, make(*(scale * each for each in other)), widest).order_changes


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30),
    st.floats(1e-7, ANSWERS) | st.floats(ANSWERS, 1e-3),
    st.integers(0, 2**32 - 1),
)
def test_noise_below_the_order_changes_none(values: list[float], order: float, seed: int) -> None:
    tolerance = Tolerance(answers=1.0, order=order)
    noise = np.random.default_rng(seed).uniform(-0.9, 0.9, len(values))
    kept = np.array(values)
    slack = order if order > ANSWERS else np.maximum(LAST_BIT, order * np.minimum(1.0, 4 * kept))
    table = kept.reshape(-1, 1)
    label = np.zeros(len(kept))
    moved = Answer(label, table + (noise * slack).reshape(-1, 1))
    assert prove(Answer(label, table), moved, tolerance).order_changes == 0
    wide = kept * 1e6 - 3e5
    far = np.maximum(np.abs(wide), wide.std())
    assert proven(Answer(wide), Answer(wide + noise * order * far), tolerance).order_changes == 0


@given(
    st.lists(st.floats(0, 1, width=32), min_size=2, max_size=30),
    st.floats(1e-6, 0.02),
    st.integers(0, 2**32 - 1),
)
def test_noise_below_the_tolerance_flips_none(late: list[float], room: float, seed: int) -> None:
    tolerance = Tolerance(answers=room, order=room)
    noise = np.random.default_rng(seed).uniform(-0.99, 0.99, len(late)) * room
    kept = np.array(late)
    moved = classes(*(kept + noise))
    assert proven(classes(*kept), moved, tolerance).label_flips == 0


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30),
    st.floats(1e-6, 0.02),
    st.data(),
)
def test_a_label_beyond_the_tolerance_always_fails(
    late: list[float], room: float, data: st.DataObject
) -> None:
    tolerance = Tolerance(answers=room, order=room)
    kept = classes(*late)
    table = np.asarray(kept.probabilities, np.float64)
    clear = np.flatnonzero(np.abs(table[:, 0] - table[:, 1]) > 2 * room)
    assume(len(clear))
    row = data.draw(st.sampled_from(clear.tolist()))
    label = kept.label.copy()
    label[row] = LABELS[label[row] == LABELS[0]]
    found = proven(kept, Answer(label, kept.probabilities), tolerance)
    assert found.label_flips == 1
    assert not found.ok


@given(
    st.lists(st.floats(0, 1, width=32), min_size=2, max_size=30),
    st.floats(ORDER, 1e-3),
    st.data(),
)
def test_two_rows_that_lie_apart_and_change_places_always_fail(
    late: list[float], order: float, data: st.DataObject
) -> None:
    tolerance = Tolerance(answers=1.0, order=order)
    one, other = data.draw(st.permutations(range(len(late))))[:2]
    kept = np.array(late)
    swapped = kept.copy()
    swapped[[one, other]] = kept[[other, one]]
    label = np.zeros(len(kept))
    known = np.ones(len(kept)) if order > ANSWERS else np.minimum(1.0, 4 * kept)
    slack = np.maximum(LAST_BIT if order <= ANSWERS else 0.0, order * known)
    apart = abs(kept[one] - kept[other])
    assume(apart > slack[one] + slack[other] + 1e-12)
    found = prove(Answer(label, kept[:, None]), Answer(label, swapped[:, None]), tolerance)
    assert found.order_changes
    assert not found.ok


@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=20),
    st.sampled_from([1e-9, 1e-3, 1024.0, 1e9]),
    st.floats(0, 1e-4),
)
def test_the_unit_of_a_number_does_not_matter(
    values: list[float], scale: float, shift: float
) -> None:
    kept = np.array(values)
    assume(not np.any((kept != 0) & (np.abs(kept) < 1e-30)))
    here = kept * (1 + shift)
    one, other = (
        proven(Answer(kept), Answer(here)),
        proven(Answer(scale * kept), Answer(scale * here)),
    )
    assert one.largest_difference == pytest.approx(other.largest_difference, rel=1e-3, abs=1e-12)


@given(st.integers(0, 4), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_no_number_never_passes(row: int, odd: float) -> None:
    late = np.linspace(0.1, 0.9, 5)
    kept = classes(*late)
    late[row] = odd
    everything = Tolerance(answers=1e9, order=1e9)
    got = Answer(kept.label, np.column_stack([late, 1 - late]))
    assert not proven(kept, got, everything).ok
    assert not proven(numbers(*range(5)), numbers(*late), everything).ok


def test_a_tolerance_comes_back_from_the_manifest() -> None:
    told = Tolerance(answers=3e-3, order=1e-3, rows_at_once=1)
    assert Tolerance.of_manifest({"golden": {"tolerance": told.to_json()}}) == told
    for older in ("{}", '{"golden": {}}', '{"golden": {"tolerance": {"later": 1}}}'):
        assert Tolerance.of_manifest(json.loads(older)) == Tolerance()
    assert Tolerance().order == ORDER


@pytest.mark.parametrize(
    "golden",
    [
        3,
        [],
        {"tolerance": 3},
        {"tolerance": {"answers": "wide"}},
        {"tolerance": {"answers": None}},
        {"tolerance": {"answers": -1.0}},
        {"tolerance": {"order": float("nan")}},
        {"tolerance": {"rows_at_once": 1.5}},
        {"tolerance": {"rows_at_once": -1}},
    ],
)
def test_what_is_no_tolerance_is_refused(golden: object) -> None:
    with pytest.raises(StoreError, match="tolerance of the golden rows") as caught:
        Tolerance.of_manifest({"golden": golden})
    assert len(str(caught.value).splitlines()) <= 6
