"""An opened model, its golden rows, and what it says to wrong columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.errors import FormError, StoreError
from seatrial.inference import golden, session
from seatrial.inference.columns import columns
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.models import Training, get

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 300


def table() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    delay = rng.normal(size=ROWS).astype(np.float32)
    delay[::10] = np.nan
    carrier = rng.choice(np.array(["UA", "DL", "Ärø", ""], dtype=object), ROWS)
    return {"dep delay": delay, "carrier": carrier}


@pytest.fixture(scope="module")
def model() -> Model:
    features = table()
    target = np.where(np.nan_to_num(features["dep delay"]) > 0, "late", "on time").astype(object)
    training = Training(features, target, "classes", ("late", "on time"), {"num_leaves": 4}, 1)
    fitted = get("gradient_boosted").fit(training)
    return Model.load(fitted.to_onnx(), fitted.signature)


def test_labels_are_the_classes_and_probabilities_add_up(model: Model) -> None:
    answer = model.predict(table())
    assert set(answer.label) == {"late", "on time"}
    assert answer.probabilities is not None
    assert answer.probabilities.shape == (ROWS, 2)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, atol=1e-6)


def test_any_number_type_and_any_missing_string_will_do(model: Model) -> None:
    whole = {"dep delay": np.array([1, 2]), "carrier": np.array(["UA", ""], dtype=object)}
    other = {
        "dep delay": np.array([1.0, 2.0]),
        "carrier": np.array(["UA", None], dtype=object),
        "extra": np.zeros(2),
    }
    np.testing.assert_array_equal(
        model.predict(whole).probabilities, model.predict(other).probabilities
    )
    fixed_width = {**whole, "carrier": np.array(["UA", ""])}
    np.testing.assert_array_equal(model.predict(whole).label, model.predict(fixed_width).label)


def test_a_large_table_is_scored_in_chunks(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model.predict(table())
    monkeypatch.setattr(session, "CHUNK_ROWS", 7)
    parts = model.predict(table())
    np.testing.assert_array_equal(whole.label, parts.label)
    np.testing.assert_allclose(
        np.asarray(whole.probabilities), np.asarray(parts.probabilities), atol=1e-6
    )


def test_no_rows_give_an_empty_answer(model: Model) -> None:
    answer = model.predict({name: column[:0] for name, column in table().items()})
    assert answer.label.shape == (0,)
    assert answer.probabilities is not None
    assert answer.probabilities.shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dep delay": None}, "'dep delay' is missing"),
        ({"dep delay": np.array(["x", "y"])}, "'dep delay' must hold numbers, got 'x'"),
        ({"carrier": np.array([1.0, 2.0])}, "'carrier' must hold strings, got 1.0"),
        ({"carrier": np.array(["UA", 7], dtype=object)}, "got 7 in row 1"),
        ({"carrier": np.array(["UA"])}, "differ in length"),
        ({"dep delay": np.zeros((2, 1))}, "shape [2, 1]"),
    ],
)
def test_a_wrong_column_is_named(
    model: Model, change: Mapping[str, np.ndarray | None], said: str
) -> None:
    features = {"dep delay": np.zeros(2), "carrier": np.array(["UA", "DL"]), **change}
    given = {name: column for name, column in features.items() if column is not None}
    with pytest.raises(FormError) as caught:
        model.predict(given)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_misspelt_column_is_answered_with_the_nearest() -> None:
    signature = Signature((Input("carrier", "BYTES"), Input("delay", "FP32")), "numbers")
    with pytest.raises(FormError) as caught:
        columns({"carier": np.array(["UA"])}, signature)
    assert len(caught.value.mistakes) == 2
    assert caught.value.mistakes[0].nearest == "carier"


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(FormError, match="cannot open the model"):
        Model.load(b"no model", Signature((Input("a", "FP32"),), "numbers"))


def test_words_of_a_model_that_are_no_text_are_refused_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    damaged = fresh_bytes().replace(b"TreeEnsemble", b"Tree\xf0nsemble")
    with pytest.raises(FormError, match="cannot open the model") as caught:
        Model.load(damaged, Signature((Input("a", "FP32"),), "numbers"))
    assert len(str(caught.value).splitlines()) <= 6
    assert capfd.readouterr().out == ""


def test_a_model_must_keep_its_signature(model: Model) -> None:
    onnx_bytes = fresh_bytes()
    wrong = Signature((Input("dep delay", "BYTES"),), "classes", ("late", "on time"))
    with pytest.raises(FormError) as caught:
        Model.load(onnx_bytes, wrong)
    assert "'dep delay' is tensor(float), not tensor(string)" in str(caught.value)
    assert "'carrier' is tensor(string), not None" in str(caught.value)
    assert model.signature != wrong


def fresh_bytes() -> bytes:
    features = table()
    target = (np.nan_to_num(features["dep delay"]) > 0).astype(np.int64)
    training = Training(features, target, "classes", (0, 1), {"num_iterations": 1}, 1)
    return get("gradient_boosted").fit(training).to_onnx()


def test_golden_rows_prove_the_model(model: Model) -> None:
    written = golden.make(model, table(), seed=7)
    assert written == golden.make(model, table(), seed=7)
    assert written != golden.make(model, table(), seed=8)
    document = json.loads(written)
    assert len(document["label"]) == golden.ROWS
    assert None in document["inputs"]["dep delay"]
    found = golden.verify(model, written)
    assert found.ok
    assert found.rows == golden.ROWS
    assert found.largest_difference < 1e-6


def test_golden_rows_catch_another_answer(model: Model) -> None:
    document = json.loads(golden.make(model, table(), seed=7))
    document["probabilities"][3] = [0.5, 0.5]
    assert golden.verify(model, json.dumps(document).encode()).outside == 1


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b'{"inputs":{"dep delay":1}}', b"\xff"])
def test_damaged_golden_rows_are_in_the_way(model: Model, damaged: bytes) -> None:
    with pytest.raises(StoreError, match="golden rows"):
        golden.verify(model, damaged)


def test_infinite_values_survive_the_golden_file() -> None:
    features = {"x": np.array([1.0, np.inf, -np.inf, np.nan] * 30, dtype=np.float32)}
    training = Training(features, np.arange(120.0), "numbers", (), {"num_leaves": 3}, 1)
    fitted = get("gradient_boosted").fit(training)
    opened = Model.load(fitted.to_onnx(), fitted.signature)
    written = golden.make(opened, features, seed=1)
    assert b"NaN" not in written
    assert golden.verify(opened, written).ok


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"inputs": 3, "problem": "classes", "classes": []},
        {"inputs": [{"name": "a", "datatype": "FP64"}], "problem": "classes", "classes": [0]},
        {"inputs": [], "problem": "ranking", "classes": []},
    ],
)
def test_what_is_no_signature_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(FormError):
        Signature.from_json(document)
