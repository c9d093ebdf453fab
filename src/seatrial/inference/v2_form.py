"""What requests to a version may name, and how its answers begin: made when it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from seatrial.inference.matrix import FEATURES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.inference.signature import Signature


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """An output: its JSON up to the number of rows, and from there up to its values."""

    datatype: str
    before_rows: bytes
    after_rows: bytes
    row_shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What a version's requests and answers look like.

    ``columns`` gives each column's place and datatype, in signature order; ``strings`` says
    whether some hold strings. ``takes_matrix``: all may come as one input ``features``, which
    they may not when that is a column's own name. ``head`` ends where the request's id follows;
    ``in_json`` asks for every output in JSON.
    """

    columns: Mapping[str, tuple[int, str]]
    strings: bool
    takes_matrix: bool
    head: bytes
    outputs: Mapping[str, Output]
    in_json: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, model: str, version: int, signature: Signature) -> Form:
        """The form of a version.

        >>> from seatrial.inference.signature import Input, Signature
        >>> Form.of("m", 3, Signature((Input("a", "FP32"),), "numbers")).head
        b'{"model_name":"m","model_version":"3","id":'
        """
        inputs = signature.inputs
        strings = any(each.datatype == "BYTES" for each in inputs)
        start = {"model_name": model, "model_version": str(version)}
        outputs = {"label": _output("label", label_datatype(signature), ())}
        if signature.problem == "classes":
            width = (len(signature.classes),)
            outputs["probabilities"] = _output("probabilities", "FP32", width)
        return cls(
            columns={each.name: (at, each.datatype) for at, each in enumerate(inputs)},
            strings=strings,
            takes_matrix=not strings and all(each.name != FEATURES for each in inputs),
            head=orjson.dumps(start)[:-1] + b',"id":',
            outputs=outputs,
            in_json=tuple((name, False) for name in outputs),
        )


def label_datatype(signature: Signature) -> str:
    """The datatype of the output ``label``: INT64 or BYTES for classes, FP32 for numbers."""
    if signature.problem == "numbers":
        return "FP32"
    words = any(isinstance(label, str) for label in signature.classes)
    return "BYTES" if words else "INT64"


def _output(name: str, datatype: str, row_shape: tuple[int, ...]) -> Output:
    before = f'{{"name":"{name}","datatype":"{datatype}","shape":['
    after = "".join(f",{size}" for size in row_shape) + "],"
    return Output(datatype, before.encode(), after.encode(), row_shape)
