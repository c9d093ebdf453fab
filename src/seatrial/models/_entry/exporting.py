"""The ONNX form of an object that the project brought, as exact as there is one."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx
from onnx import TensorProto, helper

from seatrial.errors import FormError
from seatrial.inference.parity import Parity, parity
from seatrial.inference.session import Model
from seatrial.models._entry import imputing, trees
from seatrial.models._entry.asking import Way, is_estimator
from seatrial.models._entry.boosters import OUTSIDE, know_boosters
from seatrial.models._entry.fault import blamed, sentence
from seatrial.models._ready_onnx import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from seatrial.inference.signature import Signature
    from seatrial.models import Witness

OPSETS = {"": 15, "ai.onnx.ml": 3}
WAYS_OUT = "give the object a method `to_onnx()` that returns bytes, or say `trust: pickle`"

_TYPES = {"FP32": TensorProto.FLOAT, "BYTES": TensorProto.STRING}


@dataclass(frozen=True, slots=True)
class Exported:
    """The ONNX bytes, if any; ``reason`` says why there are none, or why they are not exact."""

    content: bytes | None
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether it answers as the trained object did."""
        return self.content is not None and not self.reason


def exported(
    model: Any, way: Way, signature: Signature, witness: Witness, folder: Path, where: str
) -> Exported:
    """The first form that answers the witness's rows as the object did, else the closest one.

    An object's own ``to_onnx()`` is all that is tried where there is one (Fault when it fails).
    An estimator is converted with its columns or with one matrix as its input, computing in
    float32 and then in float64: which of these skl2onnx can do differs from type to type.
    """
    reasons: list[str] = []
    closest: tuple[int, Exported] | None = None
    for attempt in _attempts(model, way, signature, folder, where):
        try:
            content = normalised(attempt(), signature, where)
            proof = parity(witness.answer, Model.load(content, signature).predict(witness.rows))
        except FormError as error:
            reasons.append(f"its ONNX form is refused: {' '.join(error.mistakes[0].what.split())}")
            continue
        # A converter of any package may raise anything, and so may onnxruntime, whose exceptions
        # have no common parent: then this form does not exist, and the reason is told.
        except Exception as error:  # noqa: BLE001
            reasons.append(sentence(error))
            continue
        if proof.ok:
            return Exported(content)
        if closest is None or proof.outside < closest[0]:
            closest = (proof.outside, Exported(content, _differs(proof)))
    if closest is not None:
        return closest[1]
    return Exported(None, _nothing(model, reasons))


def _nothing(model: object, reasons: Sequence[str]) -> str:
    """Why there is no form: of all attempts the one that came furthest says most."""
    if not reasons:
        return f"{type(model).__name__} is no scikit-learn estimator"
    # that columns are not joined is no reason where joined ones were tried as well
    reason = next((each for each in reasons if "InvalidInputLength" not in each), reasons[0])
    if any(f"'{name}" in reason for name in OUTSIDE):
        reason += "; install onnxmltools, or export it yourself and say `artifact: model.onnx`"
    return reason


def _differs(proof: Parity) -> str:
    return (
        f"its ONNX form answers {proof.outside} of {proof.rows} rows otherwise (largest"
        f" difference {proof.largest_difference:.2g}, {proof.label_flips} labels flipped)"
    )


def _attempts(
    model: Any, way: Way, signature: Signature, folder: Path, where: str
) -> Iterator[Callable[[], bytes]]:
    own = getattr(model, "to_onnx", None)
    if callable(own):
        with blamed(f"`to_onnx` of the {type(model).__name__} fails", folder, where):
            given = own()
        yield lambda: content_of(given)
    elif is_estimator(model):
        numbers = all(each.datatype == "FP32" for each in signature.inputs)
        for width in ("float32", "float64"):
            for matrix in (False, True) if numbers else (False,):
                yield functools.partial(_converted, model, way, signature, width, matrix=matrix)


def content_of(given: object) -> bytes:
    """The bytes of an ONNX model, given as such or as a ``ModelProto``; TypeError otherwise."""
    if isinstance(given, bytes | bytearray | memoryview):
        return bytes(given)
    if isinstance(given, onnx.ModelProto):
        return bytes(given.SerializeToString(deterministic=True))
    raise TypeError(f"`to_onnx` returns {type(given).__name__} instead of the bytes of a model")


def _converted(model: Any, way: Way, signature: Signature, width: str, *, matrix: bool) -> bytes:
    """By skl2onnx, with the model's columns in front, whatever the converted graph reads."""
    from skl2onnx import convert_sklearn  # noqa: PLC0415 - only an estimator needs it
    from skl2onnx.common import data_types as kinds  # noqa: PLC0415

    number = kinds.FloatTensorType if width == "float32" else kinds.DoubleTensorType
    text = {each.name for each in signature.inputs if each.datatype == "BYTES"}
    inputs = [("matrix", number([None, len(way.columns)]))]
    if not matrix:
        inputs = [
            (name, kinds.StringTensorType([None, 1]) if name in text else number([None, 1]))
            for name in way.columns
        ]
    options = {id(model): {"zipmap": False}} if signature.problem == "classes" else None
    know_boosters()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the converter's insides, which nobody here wrote
        converted = convert_sklearn(
            model,
            initial_types=inputs,
            options=options,
            target_opset=OPSETS,
            custom_conversion_functions={**trees.converters(), **imputing.converters()},
        )
    _put_columns_in_front(converted.graph, way, signature, width, matrix=matrix)
    return bytes(converted.SerializeToString(deterministic=True))


def _put_columns_in_front(
    graph: Any, way: Way, signature: Signature, width: str, *, matrix: bool
) -> None:
    """Let the graph take every column of the signature, float32 or text ``[n, 1]``, and no other.

    The converter has renamed its inputs to what programming languages take for a name, but kept
    their order. What it reads is widened and joined as it wants it; what it does not read stays
    an input that nothing reads.
    """
    types = {each.name: _TYPES[each.datatype] for each in signature.inputs}
    inner = [each.name for each in graph.input]
    if matrix:
        # a name that is no column's: the converter made it unique among what it knows only
        joined = f"{'/'.join(way.columns)}/joined"
        front, columns = _widened(way, types, width, joined)
        front.append(helper.make_node("Concat", columns, [joined], axis=1))
        names = {inner[0]: joined}
    else:
        front, columns = _widened(way, types, width, "/".join(way.columns))
        names = dict(zip(inner, columns, strict=True))
    for node in graph.node:
        node.input[:] = [names.get(each, each) for each in node.input]
    nodes = [*front, *graph.node]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.extend(
        helper.make_tensor_value_info(name, kind, ["n", 1]) for name, kind in types.items()
    )


def _widened(
    way: Way, types: Mapping[str, int], width: str, free: str
) -> tuple[list[Any], list[str]]:
    """The nodes that make float64 of the numbers, and the names of the columns behind them."""
    if width == "float32":
        return [], [*way.columns]
    nodes, names = [], []
    for place, name in enumerate(way.columns):
        if types[name] == TensorProto.STRING:
            names.append(name)
            continue
        names.append(f"{free}/{place}")
        nodes.append(helper.make_node("Cast", [name], [names[-1]], to=TensorProto.DOUBLE))
    return nodes, names
