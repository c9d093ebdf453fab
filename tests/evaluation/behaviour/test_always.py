"""What every model must keep: a planted fault for each check is found and named."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from behaving import (
    FILLED,
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
from seatrial.errors import StoreError
from seatrial.evaluation.behaviour import CHECKS, check, checked
from seatrial.evaluation.behaviour.asking import apart, spread_out
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.parity import parity
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.found import Found
    from seatrial.inference.opening import Answers

P, Q, JOINED, LABEL = TWO_CLASSES
PROBABILITIES = [P, Q, JOINED]


def value(found: Found, word: str) -> Any:
    return next(m.value for m in found.measures if m.name == f"behaviour.{word}")


def failing(found: Found) -> set[str]:
    return {m.name.partition(".")[2] for m in found.measures if m.verdict is Verdict.FAIL}


HEALTHY: dict[str, tuple[Answers, dict[str, Any]]] = {
    "two classes": (two_classes(), rows()),
    "numbers": (number(), rows()),
    "one text": (of_text(0), rows(numbers=(), texts=("colour",))),
    "one column": (two_classes(numbers=("a",)), rows(numbers=("a",))),
    "in Python": (scored(lambda f: np.full(len(f["a"]), 0.25)), rows()),
    "strings as classes": (
        scored(lambda f: np.full(len(f["a"]), 0.75), classes=("late", "on time")),
        rows(),
    ),
    "many classes": (
        Plain(
            signature_of(classes=tuple(range(40))),
            lambda f: most_probable(np.full((len(f["a"]), 40), 1 / 40), tuple(range(40))),
        ),
        rows(),
    ),
    "one row": (two_classes(), rows(1)),
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_a_healthy_model_passes_every_check(kind: str) -> None:
    model, features = HEALTHY[kind]
    found = checked(model, features)
    assert found.ok, str(found)
    assert failing(found) == set()
    assert {m.name.partition(".")[2] for m in found.measures} == {*CHECKS, "float32_ends"}


def _nan_in(column: str) -> Answers:
    """NaN goes through in one column only."""
    return scored(
        lambda f: np.nan_to_num(f["a" if column == "b" else "b"], nan=0.5) * 0 + 0.5 + f[column] * 0
    )


FAULTS: dict[str, tuple[str, Answers, dict[str, Any], str]] = {
    "labels in a column": (
        "shape",
        two_classes(
            [*FILLED, *SCORE, *PROBABILITIES, node("ArgMax", "probabilities", "label", axis=1)]
        ),
        rows(),
        "asked for 300 rows, it answers labels of the shape [300, 1], not [300]",
    ),
    "probabilities of one class": (
        "shape",
        two_classes([*FILLED, *SCORE, P, node("Identity", "p", "probabilities"), LABEL]),
        rows(),
        "it answers probabilities of the shape [300, 1], not [300, 2]",
    ),
    "double probabilities": (
        "shape",
        two_classes(
            [
                *FILLED,
                *SCORE,
                P,
                Q,
                node("Concat", "q p", "single", axis=1),
                node("Cast", "single", "probabilities", to=TensorProto.DOUBLE),
                LABEL,
            ],
            outputs={"label": TensorProto.INT64, "probabilities": TensorProto.DOUBLE},
        ),
        rows(),
        "it answers probabilities of the type float64, not float32",
    ),
    "the logarithm of a negative number": (
        "finite",
        number([node("Log", "a", "score"), node("Squeeze", "score second", "label")]),
        {**rows(), "a": np.array([-1.0, *[2.0] * 299], np.float32)},
        "the answer is NaN in 1 of 300 rows as they stand (row 1)",
    ),
    "a class too far": (
        "known_labels",
        two_classes(
            [
                *FILLED,
                *SCORE,
                *PROBABILITIES,
                node("ArgMax", "probabilities", "place", axis=1, keepdims=0),
                node("Add", "place second", "label"),
            ]
        ),
        rows(),
        "the label is no known class in",
    ),
    "scores instead of probabilities": (
        "probabilities",
        two_classes(
            [*FILLED, *SCORE, node("Concat", "score score", "probabilities", axis=1), LABEL]
        ),
        rows(),
        "leave [0, 1] or do not sum to 1",
    ),
    "the least probable label": (
        "most_probable",
        two_classes(
            [
                *FILLED,
                *SCORE,
                *PROBABILITIES,
                node("ArgMin", "probabilities", "label", axis=1, keepdims=0),
            ]
        ),
        rows(),
        "is not the most probable class",
    ),
    "a mean over the batch": (
        "batching",
        two_classes(
            [
                *FILLED,
                node("MatMul", "filled weights", "own"),
                node("ReduceMean", "own first", "middle"),
                node("Sub", "own middle", "score"),
                *TWO_CLASSES,
            ]
        ),
        rows(),
        "asked one row at a time,",
    ),
    "dice": (
        "repeatable",
        two_classes(
            [
                *FILLED,
                node("MatMul", "filled weights", "own"),
                node("RandomUniformLike", "own", "dice"),
                node("Add", "own dice", "score"),
                *TWO_CLASSES,
            ]
        ),
        rows(),
        "asked the same twice,",
    ),
    "NaN where a number is missing": (
        "missing_values",
        _nan_in("b"),
        rows(),
        "'b' missing: the answer is NaN in 300 of 300 rows",
    ),
    "a category that leads out of a table": (
        "unknown_categories",
        of_text(99),
        rows(numbers=(), texts=("colour",)),
        "'colour' never seen: it fails: ",
    ),
    "an exponential": (
        "extreme_input",
        number(
            [
                *FILLED,
                *SCORE,
                node("Exp", "score", "grown"),
                node("Squeeze", "grown second", "label"),
            ]
        ),
        rows(),
        "the answer is infinite in 40 of 40 rows",
    ),
    "a long text": (
        "extreme_input",
        scored(
            lambda f: np.array([bytearray(999)[len(text)] + 0.5 for text in f["colour"]]),
            numbers=(),
            texts=("colour",),
        ),
        rows(numbers=(), texts=("colour",)),
        "'colour' = a text of 10 000 letters: it fails: bytearray index out of range",
    ),
    "no rows": (
        "empty_input",
        scored(lambda f: np.full(len(f["a"]), 0.5 + 0 * f["a"].argmax())),
        rows(),
        "asked for no rows, it fails: attempt to get argmax of an empty sequence",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_named(fault: str) -> None:
    word, model, features, said = FAULTS[fault]
    found = checked(model, features)
    assert word in failing(found)
    assert said in str(found)
    alone = check(word)(model, features)
    assert not alone.ok
    assert said in str(alone)


def test_every_check_has_a_planted_fault() -> None:
    assert {word for word, *_ in FAULTS.values()} == {*CHECKS}


@pytest.mark.parametrize("word", CHECKS)
def test_a_check_that_is_skipped_is_not_told(word: str) -> None:
    model, features = HEALTHY["two classes"]
    found = checked(model, features, skip=[word])
    assert f"behaviour.{word}" not in {m.name for m in found.measures}


def test_a_model_that_answers_nothing_is_told_once() -> None:
    def fails(_: object) -> Answer:
        raise RuntimeError("no\n  such luck")

    found = checked(Plain(signature_of(), fails), rows())
    assert str(found) == "asked for 300 rows, it fails: no such luck"
    assert failing(found) == {"shape"}
    assert {m.verdict for m in found.measures} == {Verdict.FAIL, Verdict.SKIP}


@pytest.mark.parametrize("odd", [None, [1], {"late": 1}])
def test_a_label_that_is_none_at_all_is_a_shape(odd: object) -> None:
    def answers(features: Any) -> Answer:
        label = np.empty(len(features["a"]), object)
        label[:] = [odd] * len(label)
        return Answer(label, np.full((len(label), 2), 0.5, np.float32))

    found = checked(Plain(signature_of(classes=("late", "on time")), answers), rows(5))
    assert failing(found) == {"shape"}


def test_a_store_in_the_way_is_no_behaviour() -> None:
    def fails(_: object) -> Answer:
        raise StoreError("the disk is gone")

    with pytest.raises(StoreError, match="the disk is gone"):
        checked(Plain(signature_of(), fails), rows())


def test_the_column_and_the_rows_are_named() -> None:
    found = check("missing_values")(_nan_in("b"), rows(3))
    first, *_ = found.findings("dataset flights", [40, 41, 42])
    assert first.what == "'b' missing: the answer is NaN in 3 of 3 rows (rows 40, 41, 42)"
    assert first.where == "dataset flights, column b"


def test_rows_that_are_answered_badly_as_they_stand_are_not_told_again() -> None:
    features = rows(10)
    features["a"][3] = -5.0
    model = scored(lambda f: np.where(f["a"] == -5.0, np.nan, 0.5))
    assert failing(checked(model, features)) == {"finite"}
    assert value(checked(model, features), "finite") == 1


def test_a_wide_model_is_asked_fewer_rows_a_column() -> None:
    names = tuple(f"c{i}" for i in range(600))
    model = scored(lambda f: np.full(len(f["c0"]), 0.5), numbers=names)
    (measure,) = check("missing_values")(model, rows(200, numbers=names)).measures
    assert measure.n == 601 * 49
    assert measure.verdict is Verdict.PASS


def test_only_the_first_faults_are_told_and_the_rest_is_counted() -> None:
    names = tuple(f"c{i}" for i in range(30))
    model = scored(lambda f: np.stack([*f.values()]).sum(axis=0) * 0 + 0.5, numbers=names)
    found = check("missing_values")(model, rows(5, numbers=names))
    assert len(found.faults) == 21
    assert found.faults[-1].what == "missing_values: 11 more like these"
    assert value(found, "missing_values") == 31 * 5


def test_the_ends_of_float32_are_told_and_decide_nothing() -> None:
    found = check("extreme_input")(two_classes(), rows())
    decided, ends = found.measures
    assert (decided.verdict, decided.value) == (Verdict.PASS, 0)
    assert (ends.name, ends.limit, ends.verdict) == ("behaviour.float32_ends", None, Verdict.SKIP)
    # the weights are 1 and -2: infinity less infinity
    assert ends.value == 2 * 40
    assert "this decides nothing" in str(found)


def test_to_fail_at_the_ends_of_float32_decides() -> None:
    def whole(features: Any) -> Any:
        return np.array([0.5 + 0 * int(x) for x in np.nan_to_num(features["a"], posinf=np.inf)])

    found = check("extreme_input")(scored(whole), rows())
    assert failing(found) == {"extreme_input"}
    assert "'a' = inf: it fails: cannot convert float infinity to integer" in str(found)


def test_probabilities_of_many_classes_may_sum_to_one_as_float32_does() -> None:
    classes = tuple(range(5000))
    table = np.random.default_rng(1).dirichlet(np.ones(5000), 20).astype(np.float32)
    off = Plain(
        signature_of(classes=classes), lambda f: most_probable(table[: len(f["a"])], classes)
    )
    assert check("probabilities")(off, rows(20)).ok
    far = Plain(
        signature_of(classes=classes),
        lambda f: most_probable(table[: len(f["a"])] * np.float32(1.002), classes),
    )
    assert not check("probabilities")(far, rows(20)).ok


@given(st.integers(0, 200), st.integers(1, 50))
def test_spread_out_rows_are_there_in_order_and_once(count: int, wanted: int) -> None:
    chosen = spread_out(count, wanted).tolist()
    assert chosen == sorted({*chosen})
    assert len(chosen) == min(count, wanted)
    assert all(0 <= place < count for place in chosen)


TABLES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20)
STEPS = st.lists(st.sampled_from([0.0, 1e-6, -1e-6, 1e-4, -0.3, 0.3]), min_size=20, max_size=20)


@given(TABLES, STEPS)
def test_two_answers_are_apart_exactly_when_they_have_no_parity(
    values: list[float], steps: list[float]
) -> None:
    first = np.array(values)
    second = np.clip(first + steps[: len(first)], 0, 1)
    one, other = (most_probable(np.column_stack([1 - p, p]), (0, 1)) for p in (first, second))
    assert parity(one, other).ok == (not apart(one, other).any())
    one, other = Answer(first.astype(np.float32)), Answer(second.astype(np.float32))
    assert parity(one, other).ok == (not apart(one, other).any())


@settings(max_examples=25)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=4), st.integers(0, 5))
def test_a_clipped_linear_model_behaves_whatever_its_weights(
    weights: list[float], seed: int
) -> None:
    names = tuple(f"c{i}" for i in range(len(weights)))

    def score(features: Any) -> Any:
        given_ = [np.nan_to_num(features[name], nan=0.0).clip(-5, 5) for name in names]
        return 1 / (1 + np.exp(-sum(w * x for w, x in zip(weights, given_, strict=True))))

    found = checked(scored(score, numbers=names), rows(40, seed, numbers=names))
    assert found.ok, str(found)


def test_the_checks_load_no_heavy_library() -> None:
    code = (
        "import sys, numpy, seatrial.evaluation.behaviour as b\n"
        "assert 'numpy.linalg' in sys.modules\n"
        "[b.check(word) for word in b.CHECKS]\n"
        "print(*{'sklearn', 'lightgbm', 'scipy', 'duckdb', 'onnx', 'sqlalchemy'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
