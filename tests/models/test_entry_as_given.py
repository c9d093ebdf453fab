"""A finished file is asked as it came, where there is one way to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from seatrial.errors import FormError
from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.models import Training
from seatrial.models._entry.as_given import answer_as_given
from seatrial.models._entry.finished import kept_file
from seatrial.models._ready_onnx import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = {
    name: np.random.default_rng(place).normal(size=60).astype(np.float32)
    for place, name in enumerate(("a", "b"))
}
MATRIX = np.column_stack([*ROWS.values()])
WORDS = np.array(["no", "yes"], object)[(MATRIX[:, 0] > 0).astype(int)]


def exported(model: Any, labels: NDArray[Any], **options: object) -> bytes:
    content: bytes = to_onnx(
        model.fit(MATRIX, labels), MATRIX[:1], target_opset=15, **options
    ).SerializeToString()
    return content


@pytest.mark.parametrize(
    ("content", "signature"),
    [
        (exported(LinearRegression(), MATRIX[:, 0] * 3), Signature.of(ROWS, "numbers")),
        (
            exported(LogisticRegression(), WORDS, options={"zipmap": False}),
            Signature.of(ROWS, "classes", ("no", "yes")),
        ),
        (exported(LogisticRegression(), WORDS), Signature.of(ROWS, "classes", ("no", "yes"))),
        (
            exported(LogisticRegression(), (WORDS == "yes").astype(int)),
            Signature.of(ROWS, "classes", (0, 1)),
        ),
    ],
    ids=["numbers", "words", "dictionaries of words", "dictionaries of whole numbers"],
)
def test_what_it_says_is_what_our_form_of_it_says(content: bytes, signature: Signature) -> None:
    answer = answer_as_given(content, ROWS, signature)
    assert answer is not None
    ours = Model.load(normalised(content, signature, "model.onnx"), signature)
    proof = parity(answer, ours.predict(ROWS))
    assert (proof.ok, proof.rows) == (True, 60)


def sigmoid(kind: int) -> bytes:
    """One probability, of the greater class, from the column ``a``."""
    shape: list[str | int | None] = ["n", 1]
    nodes = [
        helper.make_node("Cast", ["a"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Sigmoid", ["wide"], ["p"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name in ROWS],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def test_a_file_that_fails_on_an_unknown_category_is_refused() -> None:
    words = {"c": np.array(["", "x", "y"] * 20, object)}
    target = np.arange(60) % 2
    model = make_pipeline(OneHotEncoder(), LogisticRegression())
    model.fit(words["c"].reshape(-1, 1), target)
    inputs = [("c", StringTensorType([None, 1]))]
    content = convert_sklearn(model, initial_types=inputs, target_opset=15).SerializeToString()
    training = Training(words, target, "classes", (0, 1), {}, 1)
    with pytest.raises(FormError, match="missing or unknown values") as raised:
        kept_file(content, training, "model.onnx", "model.onnx")
    assert raised.value.mistakes[0].where == "model.onnx"


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.DOUBLE])
def test_what_can_be_read_in_two_ways_is_held_against_nothing(kind: int) -> None:
    signature = Signature.of(ROWS, "classes", (0, 1))
    assert answer_as_given(sigmoid(kind), ROWS, signature) is None
    training = Training(ROWS, (WORDS == "yes").astype(int), "classes", (0, 1), {}, 1)
    kept = kept_file(sigmoid(kind), training, "model.onnx", "model.onnx")
    assert kept.witness is None
    assert kept.onnx is not None


def weighed(shape: list[str | int], *, fills: bool = True) -> bytes:
    """Two classes by the column ``a``, from one matrix of this shape; missing may count as 0."""
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "zero" if fills else "x", "x"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["score"]),
        helper.make_node("Softmax", ["score"], ["p"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("weights", TensorProto.FLOAT, [2, 2], [0.0, 1.0, 0.0, 0.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("rows", ["n", 1, 60])
def test_a_fixed_number_of_rows_is_set_free_and_then_nothing_is_held_against_it(
    rows: str | int,
) -> None:
    training = Training(ROWS, (WORDS == "yes").astype(int), "classes", (0, 1), {}, 1)
    kept = kept_file(weighed([rows, 2]), training, "model.onnx", "model.onnx")
    assert (kept.witness is None) == (rows != "n")
    answer = kept.predict(ROWS)
    assert answer.label.tolist() == (ROWS["a"] > 0).astype(int).tolist()


@pytest.mark.parametrize("fills", [True, False])
def test_a_file_that_answers_missing_numbers_by_none_is_held_to_others(*, fills: bool) -> None:
    """To be told, and no difference between two forms of one file."""
    training = Training(ROWS, (WORDS == "yes").astype(int), "classes", (0, 1), {}, 1)
    kept = kept_file(weighed(["n", 2], fills=fills), training, "model.onnx", "model.onnx")
    assert [each.where for each in kept.findings] == ([] if fills else ["model.onnx"])
    assert kept.witness is not None
    assert parity(kept.witness.answer, kept.predict(kept.witness.rows)).ok


def test_a_file_that_answers_rows_of_the_data_by_no_number_is_refused() -> None:
    rows = {**ROWS, "b": np.where(np.arange(60) < 6, np.nan, ROWS["b"]).astype(np.float32)}
    training = Training(rows, (WORDS == "yes").astype(int), "classes", (0, 1), {}, 1)
    with pytest.raises(FormError, match=r"no number .* to 6 of 60 rows of the data"):
        kept_file(weighed(["n", 2], fills=False), training, "model.onnx", "model.onnx")
