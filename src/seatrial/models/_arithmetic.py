"""Does a graph multiply in 8 bits, and in a way that depends on the batch or on the processor?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAIR_LIMIT = 128
"""An unsigned byte (255) times two signed ones, added: beyond this sum that is more than 16 bits
hold. Weights of 7 bits (``reduce_range``) never are."""

FILE = "model.onnx"

# Which inputs are weights, by the operator that multiplies them in 8 bits.
_PRODUCTS = {
    "QLinearMatMul": (3,),
    "QLinearConv": (3,),
    "MatMulInteger": (1,),
    "ConvInteger": (1,),
    "QGemm": (3,),
    "QAttention": (1,),
    "MatMulIntegerToFloat": (1,),
    "DynamicQuantizeMatMul": (1,),
    "DynamicQuantizeLSTM": (1, 2),
}
# Products of float32 that onnxruntime takes for products of bytes when both sides come from some.
_FLOAT_PRODUCTS = {"MatMul", "Gemm", "Conv", "ConvTranspose"}
_DYNAMIC = {"DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"}
_SAME_VALUES = {"Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze"}
_SCALE = 1
_SIGNED, _UNSIGNED = TensorProto.INT8, TensorProto.UINT8


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """``int8``: with scales from the file ("static"), or taken over each batch ("dynamic").

    ``saturates``: it multiplies unsigned by signed bytes whose sums leave 16 bits on processors
    with AVX2 but without VNNI. ``findings`` tell what follows from both.
    """

    int8: Literal["none", "static", "dynamic"]
    saturates: bool
    findings: tuple[Finding, ...]


def arithmetic(model_bytes: bytes) -> Arithmetic:
    """Look at every operator of an ONNX model, those in subgraphs and functions too.

    Measured with onnxruntime 1.32 on an emulated Haswell: unsigned activations times signed
    weights go wrong, in MatMulInteger, QLinearMatMul and between QuantizeLinear and
    DequantizeLinear alike. Between the latter signed activations do too, for onnxruntime makes
    them unsigned. Signed by signed MatMulInteger and unsigned weights are exact.
    """
    places = [*_places(onnx.load_from_string(model_bytes))]
    dynamic = [_said(each.node) for each in places if each.scaled_by_batch]
    products = [each for each in places if [*each.weights]]
    overflow = [_said(each.node) for each in products if each.overflows]
    findings = []
    if dynamic:
        findings.append(
            Finding(
                what="a row's answer depends on the rows that it is asked with:"
                f" {_listed(dynamic)} {_verb(dynamic, 'takes its', 'take their')} scale from the"
                " whole batch",
                where=FILE,
                hint="quantise it statically: the scales then lie in the file",
            )
        )
    if overflow:
        findings.append(
            Finding(
                what="products of bytes overflow on processors with AVX2 but without VNNI:"
                f" {_listed(overflow)} {_verb(overflow, 'multiplies', 'multiply')} unsigned by"
                " signed bytes of the whole range",
                where=FILE,
                hint="quantise it with reduce_range=True, or open it elsewhere as it is opened"
                ' here: with the session option session.x64quantprecision "1"',
            )
        )
    return Arithmetic(
        int8="dynamic" if dynamic else "static" if products else "none",
        saturates=bool(overflow),
        findings=tuple(findings),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """An operator, and what it can see: tensors by name, and which operator makes a value."""

    node: Any
    tensors: Mapping[str, Any]
    makers: Mapping[str, Any]

    @property
    def scaled_by_batch(self) -> bool:
        """Whether it takes the scale of its bytes from the rows it is given."""
        if self.node.op_type in _DYNAMIC:
            return True
        scale = self._input(_SCALE)
        given = self.node.op_type == "QuantizeLinear" and bool(scale)
        return given and self._tensor(scale) is None

    @property
    def weights(self) -> Iterator[str]:
        """The names of what it multiplies with, in 8 bits."""
        if self.node.op_type in _PRODUCTS:
            yield from filter(None, map(self._input, _PRODUCTS[self.node.op_type]))
        elif self.node.op_type in _FLOAT_PRODUCTS:
            first, second = (self._maker(self._input(place)) for place in (0, 1))
            quantised = {"DequantizeLinear"} == {getattr(m, "op_type", "") for m in (first, second)}
            # a tensor of the file on the left would be weights alone: computed in float32
            if quantised and self._tensor(first.input[0]) is None:
                yield second.input[0]

    @property
    def overflows(self) -> bool:
        """Whether two of its products may leave 16 bits; yes where that cannot be seen."""
        if self.node.op_type not in _FLOAT_PRODUCTS and self._activations() == _SIGNED:
            return False
        return any(self._beyond(name) for name in self.weights)

    def _activations(self) -> int:
        """The type of what is multiplied with the weights; unsigned where it is not known."""
        maker = self._maker(self._input(0))
        if maker is None or maker.op_type != "QuantizeLinear":
            return int(_UNSIGNED)
        zero = self._tensor(maker.input[2]) if len(maker.input) > 2 else None  # noqa: PLR2004
        told = [a.i for a in maker.attribute if a.name == "output_dtype" and a.i]
        return int(zero.data_type if zero is not None else [*told, _UNSIGNED][0])

    def _beyond(self, name: str) -> bool:
        tensor = self._tensor(name)
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL:
            return True
        if tensor.data_type != _SIGNED:
            return False
        values = numpy_helper.to_array(tensor).astype(np.int16)
        if self.node.op_type in {"MatMul", "MatMulInteger", "QLinearMatMul"} and values.ndim > 1:
            # [..., k, n]: neighbours in k are added first; where tensors are turned, k is unknown
            turned = name not in self.tensors
            axes = (-1, -2) if turned else (-2,)
            pairs = (np.abs(_neighbours(values, axis)).max(initial=0) for axis in axes)
            return bool(max(pairs) > PAIR_LIMIT)
        ordered = np.sort(values.reshape(-1))
        return bool(max(ordered[-2:].sum(), -ordered[:2].sum()) > PAIR_LIMIT)

    def _input(self, place: int) -> str:
        return self.node.input[place] if place < len(self.node.input) else ""

    def _maker(self, name: str) -> Any:
        maker = self.makers.get(name)
        while maker is not None and maker.op_type in _SAME_VALUES:
            name = maker.input[0]
            maker = self.makers.get(name)
        return maker

    def _tensor(self, name: str) -> Any:
        """The tensor of the file that a value is, perhaps turned or reshaped."""
        while name not in self.tensors:
            maker = self.makers.get(name)
            if maker is None or maker.op_type not in _SAME_VALUES:
                return None
            name = maker.input[0]
        return self.tensors[name]


def _places(model: Any) -> Iterator[_Place]:
    yield from _inside(model.graph.node, _tensors(model.graph), {})
    for function in model.functions:
        yield from _inside(function.node, {}, {})


def _inside(
    nodes: Sequence[Any], tensors: Mapping[str, Any], makers: Mapping[str, Any]
) -> Iterator[_Place]:
    """Every operator, and those of the graphs within; these see what lies outside them."""
    constants = {
        node.output[0]: attribute.t
        for node in nodes
        for attribute in node.attribute
        if node.op_type == "Constant" and attribute.name == "value"
    }
    tensors = {**tensors, **constants}
    makers = {**makers, **{name: node for node in nodes for name in node.output}}
    for node in nodes:
        yield _Place(node, tensors, makers)
        for attribute in node.attribute:
            graphs = [*([attribute.g] if attribute.type == AttributeProto.GRAPH else [])]
            for inner in (*graphs, *attribute.graphs):
                yield from _inside(inner.node, {**tensors, **_tensors(inner)}, makers)


def _tensors(graph: Any) -> dict[str, Any]:
    return {each.name: each for each in graph.initializer}


def _neighbours(values: np.ndarray, axis: int) -> np.ndarray:
    """The sums of values that lie beside each other along an axis."""
    along = np.moveaxis(values, axis, 0)
    return np.asarray(along[:-1] + along[1:] if len(along) > 1 else along)


def _said(node: Any) -> str:
    return f"{node.op_type} {node.name!r}" if node.name else str(node.op_type)


def _listed(said: Sequence[str]) -> str:
    more = f" and {len(said) - 1} more" if len(said) > 1 else ""
    return f"{said[0]}{more}"


def _verb(subjects: Sequence[str], one: str, several: str) -> str:
    return one if len(subjects) == 1 else several
