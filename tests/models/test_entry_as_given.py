"""A finished file is asked as it came, where there is one way to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn, to_onnx  # type: ignore[import-untyped,unused-ignore]
from skl2onnx.common.data_types import StringTensorType  # type: ignore[import-untyped,unused-ignore]
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from seatrial.errors import FormError
from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.models import Training
from seatrial.models._entry import artifact
from seatrial.models._entry.as_given import answer_as_given
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
        artifact.kept_file(content, training, "model.onnx", "model.onnx")
    assert raised.value.mistakes[0].where == "model.onnx"


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.DOUBLE])
def test_what_can_be_read_in_two_ways_is_held_against_nothing(kind: int) -> None:
    signature = Signature.of(ROWS, "classes", (0, 1))
    assert answer_as_given(sigmoid(kind), ROWS, signature) is None
    training = Training(ROWS, (WORDS == "yes").astype(int), "classes", (0, 1), {}, 1)
    kept = artifact.kept_file(sigmoid(kind), training, "model.onnx", "model.onnx")
    assert kept.witness is None
    assert kept.onnx is not None
