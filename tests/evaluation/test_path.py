"""A request comes back with what the model itself answers, or what went wrong is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planted
from seatrial.errors import RequestError
from seatrial.evaluation.behaviour.asking import apart
from seatrial.evaluation.path import Walked, asked, walked
from seatrial.evaluation.requests import forms, parsed, request
from seatrial.inference import golden
from seatrial.inference.served import Served
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.models import Training, get
from seatrial.models._matrix import with_matrix_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.evaluation.requests import Form
    from seatrial.inference.answer import Answer

    Columns = Mapping[str, NDArray[Any]]

ROWS = 300


def opened(model: bytes, signature: Signature, features: Columns, **files: bytes) -> Served:
    """As a gateway opens it, from blobs in memory."""
    proven = golden.make(Model.load(model, signature), features, seed=1)
    kept = {"model.onnx": model, "golden.json": proven}
    kept |= {name.replace("_", "."): content for name, content in files.items()}
    document = {"files": {name: name for name in kept}, "signature": signature.to_json()}
    blobs = {**kept, "manifest": json.dumps(document).encode()}
    return Served.open("m", 1, "manifest", blobs.__getitem__)


def trained(features: Columns, target: NDArray[Any], problem: str, classes: Any) -> Served:
    """A real model of these columns."""
    training = Training(dict(features), target, problem, classes, {"n_estimators": 10}, 1)
    fitted = get("gradient_boosted").fit(training)
    exported = fitted.to_onnx()
    joined = with_matrix_input(exported, fitted.signature)
    files = {} if joined is None else {"matrix_onnx": joined}
    return opened(exported, fitted.signature, features, **files)


def numbers(*names: str) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(4)
    columns = {name: random.normal(size=ROWS).astype(np.float32) for name in names}
    columns[names[0]][::7] = np.nan
    return columns


def words() -> NDArray[Any]:
    kinds = np.array(["UA", "Ärø", 'a "quoted" one', ""], dtype=object)
    return np.random.default_rng(5).choice(kinds, ROWS)


@pytest.fixture(scope="module")
def cases() -> dict[str, tuple[Served, Columns]]:
    """A version of each kind, and rows for it."""
    two = numbers("a", "dep delay", "c")
    mixed = {**numbers("delay"), "carrier": words()}
    late = np.where(mixed["carrier"] == "UA", "late", "on time").astype(object)
    many = np.digitize(two["dep delay"], [-0.5, 0.5]).astype(int)
    return {
        "two classes": (trained(two, (two["c"] > 0).astype(int), "classes", (0, 1)), two),
        "many classes": (trained(two, many, "classes", (0, 1, 2)), two),
        "words": (trained(mixed, late, "classes", ("late", "on time")), mixed),
        "numbers": (trained(two, np.nan_to_num(two["c"] * 3).astype(float), "numbers", ()), two),
    }


KINDS = ["two classes", "many classes", "words", "numbers"]


def walk(served: Served, features: Columns, model: Any = None) -> Walked:
    return walked(model or served.columns, served, features, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_comes_back_as_the_model_answers_it(
    cases: dict[str, tuple[Served, Columns]], kind: str
) -> None:
    served, features = cases[kind]
    found = walk(served, features)
    assert (found.rows, found.differing, found.differences) == (ROWS, 0, ())


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_carries_labels_and_probabilities_exactly(
    cases: dict[str, tuple[Served, Columns]], kind: str
) -> None:
    served, features = cases[kind]
    expected = served.columns.predict(features)
    for form in forms(served):
        got = asked(served, features, form)
        assert got.label.dtype == expected.label.dtype
        assert not apart(expected, got).any()
    assert (len(forms(served)) == 3) == (kind != "words")


FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=20))
def test_no_number_is_lost_on_the_way(rows: list[tuple[float, float]]) -> None:
    """Also denormal numbers, the largest, infinities and NaN, in every form."""
    table = np.array(rows, dtype=np.float32)
    features = {"a": table[:, 0], "b": np.zeros(len(rows), np.float32)}
    served = ADDING
    expected = served.columns.predict(features).label
    for form in forms(served):
        got = asked(served, features, form).label
        # JSON has one word for all that is no number
        finite = np.isfinite(expected)
        assert np.array_equal(got[finite], expected[finite])
        assert not np.isfinite(got[~finite]).any()


ADDING = opened(
    planted.adding(),
    planted.NUMBERS,
    {name: np.ones(3, np.float32) for name in ("a", "b")},
)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=10))
def test_no_word_is_changed_on_the_way(texts: list[str]) -> None:
    usable = [text.encode("utf-8", "ignore").decode() for text in texts]
    words = np.array([text.replace("\0", "") for text in usable], dtype=object)
    got: list[str] = []
    for form in ("columns", "binary"):
        got += asked(ECHO, {"word": words}, form).label.tolist()
    assert got == [*words.tolist(), *words.tolist()]


WORD = Signature((Input("word", "BYTES"),), "classes", ("", "x"))
ECHO = opened(
    planted.graph(
        [
            planted.node("Reshape", "word flat", "label"),
            planted.node("Shape", "label", "count"),
            planted.node("Concat", "count two", "shape", axis=0),
            planted.node("ConstantOfShape", "shape", "probabilities"),
        ],
        WORD,
        {"flat": np.array([-1], np.int64), "two": np.array([2], np.int64)},
    ),
    WORD,
    {"word": np.array(["x"], dtype=object)},
)
"""Answers the word itself."""


def swapped(served: Served) -> Served:
    """The same version, whose form takes one column for the other."""
    places = dict(served.form.columns)
    names = list(places)
    first, second = names[1], names[2]
    places[first], places[second] = places[second], places[first]
    return replace(served, form=replace(served.form, columns=places))


def test_a_form_that_maps_columns_wrongly_is_found(
    cases: dict[str, tuple[Served, Columns]],
) -> None:
    served, features = cases["numbers"]
    found = walk(swapped(served), features)
    assert found.differing > ROWS / 2
    # the matrix has its columns in the order of the signature: there nothing is swapped
    by_form = {each.form for each in found.differences}
    assert by_form == {"columns", "binary"}
    kinds = {each.how for each in found.differences}
    assert {"alone", "in a batch"} <= kinds
    assert "is answered" in found.differences[0].what
    assert "instead of" in found.differences[0].what


def test_a_matrix_that_is_fed_in_another_order_is_found(
    cases: dict[str, tuple[Served, Columns]],
) -> None:
    served, features = cases["two classes"]
    turned = {name: features[name] for name in reversed([*features])}
    other = trained(turned, (features["c"] > 0).astype(int), "classes", (0, 1))
    found = walk(replace(served, matrix=other.matrix), features)
    assert found.differing > 0
    assert {each.form for each in found.differences} == {"columns", "matrix", "binary"}


def test_a_request_that_is_refused_is_told_with_its_sentence(
    cases: dict[str, tuple[Served, Columns]],
) -> None:
    served, features = cases["words"]
    fewer = {name: place for name, place in served.form.columns.items() if name != "delay"}
    found = walk(replace(served, form=replace(served.form, columns=fewer)), features)
    assert found.differing == ROWS
    assert any("is refused: the model has no input 'delay'" in d.what for d in found.differences)


class Broken:
    """Serves nothing."""

    def answered(self, _: object) -> Answer:
        raise ZeroDivisionError("no sessions left")


def test_a_failure_behind_the_gateway_is_told(cases: dict[str, tuple[Served, Columns]]) -> None:
    served, features = cases["words"]
    broken = replace(served, columns=cast("Model", Broken()))
    found = walk(broken, features, served.columns)
    assert found.differing == ROWS
    assert {each.what for each in found.differences} == {
        "fails: ZeroDivisionError: no sessions left"
    }


def test_rows_that_the_model_itself_cannot_answer_are_told() -> None:
    one = {name: np.ones(1, np.float32) for name in ("a", "b")}
    single = opened(planted.adding(rows=1), planted.NUMBERS, one)
    found = walk(single, {name: np.ones(5, np.float32) for name in ("a", "b")})
    assert found.differing == 5
    (difference, *_) = found.differences
    assert (difference.how, difference.rows) == ("in a batch", 5)
    assert "has no answer to compare with" in difference.what


def test_a_wrong_number_of_answers_is_told() -> None:
    both = planted.graph(
        [
            planted.node("Concat", "a b", "both", axis=0),
            planted.node("Reshape", "both flat", "label"),
        ],
        planted.NUMBERS,
        {"flat": np.array([-1], np.int64)},
    )
    features = {name: np.ones(4, np.float32) for name in ("a", "b")}
    double = replace(ADDING, columns=Model.load(both, planted.NUMBERS))
    found = walk(double, features, ADDING.columns)
    assert found.differing == 4
    assert any("size 8 into shape (4,)" in each.what for each in found.differences)


def test_no_rows_walk_no_way(cases: dict[str, tuple[Served, Columns]]) -> None:
    served, features = cases["words"]
    none = {name: column[:0] for name, column in features.items()}
    assert walk(served, none) == Walked(0, 0, ())


def test_what_a_client_must_not_send_is_refused_as_the_gateway_does() -> None:
    with pytest.raises(RequestError, match="has no input"):
        asked(replace(ADDING, form=replace(ADDING.form, columns={"x": (0, "FP32")})), FEW)


FEW = {name: np.ones(2, np.float32) for name in ("a", "b")}


@pytest.mark.parametrize("form", ["columns", "matrix", "binary"])
def test_a_missing_number_is_null_in_json(form: Form) -> None:
    sent = request(planted.NUMBERS, {"a": np.array([np.nan]), "b": np.array([2.0])}, form)
    assert (b"null" in sent.body) == (form != "binary")
    got = parsed(b'{"outputs":[{"name":"label","datatype":"FP32","shape":[1],"data":[null]}]}')
    assert np.isnan(got.label).all()
