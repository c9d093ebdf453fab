"""What a file answers to rows that any request may bring."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from seatrial.inference.session import Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.errors import FormError
    from seatrial.models._ready_onnx.around import Around

ROWS = 64
TOGETHER = 5
"""Rows that are answered alone and among others."""

ALIKE = 1e-3
"""Far above what the order of sums changes, and far below what another row's values do."""

UNSEEN = "\N{REPLACEMENT CHARACTER} never seen"

_SILENT = 4
# What a file may be at fault for; they have no common parent but Exception.
_AT_FAULT = (
    raised.Fail,
    raised.InvalidArgument,
    raised.InvalidGraph,
    raised.InvalidProtobuf,
    raised.NoModel,
    raised.NotImplemented,
    raised.RuntimeException,
    UnicodeDecodeError,  # words of the file that are no text
)
_IR = re.compile(r"model IR version: (\d+), max supported IR version: (\d+)")
_OPSET = re.compile(
    r"Opset (\d+) is under development.*domain (\S+) is till opset (\d+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Tried:
    """The rows that a file was fed, columns ``[n, 1]``, and its own outputs by name.

    ``zipped`` are the classes of the columns of an output, where the file tells them.
    """

    fed: Mapping[str, NDArray[Any]]
    said: Mapping[str, NDArray[Any]]
    zipped: Mapping[str, tuple[int | str, ...]]

    @property
    def rows(self) -> int:
        """How many it was fed."""
        return len(next(iter(self.fed.values())))


def tried(around: Around) -> Tried:
    """Run the file, its inputs being ours, on missing values, zeros, and drawn ones.

    FormError when it cannot be opened, or fails on missing values or zeros. Drawn values may make
    no sense to it: when it fails on them, only the two other rows are looked at.
    """
    zipped = _unzip(around)
    session = _opened(around)
    fed = rows(around)
    names = [each.name for each in session.get_outputs()]
    try:
        said = session.run(names, fed)
    except _AT_FAULT:
        _demand_runs(around, session, fed)
        fed = {name: column[:2] for name, column in fed.items()}
        said = session.run(names, fed)
    return Tried(fed, dict(zip(names, map(np.asarray, said), strict=True)), zipped)


def prove(made: bytes, around: Around, tried: Tried) -> None:
    """Demand that a row is answered alike, alone and among others; FormError when it is not."""
    model = Model.load(made, around.signature)
    places = np.arange(TOGETHER) % tried.rows
    fed = {name: column[places, 0] for name, column in tried.fed.items()}
    try:
        together = _shown(model, fed)
        each = [{name: c[at : at + 1] for name, c in fed.items()} for at in range(TOGETHER)]
        alone = np.concatenate([_shown(model, row) for row in each])
    except _AT_FAULT as error:
        raise _fixed(around) from error
    if not np.allclose(together, alone, rtol=ALIKE, atol=ALIKE, equal_nan=True):
        what = "the file answers a row otherwise when it is asked for other rows beside it"
        fix = "export it with a dynamic batch, and for prediction (in PyTorch `model.eval()`)"
        if any(node.op_type.startswith("DynamicQuantize") for node in around.graph.node):
            fix = "its bytes take their scale from all rows together: quantise it statically"
        raise around.wrong(what, fix)


def rows(around: Around) -> dict[str, NDArray[Any]]:
    """Columns ``[n, 1]``: a row of missing values, one of zeros, and drawn ones."""
    random = np.random.default_rng(0)
    fed: dict[str, NDArray[Any]] = {}
    for each in around.signature.inputs:
        if each.datatype == "BYTES":
            column: NDArray[Any] = np.where(random.random(ROWS) < 0.5, "", UNSEEN).astype(object)  # noqa: PLR2004
            column[:2] = ""
        elif each.name in around.whole:
            column = random.integers(0, 2, ROWS).astype(np.float32)
            column[:2] = np.nan, 0
        else:
            column = (random.normal(size=ROWS) * 10 ** random.uniform(-1, 2, ROWS)).astype("f4")
            column[:2] = np.nan, 0
        fed[each.name] = column.reshape(-1, 1)
    return fed


def _unzip(around: Around) -> dict[str, tuple[int | str, ...]]:
    """Answer the matrix from which a ZipMap makes a dictionary for every row.

    Returns the classes of its columns, by the name of the matrix.
    """
    graph = around.graph
    makers = {name: node for node in graph.node for name in node.output}
    zipped: dict[str, tuple[int | str, ...]] = {}
    outputs: dict[str, Any] = {}
    for output in graph.output:
        maker = makers.get(output.name)
        name, kind = output.name, output.type.tensor_type.elem_type
        if maker is not None and maker.op_type == "ZipMap":
            name, kind = maker.input[0], TensorProto.FLOAT
            zipped[name] = classes_of(maker)
        elif output.type.WhichOneof("value") not in {"tensor_type", None}:
            told = str(output.type.WhichOneof("value")).removesuffix("_type")
            what = f"the file's output {name.removeprefix(around.theirs)!r} is a {told}, no tensor"
            raise around.wrong(what, "export tensors (skl2onnx: `options={'zipmap': False}`)")
        outputs[name] = helper.make_tensor_value_info(name, kind, None)
    del graph.output[:]
    graph.output.extend(outputs.values())
    if zipped:
        kept = [node for node in graph.node if node.op_type != "ZipMap"]
        del graph.node[:]
        graph.node.extend(kept)
    return zipped


def classes_of(node: Any) -> tuple[int | str, ...]:
    """The class labels in the attributes of a node of ai.onnx.ml; () when it has none."""
    for each in node.attribute:
        if each.name in {"classlabels_int64s", "classlabels_ints"}:
            return tuple(each.ints)
        if each.name == "classlabels_strings" and each.strings:
            return tuple(label.decode(errors="replace") for label in each.strings)
    return ()


def _opened(around: Around) -> onnxruntime.InferenceSession:
    """The file with our inputs and its own outputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    try:
        return onnxruntime.InferenceSession(
            around.draft(), options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except _AT_FAULT as error:
        raise _cannot_open(around, str(error)) from error


def _cannot_open(around: Around, reason: str) -> FormError:
    here = f"onnxruntime {onnxruntime.__version__}"
    if found := _IR.search(reason):
        theirs, most = found.groups()
        what = f"the file is written in ONNX IR version {theirs}, {here} reads up to {most}"
        fix = f"before you save it, `model.ir_version = {most}`; or install a newer onnxruntime"
        return around.wrong(what, fix)
    if found := _OPSET.search(reason):
        theirs, domain, most = found.groups()
        what = f"the file is written in opset {theirs} of {domain}, {here} reads up to {most}"
        fix = f"export it with opset {most} or lower; or install a newer onnxruntime"
        return around.wrong(what, fix)
    told = " ".join(reason.replace(around.theirs, "").split())[:300]
    return around.wrong(f"{here} cannot open the file:\n{told}", "export it again")


def _demand_runs(around: Around, session: Any, fed: Mapping[str, NDArray[Any]]) -> None:
    """That missing values and zeros are answered, alone and together."""
    for at, called in enumerate(("missing values", "zeros")):
        try:
            session.run(None, {name: column[at : at + 1] for name, column in fed.items()})
        except _AT_FAULT as error:
            if around.fixed_rows not in {None, 1}:
                break
            told = " ".join(str(error).replace(around.theirs, "").split())[:300]
            what = f"the file cannot answer a row of {called}:\n{told}"
            fix = "let it answer any row (scikit-learn: `handle_unknown='ignore'`, an imputer)"
            raise around.wrong(what, fix) from error
    try:
        session.run(None, {name: column[:2] for name, column in fed.items()})
    except _AT_FAULT as error:
        raise _fixed(around) from error


def _fixed(around: Around) -> FormError:
    count = around.fixed_rows or 1
    told = "one row" if count == 1 else f"{count} rows"
    what = f"the file answers {told} at a time, and no other number of them"
    fix = "export it with a dynamic batch (torch.onnx.export: `dynamic_axes`, `dynamic_shapes`)"
    return around.wrong(what, fix)


def _shown(model: Model, features: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    answer = model.predict(features)
    return answer.label if answer.probabilities is None else answer.probabilities
