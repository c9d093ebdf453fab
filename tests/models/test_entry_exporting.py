"""Estimators as people write them: asked in the form they want, exported exactly, or the reason."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pytest
from onnx import TensorProto, helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.models import Witness
from seatrial.models._entry.asking import Way, asked, shaped, way_to_ask, way_to_fit
from seatrial.models._entry.exporting import Exported, exported
from seatrial.models._probe import probe

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 600
SIZES = ["size", "weight", "age"]


def columns(*, text: bool) -> dict[str, NDArray[Any]]:
    """Numbers of very different sizes, one of them with few values; and a category."""
    random = np.random.default_rng(3)
    found: dict[str, NDArray[Any]] = {
        "size": random.normal(size=ROWS).astype(np.float32),
        "weight": random.normal(loc=5e4, scale=700, size=ROWS).astype(np.float32),
        "age": random.integers(0, 9, ROWS).astype(np.float32),
    }
    if text:
        found["colour"] = random.choice(np.array(["red", "green", "blue", ""], object), ROWS)
    return found


def target(features: dict[str, NDArray[Any]], problem: str) -> NDArray[Any]:
    noise = np.random.default_rng(4).normal(scale=0.3, size=ROWS)
    score = features["size"] + (features["age"] > 4) + noise
    if "colour" in features:
        score = score + (features["colour"] == "red")
    if problem == "numbers":
        return np.asarray(1000.0 * score)
    if problem == "two":
        return np.asarray((score > 0.5).astype(np.int64))
    return np.array(["high", "low", "middle"], object)[np.digitize(score, [0.0, 1.0])]


def by_name(last: Any, *, scaled: bool = True) -> Any:
    """A pipeline over columns by their names, text among them."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler()) if scaled else "passthrough"
    words: Any = (
        OneHotEncoder(handle_unknown="ignore")
        if scaled
        else OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    )
    return make_pipeline(
        ColumnTransformer([("numbers", numbers, SIZES), ("words", words, ["colour"])]), last
    )


def prepared(problem: str, model: Any, *, text: bool) -> tuple[Any, Signature, Way, Witness]:
    """The model, fitted as an entry point's is, with its answers to the hardest rows it takes."""
    features = columns(text=text)
    labels = target(features, problem)
    classes = () if problem == "numbers" else tuple(sorted(set(labels.tolist())))
    signature = Signature.of(features, "numbers" if problem == "numbers" else "classes", classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(shaped(features, way_to_fit(signature)), labels)
    way = way_to_ask(model, signature, "the model", "fits.py:1")
    for missing in (True, False):
        rows = probe(features, 7, missing=missing)
        try:
            return model, signature, way, Witness(rows, asked(model, rows, way, signature), "it")
        except ValueError:
            assert missing
    raise AssertionError("not reached")


def export(model: Any, signature: Signature, way: Way, witness: Witness) -> Exported:
    return exported(model, way, signature, witness, Path("/nowhere"), "fits.py:1")


@pytest.mark.parametrize(
    ("problem", "model"),
    [
        ("two", by_name(LogisticRegression())),
        ("three", by_name(LogisticRegression())),
        ("numbers", by_name(Ridge())),
        ("two", by_name(HistGradientBoostingClassifier(max_iter=15), scaled=False)),
        ("three", by_name(HistGradientBoostingClassifier(max_iter=15), scaled=False)),
        ("numbers", by_name(HistGradientBoostingRegressor(max_iter=15), scaled=False)),
        # behind a scaler, what float32 rounds decides which way a tree goes
        ("two", by_name(HistGradientBoostingClassifier(max_iter=15, random_state=1))),
        ("numbers", by_name(RandomForestRegressor(10, random_state=1))),
        ("three", by_name(RandomForestClassifier(10, random_state=1), scaled=False)),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value[-1]).__name__,
)
def test_a_pipeline_over_columns_by_name_is_exported_exactly(problem: str, model: Any) -> None:
    made = prepared(problem, model, text=True)
    assert made[2].features == "pandas"
    found = export(*made)
    assert found.reason == ""
    assert found.content is not None
    _, signature, _, witness = made
    assert parity(witness.answer, Model.load(found.content, signature).predict(witness.rows)).ok
    assert found.content == export(*made).content


@pytest.mark.parametrize(
    ("problem", "model"),
    [
        ("two", LogisticRegression(max_iter=500)),
        ("numbers", LinearRegression()),
        ("three", make_pipeline(StandardScaler(), MLPClassifier(max_iter=60, random_state=1))),
        ("two", make_pipeline(StandardScaler(), KNeighborsClassifier())),
        ("two", HistGradientBoostingClassifier(max_iter=15)),
        ("numbers", HistGradientBoostingRegressor(max_iter=15, loss="quantile", quantile=0.8)),
        ("three", ExtraTreesClassifier(10, random_state=1)),
        ("two", CalibratedClassifierCV(LogisticRegression(max_iter=500), cv=3)),
        ("numbers", GradientBoostingRegressor(n_estimators=10)),
        ("numbers", DecisionTreeRegressor(max_depth=5)),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_estimator_over_numbers_alone_is_exported_exactly(problem: str, model: Any) -> None:
    found = export(*prepared(problem, model, text=False))
    assert (found.reason, found.exact) == ("", True)


def test_a_forest_that_learned_from_missing_values_keeps_where_they_go() -> None:
    features = columns(text=False)
    for place, values in enumerate(features.values()):
        values[place::7] = np.nan
    labels = target(columns(text=False), "two")
    signature = Signature.of(features, "classes", (0, 1))
    model = RandomForestClassifier(20, random_state=1)
    model.fit(shaped(features, way_to_fit(signature)), labels)
    way = way_to_ask(model, signature, "the model", "")
    rows = probe(features, 1)
    found = export(model, signature, way, Witness(rows, asked(model, rows, way, signature), ""))
    assert found.exact


def test_columns_may_be_called_anything() -> None:
    plain = columns(text=True)
    names = {"size": "a b", "weight": "a_b", "age": "größe/m", "colour": "3 farben"}
    features = {names[name]: values for name, values in plain.items()}
    signature = Signature.of(features, "classes", (0, 1))
    numbers = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(), StandardScaler()), ["größe/m", "a_b", "a b"]),
            ("w", OneHotEncoder(handle_unknown="ignore"), ["3 farben"]),
        ]
    )
    model = make_pipeline(numbers, HistGradientBoostingClassifier(max_iter=5))
    model.fit(shaped(features, way_to_fit(signature)), target(plain, "two"))
    way = way_to_ask(model, signature, "", "")
    rows = probe(features, 1)
    assert export(
        model, signature, way, Witness(rows, asked(model, rows, way, signature), "")
    ).exact


