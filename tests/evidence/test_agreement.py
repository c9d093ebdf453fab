"""Two answers to one request, and tallies that add up."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.agreement import OTHER, REASONS, Agreement, Tally, agreement
from seatrial.evidence.times import Times
from seatrial.inference.answer import Answer, most_probable

NO_YES = ("no", "yes")
RNG = np.random.default_rng(4)


def classes(*late: float) -> Answer:
    return most_probable(np.array([[1 - p, p] for p in late]), NO_YES)


def compare(served: Answer, candidate: Answer) -> Agreement:
    return agreement(served, candidate, classes=NO_YES, candidate_classes=NO_YES)


def numbers(*values: float) -> Answer:
    return Answer(np.array(values, dtype=np.float32))


def test_the_same_answer_agrees() -> None:
    assert compare(classes(0.25, 0.75), classes(0.25, 0.75)) == Agreement(0.0, 0.0)
    assert agreement(numbers(1, 2), numbers(1, 2), variance=4.0) == Agreement(0.0, 0.0)


def test_labels_count_by_row_and_probabilities_by_distance() -> None:
    found = compare(classes(0.25, 0.75, 0.75, 0.25), classes(0.75, 0.75, 0.75, 0.25))
    assert found == Agreement(0.25, 0.125)


def test_numbers_count_in_units_of_the_variance_and_at_most_one_a_row() -> None:
    found = agreement(numbers(0, 0, 0, 0), numbers(0, 1, 2, 100), variance=4.0)
    assert found == Agreement((0 + 0.25 + 1 + 1) / 4, 103 / 4)
    assert agreement(numbers(1, 2), numbers(1, 2.5)) == Agreement(0.5, 0.25)


def test_versions_may_know_other_classes() -> None:
    served = most_probable(np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]), ("a", "b", "c"))
    mine = most_probable(np.array([[0.5, 0.5], [0.25, 0.75]]), ("b", "d"))
    found = agreement(served, mine, classes=("a", "b", "c"), candidate_classes=("b", "d"))
    # a and c have no probability with the candidate, d has none with production
    distances = (0.5 + 0.25 + 0.25 + 0.5) / 2, (0.25 + 0.25 + 0.25 + 0.75) / 2
    assert found == Agreement(1.0, sum(distances) / 2)


def test_the_order_of_the_classes_is_no_disagreement() -> None:
    served = most_probable(np.array([[0.25, 0.75]]), ("no", "yes"))
    mine = most_probable(np.array([[0.75, 0.25]]), ("yes", "no"))
    both = {"classes": ("no", "yes"), "candidate_classes": ("yes", "no")}
    assert agreement(served, mine, **both) == Agreement(0.0, 0.0)  # type: ignore[arg-type]


def test_a_number_and_a_word_are_other_labels() -> None:
    served, mine = most_probable(np.eye(2), (0, 1)), most_probable(np.eye(2), ("0", "1"))
    found = agreement(served, mine, classes=(0, 1), candidate_classes=("0", "1"))
    assert found == Agreement(1.0, 1.0)


def test_another_problem_is_another_answer() -> None:
    assert agreement(classes(0.25), numbers(0.25), classes=NO_YES).disagreed == 1
    assert agreement(numbers(0.25), classes(0.25), variance=1.0).disagreed == 1


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_nan_is_told_where_production_has_none(wrong: float) -> None:
    found = agreement(numbers(1, 2), numbers(1, wrong), variance=1.0)
    assert found == Agreement(0.5, 0.0, nan=True)
    found = agreement(numbers(1, wrong), numbers(1, wrong), variance=1.0)
    assert found == Agreement(0.0, 0.0)
    found = agreement(numbers(1, wrong), numbers(1, 2), variance=1.0)
    assert found == Agreement(0.5, 0.0)
    table = Answer(classes(0.25).label, np.full((1, 2), wrong, dtype=np.float32))
    assert compare(classes(0.25), table).nan
    assert not compare(table, classes(0.25)).nan


def test_no_rows_agree() -> None:
    assert agreement(numbers(), numbers(), variance=1.0) == Agreement(0.0, 0.0)


finite = st.floats(-(2.0**120), 2.0**120, width=32)


@given(st.lists(st.tuples(finite, finite), min_size=1), st.floats(0, 1e6))
def test_disagreement_is_a_share_and_has_no_sides(
    pairs: list[tuple[float, float]], variance: float
) -> None:
    one, other = (numbers(*side) for side in zip(*pairs, strict=True))
    found = agreement(one, other, variance=variance)
    assert 0 <= found.disagreed <= 1
    assert found == agreement(other, one, variance=variance)


counts = st.integers(0, 1000)
tallies = st.builds(
    Tally,
    **dict.fromkeys(("seen", "lost", "too_big", "sampled", "reached", "errors"), counts),
    disagreed=st.integers(0, 1000).map(float),
    memory_mb=st.floats(0, 1e6),
    candidate_us=st.floats(0, 1e9).map(Times.of),
    reasons=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9)),
)


@given(st.lists(tallies))
def test_tallies_add_up_in_any_order_and_survive_json(parts: list[Tally]) -> None:
    total = reduce(Tally.__add__, parts, Tally())
    assert total == reduce(Tally.__add__, reversed(parts), Tally())
    assert total.requests == sum(part.requests for part in parts)
    assert total.candidate_us.n == len(parts)
    assert total.memory_mb == max((part.memory_mb for part in parts), default=0)
    assert Tally.from_json(json.loads(json.dumps(total.to_json()))) == total


def test_a_tally_of_an_older_release_reads_as_zeros() -> None:
    assert Tally.from_json({"seen": 3, "requests": 3}) == Tally(seen=3)


def test_reasons_are_counted_but_not_without_end() -> None:
    total = Tally(reasons={"crashed": 100})
    for number in range(50):
        total += Tally(reasons={f"raised {number}": 1})
    assert len(total.reasons) == REASONS + 1
    assert total.reasons["crashed"] == 100
    assert sum(total.reasons.values()) == 150
    assert total.reasons[OTHER] == 50 - REASONS + 1


def test_bins_hold_what_they_say() -> None:
    for took_us in RNG.uniform(1, 1e7, 500):
        (place,) = Times.of(took_us).counts
        assert 2 ** (place / 8) <= took_us * (1 + 1e-12)
        assert took_us < 2 ** ((place + 1) / 8) * (1 + 1e-12)
    assert Times.of(0.2) == Times.of(1)


def test_bounds_of_a_quantile_err_as_rarely_as_said() -> None:
    truth = math.exp(1.6448536) * 1000  # the 95 % quantile of the distribution below
    missed_low = missed_high = 0
    for _ in range(400):
        drawn = np.exp(RNG.normal(size=150)) * 1000
        low, high = reduce(Times.__add__, map(Times.of, drawn)).bounds(0.95)
        missed_low += low > truth
        missed_high += high < truth
    # 20 each are expected at most; 33 come with a probability below 1 %
    assert missed_low <= 33
    assert missed_high <= 33


def test_few_times_prove_no_upper_bound() -> None:
    few = Times({40: 58})
    assert few.bounds(0.95) == (2**5, math.inf)
    assert replace(few, counts={40: 59}).bounds(0.95) == (2**5, 2 ** (41 / 8))
    assert Times({40: 1}).bounds(0.95)[1] == math.inf
