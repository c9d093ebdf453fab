"""Which rows are golden: of every kind that a model answers, the same for a seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.errors import FormError
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.golden_choice import UNHEARD_OF, choose
from seatrial.inference.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Columns = Mapping[str, np.ndarray]

ROWS = 256


@dataclass(frozen=True)
class Rule:
    """A model that answers by a rule."""

    signature: Signature
    rule: Callable[[Columns], np.ndarray]

    def predict(self, features: Columns) -> Answer:
        found = self.rule(features)
        if self.signature.problem == "numbers":
            return Answer(found.astype(np.float32))
        return most_probable(np.column_stack([1 - found, found]), self.signature.classes)


def classes(features: Columns, rule: Callable[[Columns], np.ndarray]) -> Rule:
    return Rule(Signature.of(features, "classes", ("late", "on time")), rule)


def numbers(features: Columns, rule: Callable[[Columns], np.ndarray]) -> Rule:
    return Rule(Signature.of(features, "numbers"), rule)


def table(rows: int = 2000) -> dict[str, np.ndarray]:
    random = np.random.default_rng(2)
    delay = random.normal(size=rows).astype(np.float32)
    far = random.uniform(100, 5000, rows).astype(np.float32)
    words = np.array(["UA", "DL", ""], object)
    return {"delay": delay, "far": far, "carrier": random.choice(words, rows)}


def steps(features: Columns) -> np.ndarray:
    """Jumps at 0.25 and at 1000."""
    late = np.nan_to_num(features["delay"], nan=1.0) > 0.25
    far = np.nan_to_num(features["far"], nan=0.0) > 1000
    known = features["carrier"] != UNHEARD_OF
    return np.asarray(0.1 + 0.3 * late + 0.2 * far + 0.1 * known)


def smooth(features: Columns) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.nan_to_num(features["delay"]))))


def test_every_kind_is_there_and_the_rest_is_typical() -> None:
    features = table()
    chosen = choose(classes(features, steps), features, 1, ROWS)
    kinds = Counter(chosen.kinds)
    assert {*kinds} == {"typical", "each class", "boundary", "extreme", "missing",
                        "unknown category", "edge"}  # fmt: skip
    assert sum(kinds.values()) == ROWS
    assert kinds["typical"] >= ROWS / 8
    assert {len(column) for column in chosen.inputs.values()} == {ROWS}


def test_a_seed_chooses_the_same_rows() -> None:
    features = table()
    model = classes(features, steps)
    one, again, other = (choose(model, features, seed, ROWS) for seed in (1, 1, 2))
    assert one.kinds == again.kinds
    for name, column in one.inputs.items():
        np.testing.assert_array_equal(column, again.inputs[name])
    assert any((column != other.inputs[name]).any() for name, column in one.inputs.items())


@pytest.mark.parametrize("rows", [64, 256, 512])
def test_as_many_as_are_wanted(rows: int) -> None:
    features = table()
    for model in (classes(features, steps), numbers(features, steps), classes(features, smooth)):
        assert len(choose(model, features, 3, rows).kinds) == rows


def of_kind(model: Rule, features: Columns, kind: str) -> dict[str, np.ndarray]:
    chosen = choose(model, features, 1, ROWS)
    which = np.array(chosen.kinds) == kind
    return {name: column[which] for name, column in chosen.inputs.items()}


def test_boundary_rows_have_the_smallest_lead() -> None:
    features = table()
    model = classes(features, smooth)
    near = np.abs(of_kind(model, features, "boundary")["delay"])
    assert near.max() <= np.sort(np.abs(features["delay"]))[len(near)]


def test_every_predicted_class_is_there() -> None:
    features = table()
    rare = np.zeros(2000, np.float32)
    rare[1234] = 1
    columns = {**features, "rare": rare}
    model = classes(columns, lambda given: 0.1 + 0.8 * (given["rare"] == 1))
    assert 1 in choose(model, columns, 1, ROWS).inputs["rare"]


def test_quantiles_of_numbers_reach_from_the_lowest_to_the_highest() -> None:
    features = table()
    found = of_kind(numbers(features, smooth), features, "quantile")["delay"]
    assert found.min() == features["delay"].min()
    assert found.max() == features["delay"].max()
    assert np.abs(np.median(found) - np.median(features["delay"])) < 0.2


def test_extremes_are_reached_and_passed() -> None:
    features = table()
    found = of_kind(classes(features, smooth), features, "extreme")
    for name in ("delay", "far"):
        least, greatest = features[name].min(), features[name].max()
        assert least in found[name]
        assert greatest in found[name]
        assert found[name].min() < least
        assert found[name].max() > greatest


def test_each_column_goes_missing_alone_and_all_together() -> None:
    features = table()
    found = of_kind(classes(features, smooth), features, "missing")
    gone = np.array([np.isnan(found["delay"]), np.isnan(found["far"]), found["carrier"] == ""])
    assert gone.all(axis=0).any()
    for alone in np.eye(3, dtype=bool):
        assert (gone == alone[:, None]).all(axis=0).any()


def test_columns_go_missing_in_company_too() -> None:
    random = np.random.default_rng(1)
    features = {f"c{place}": random.normal(size=500).astype(np.float32) for place in range(20)}
    model = classes(features, lambda given: 0.2 + 0.5 * (np.nan_to_num(given["c0"]) > 0))
    gone = np.isnan(np.column_stack([*of_kind(model, features, "missing").values()])).sum(axis=1)
    assert gone.max() == 20
    assert 2 <= np.median(gone[gone > 1]) <= 10
    assert np.count_nonzero(gone == 1) >= ROWS / 8 / 2


def test_a_word_is_one_that_was_never_seen() -> None:
    features = table()
    assert {*of_kind(classes(features, smooth), features, "unknown category")["carrier"]} == {
        UNHEARD_OF
    }


def test_edges_lie_on_both_sides_of_a_jump_and_not_on_it() -> None:
    features = table()
    model = classes(features, steps)
    found = of_kind(model, features, "edge")
    assert len(found["delay"])
    pairs = {name: column.reshape(-1, 2) for name, column in found.items()}
    jumps = {"delay": 0.25, "far": 1000.0}
    seen = set()
    for row in range(len(pairs["delay"])):
        moved = [name for name, column in pairs.items() if column[row, 0] != column[row, 1]]
        assert len(moved) == 1
        low, high = sorted(pairs[moved[0]][row].tolist())
        width = np.ptp(features[moved[0]])
        assert low < jumps[moved[0]] < high
        assert 1e-5 * width < high - low < 1e-4 * width
        assert min(jumps[moved[0]] - low, high - jumps[moved[0]]) > 5e-6 * width
        seen.add(moved[0])
    assert seen == {*jumps}


def test_a_model_without_jumps_has_no_edges() -> None:
    features = table()
    kinds = Counter(choose(classes(features, smooth), features, 1, ROWS).kinds)
    assert "edge" not in kinds
    assert sum(kinds.values()) == ROWS


def test_a_large_value_is_stepped_away_by_what_a_float_can_tell() -> None:
    features = {"when": np.linspace(1.7e9, 1.7e9 + 1e5, 2000).astype(np.float32)}
    model = numbers(features, lambda given: given["when"] > np.float32(1.7e9 + 5e4))
    found = of_kind(model, features, "edge")["when"]
    assert len(found)
    assert np.abs(found - np.float32(1.7e9 + 5e4)).min() > 16 * np.spacing(np.float32(1.7e9))


def refusing(kind: str) -> Callable[[Columns], np.ndarray]:
    def rule(features: Columns) -> np.ndarray:
        if kind == "missing" and np.isnan(features["delay"]).any():
            raise FormError("no missing values, please")
        if kind == "unknown category" and (features["carrier"] == UNHEARD_OF).any():
            raise FormError("an unknown carrier")
        return smooth(features)

    return rule


@pytest.mark.parametrize("kind", ["missing", "unknown category"])
def test_a_kind_that_is_refused_is_left_out(kind: str) -> None:
    features = table()
    kinds = Counter(choose(classes(features, refusing(kind)), features, 1, ROWS).kinds)
    assert kind not in kinds
    assert "extreme" in kinds
    assert sum(kinds.values()) == ROWS


def test_rows_that_are_answered_by_no_number_are_left_out() -> None:
    features = table()
    model = classes(features, lambda given: np.where(given["delay"] > 0, 0.3, np.nan))
    chosen = choose(model, features, 1, ROWS)
    assert len(chosen.kinds) == ROWS
    assert model.predict(chosen.inputs).finite.all()
    assert chosen.left_out >= np.count_nonzero(features["delay"] <= 0)


@pytest.mark.parametrize(
    "features",
    [
        {"a": np.arange(3.0)},
        {"a": np.full(50, 7.0)},
        {"a": np.full(50, np.nan)},
        {"a": np.array([1.0])},
        {"a": np.array([0.0, np.inf, -np.inf, 3e38, -3e38])},
        {"a": np.array(["x", "y", "", "z"], object)},
        {"a": np.array([""], object)},
        {"a": np.arange(40.0), "b": np.array(["x", "y"] * 20, object)},
        {f"c{place}": np.arange(100.0) * place for place in range(300)},
    ],
    ids=["few", "constant", "nan", "one", "infinite", "strings", "empty", "both", "wide"],
)
@pytest.mark.parametrize("make", [classes, numbers])
def test_any_table_gives_rows(make: Callable[..., Rule], features: Columns) -> None:
    def rule(given: Columns) -> np.ndarray:
        first = next(iter(given.values()))
        return np.asarray(0.2 + 0.5 * (first == "x" if first.dtype == object else first > 1))

    chosen = choose(make(features, rule), features, 1, ROWS)
    lengths = {len(column) for column in chosen.inputs.values()}
    assert lengths == {len(chosen.kinds)}
    assert 0 < len(chosen.kinds) <= ROWS


def test_however_many_classes_the_rows_stay_few() -> None:
    features = {"a": np.arange(5000.0)}
    signature = Signature.of(features, "classes", tuple(range(5000)))

    @dataclass(frozen=True)
    class Each:
        signature: Signature

        def predict(self, given: Columns) -> Answer:
            label = np.nan_to_num(given["a"]).clip(0, 4999).astype(np.int64)
            return Answer(label, np.ones((len(label), 5000), np.float32))

    chosen = choose(Each(signature), {"a": features["a"][:600]}, 1, ROWS)
    assert len(chosen.kinds) == ROWS


def test_no_rows_give_no_rows() -> None:
    features = {name: column[:0] for name, column in table().items()}
    assert choose(classes(features, smooth), features, 1, ROWS).kinds == ()
    nothing = classes(table(), lambda given: np.full(len(given["delay"]), np.nan))
    assert choose(nothing, table(), 1, ROWS).kinds == ()