def test_columns_that_a_pipeline_drops_stay_inputs_that_nothing_reads() -> None:
    features = columns(text=True)
    model = make_pipeline(
        ColumnTransformer([("numbers", StandardScaler(), ["age"])]), LogisticRegression()
    )
    made = prepared("two", model, text=True)
    found = export(*made)
    assert found.content is not None
    opened = Model.load(found.content, Signature.of(features, "classes", (0, 1)))
    assert {each.name for each in opened.session.get_inputs()} == set(features)


def test_an_estimator_fitted_without_names_is_asked_with_a_matrix() -> None:
    features = columns(text=False)
    signature = Signature.of(features, "numbers")
    model = LinearRegression().fit(
        np.column_stack([*features.values()]), target(features, "numbers")
    )
    assert way_to_ask(model, signature, "", "").features == "matrix"


def test_an_estimator_fitted_on_columns_in_another_order_is_asked_in_that_order() -> None:
    pandas = pytest.importorskip("pandas")
    features = columns(text=False)
    signature = Signature.of(features, "numbers")
    turned = dict(reversed(features.items()))
    model = LinearRegression().fit(pandas.DataFrame(turned), target(features, "numbers"))
    way = way_to_ask(model, signature, "", "")
    assert way.columns == tuple(turned)
    rows = probe(features, 1, missing=False)
    found = export(model, signature, way, Witness(rows, asked(model, rows, way, signature), ""))
    assert found.exact


def test_what_has_no_converter_says_so() -> None:
    model = TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1)
    features = columns(text=False)
    signature = Signature.of(features, "numbers")
    model.fit(shaped(features, way_to_fit(signature)), np.abs(target(features, "numbers")))
    way = way_to_ask(model, signature, "", "")
    rows = probe(features, 1, missing=False)
    witness = Witness(rows, asked(model, rows, way, signature), "")
    found = export(model, signature, way, witness)
    assert found.content is None
    assert "TransformedTargetRegressor" in found.reason


def test_a_booster_without_its_converter_says_what_to_install() -> None:
    if importlib.util.find_spec("onnxmltools"):
        pytest.skip("its converter is installed")
    model = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1)
    found = export(*prepared("numbers", model, text=False))
    assert found.content is None
    assert "install onnxmltools, or export it yourself and say `artifact:" in found.reason


class HasOnnx:
    """Answers a mean, and says in ONNX whatever it was told to say."""

    def __init__(self, content: object) -> None:
        self.content = content

    def predict(self, features: dict[str, NDArray[Any]]) -> NDArray[Any]:
        return np.asarray(np.nan_to_num(features["size"]) * 2)

    def to_onnx(self) -> object:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def doubled(factor: float) -> bytes:
    """``size`` (0 where it is missing) times a factor."""
    nodes = [
        helper.make_node("IsNaN", ["size"], ["no"]),
        helper.make_node("Where", ["no", "zero", "size"], ["filled"]),
        helper.make_node("Mul", ["filled", "factor"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 1]) for n in SIZES],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 1])],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("factor", TensorProto.FLOAT, [], [factor]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def own(content: object) -> Exported:
    features = columns(text=False)
    signature = Signature.of(features, "numbers")
    model = HasOnnx(content)
    way = way_to_ask(model, signature, "", "")
    assert way.features == "columns"
    rows = probe(features, 1)
    witness = Witness(rows, asked(model, rows, way, signature), "")
    return export(model, signature, way, witness)


def test_an_objects_own_onnx_form_is_taken_and_held_against_it() -> None:
    assert own(doubled(2.0)).exact
    wrong = own(doubled(3.0))
    assert wrong.content is not None
    assert wrong.reason.startswith("its ONNX form answers ")


def test_an_onnx_form_that_is_none_is_refused_with_the_reason() -> None:
    assert "its ONNX form is refused" in own(b"not at all").reason
    assert "returns str instead of the bytes" in own("model").reason
