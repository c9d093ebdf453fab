"""Small models that behave, and ones with a planted fault: as ONNX graphs, and as plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Features = Mapping[str, NDArray[Any]]

FLOAT, STRING, INT64 = TensorProto.FLOAT, TensorProto.STRING, TensorProto.INT64
COLOURS = ("blue", "green", "red")


def node(kind: str, given: str, made: str, **how: Any) -> Any:
    """One operation: names apart by spaces."""
    domain = how.pop("domain", "")
    return helper.make_node(kind, given.split(), made.split(), domain=domain, **how)


def constant(name: str, values: Any, kind: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.asarray(values, kind), name)


FILLED = [node("IsNaN", "x", "absent"), node("Where", "absent zero x", "filled")]
"""``filled`` is the matrix ``x`` with 0 where a value is missing."""

SCORE = [node("MatMul", "filled weights", "score")]

TWO_CLASSES = [
    node("Sigmoid", "score", "p"),
    node("Sub", "one p", "q"),
    node("Concat", "q p", "probabilities", axis=1),
    node("ArgMax", "probabilities", "label", axis=1, keepdims=0),
]

NUMBER = [node("Squeeze", "score second", "label")]


def graph(
    nodes: Sequence[Any],
    *,
    numbers: Sequence[str] = ("a", "b"),
    texts: Sequence[str] = (),
    outputs: Mapping[str, int] | None = None,
    constants: Mapping[str, Any] | None = None,
) -> bytes:
    """A model of columns; ``x`` is the matrix of the numbers, ``text`` that of the texts.

    Known constants: ``zero``, ``one``, ``first`` and ``second`` (the axes 0 and 1), and
    ``weights`` (1, -2, 3 …).
    """
    known = {
        "zero": constant("zero", 0.0),
        "one": constant("one", 1.0),
        "first": constant("first", [0], np.int64),
        "second": constant("second", [1], np.int64),
        "weights": constant(
            "weights", [[(-1) ** i * (i + 1.0)] for i in range(len(numbers))] or [[0.0]]
        ),
        **{name: constant(name, value) for name, value in (constants or {}).items()},
    }
    joined = [node("Concat", " ".join(numbers), "x", axis=1)] if numbers else []
    used = {name for each in nodes for name in each.input}
    made = helper.make_graph(
        [*joined, *nodes],
        "model",
        [
            *(helper.make_tensor_value_info(name, FLOAT, [None, 1]) for name in numbers),
            *(helper.make_tensor_value_info(name, STRING, [None, 1]) for name in texts),
        ],
        [
            helper.make_tensor_value_info(name, kind, None)
            for name, kind in (outputs or {"label": INT64, "probabilities": FLOAT}).items()
        ],
        [value for name, value in known.items() if name in used],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    content = helper.make_model(made, opset_imports=opsets, ir_version=9)
    return bytes(content.SerializeToString())


def signature_of(
    *,
    numbers: Sequence[str] = ("a", "b"),
    texts: Sequence[str] = (),
    classes: tuple[int | str, ...] = (0, 1),
) -> Signature:
    inputs = [Input(name, "FP32") for name in numbers] + [Input(name, "BYTES") for name in texts]
    return Signature(tuple(inputs), "classes" if classes else "numbers", classes)


def two_classes(nodes: Sequence[Any] = (*FILLED, *SCORE, *TWO_CLASSES), **how: Any) -> Model:
    """A model of the classes 0 and 1, of the numbers a and b."""
    columns = {key: how[key] for key in ("numbers", "texts") if key in how}
    return Model.load(graph(nodes, **how), signature_of(**columns))


def number(nodes: Sequence[Any] = (*FILLED, *SCORE, *NUMBER), **how: Any) -> Model:
    """A model of numbers, of the numbers a and b."""
    columns = {key: how[key] for key in ("numbers", "texts") if key in how}
    made = graph(nodes, outputs={"label": FLOAT}, **how)
    return Model.load(made, signature_of(**columns, classes=()))


def of_text(default: int) -> Model:
    """A model of one text; an unknown one takes the place ``default`` in a table of four."""
    nodes = [
        node(
            "LabelEncoder",
            "colour",
            "place",
            domain="ai.onnx.ml",
            keys_strings=["", *COLOURS],
            values_int64s=[0, 1, 2, 3],
            default_int64=default,
        ),
        node("Gather", "table place", "score", axis=0),
        *TWO_CLASSES,
    ]
    table = {"table": [0.0, -1.0, 0.5, 2.0]}
    return two_classes(nodes, numbers=(), texts=("colour",), constants=table)


@dataclass(frozen=True, slots=True)
class Plain:
    """A model in Python: anything with a signature and ``predict``."""

    signature: Signature
    answers: Callable[[Features], Answer]

    def predict(self, features: Features) -> Answer:
        return self.answers(features)


def scored(
    score: Callable[[Features], NDArray[Any]],
    *,
    numbers: Sequence[str] = ("a", "b"),
    texts: Sequence[str] = (),
    classes: tuple[int | str, ...] = (0, 1),
) -> Plain:
    """Two classes by the probability of the second, or numbers, as a function says."""

    def answers(features: Features) -> Answer:
        values = np.asarray(score(features), np.float64)
        if not classes:
            return Answer(values.astype(np.float32))
        return most_probable(np.column_stack([1 - values, values]), classes)

    return Plain(signature_of(numbers=numbers, texts=texts, classes=classes), answers)


def rows(
    count: int = 300,
    seed: int = 1,
    *,
    numbers: Sequence[str] = ("a", "b"),
    texts: Sequence[str] = (),
) -> dict[str, NDArray[Any]]:
    """Standard normal numbers, and one of three colours."""
    random = np.random.default_rng(seed)
    made: dict[str, NDArray[Any]] = {
        name: random.normal(size=count).astype(np.float32) for name in numbers
    }
    for name in texts:
        made[name] = random.choice(np.array(COLOURS, object), count)
    return made
