"""The Open Inference Protocol V2 over REST, with raw tensors: requests read, answers written.

The protocol: github.com/kserve/open-inference-protocol; raw tensors are Triton's "binary tensor
data extension". A request names each column, as ``[n]`` or ``[n, 1]``; a version that reads
numbers only also takes them all as one input ``features``, ``[n, k]``, or ``[k]`` for one row.
Numbers of any datatype are cast to float32. null, NaN and "" are missing values. No rows are
answered by no rows.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from seatrial.errors import nearest
from seatrial.inference.v2_about import config, metadata
from seatrial.inference.v2_inputs import features
from seatrial.inference.v2_tensor import DATATYPES, Raw, shown, wrong

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.inference.served import Served
    from seatrial.inference.v2_form import Form
    from seatrial.inference.v2_inputs import Features

__all__ = ["Asked", "config", "decode", "encode", "metadata"]

LONGEST_ID = 256
"""Characters of a request's id: it is kept with every record."""

_NUMPY = orjson.OPT_SERIALIZE_NUMPY
# Up to a NaN that stands in no string, or to the end. It never goes back, so it is linear.
_BETWEEN_NANS = re.compile(rb'((?:[^"N]++|"(?:[^"\\]++|\\.?)*+"?|N(?!aN))*+)(?:NaN|\Z)', re.DOTALL)
_U32 = struct.Struct("<I")
_COMPARED = 200


@dataclass(slots=True)
class Asked:
    """A request, read. Not frozen: it is made once a request, and freezing costs.

    ``id`` is "" when the client gave none. ``features`` are float32 ``[rows, k]``, C-contiguous,
    when the version reads numbers only; else its columns ``[rows]`` by name, in signature order.
    ``outputs`` are the names wanted, each with whether it is wanted raw.
    """

    id: str
    features: Features
    rows: int
    outputs: tuple[tuple[str, bool], ...]


def decode(body: bytes, header_length: int | None, served: Served) -> Asked:
    """Read a request; RequestError 400 with a sentence for whatever is wrong with it.

    ``header_length`` is the length of the JSON when raw tensors follow it, else None.
    """
    document = _document(body, header_length)
    raw = Raw(body, len(body) if header_length is None else header_length)
    read = features(document.get("inputs"), served.form, raw)
    if raw.at != len(body):
        raise wrong(f"{len(body) - raw.at} bytes are left over after the last raw tensor")
    rows = len(next(iter(read.values()))) if isinstance(read, dict) else len(read)
    return Asked(_identity(document.get("id")), read, rows, _outputs(document, served.form))


def encode(asked: Asked, served: Served, identity: str, answer: Answer) -> tuple[bytes, int | None]:
    """Write an answer: the body, and the length of its JSON when raw tensors follow.

    NaN and infinities are null in JSON. Floats are written with the digits that float32 needs.
    """
    form = served.form
    parts = [form.head, orjson.dumps(identity)]
    tail: list[bytes] = []
    between = b',"outputs":['
    for name, is_raw in asked.outputs:
        output = form.outputs[name]
        table = answer.label if name == "label" else answer.probabilities
        assert table is not None  # the form of a version of numbers has no probabilities
        parts += (between, output.before_rows, b"%d" % asked.rows, output.after_rows)
        between = b","
        if is_raw:
            content = _raw(table, output.datatype)
            tail.append(content)
            parts.append(b'"parameters":{"binary_data_size":%d}}' % len(content))
        elif output.datatype == "BYTES":
            parts += (b'"data":', orjson.dumps(table.tolist()), b"}")
        else:
            parts += (b'"data":', orjson.dumps(table.ravel(), option=_NUMPY), b"}")
    parts.append(b"]}")
    json = b"".join(parts)
    return (json + b"".join(tail), len(json)) if tail else (json, None)


def _document(body: bytes, header_length: int | None) -> dict[str, Any]:
    if header_length is not None and not 0 <= header_length <= len(body):
        told = f"says {header_length}, the body has {len(body)} bytes"
        raise wrong(f"the header Inference-Header-Content-Length {told}")
    text = body if header_length is None else body[:header_length]
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        document = _with_nan(text, str(error))
    if not isinstance(document, dict):
        raise wrong(f"the body must be a JSON object, got {shown(document)}")
    return document


def _with_nan(text: bytes, reason: str) -> Any:
    """Read JSON in which NaN stands, as Python's own writer and Triton's client put it."""
    try:
        return orjson.loads(b"null".join(_BETWEEN_NANS.findall(text)[:-1]))
    except orjson.JSONDecodeError:
        raise wrong(f"the body is not JSON: {reason}") from None


def _identity(identity: object) -> str:
    if identity is None:
        return ""
    if not isinstance(identity, str):
        raise wrong(f"the id must be a string, got {shown(identity)}")
    if len(identity) > LONGEST_ID:
        raise wrong(f"the id has {len(identity)} characters, at most {LONGEST_ID} are kept")
    return identity


def _outputs(document: dict[str, Any], form: Form) -> tuple[tuple[str, bool], ...]:
    """The outputs that the request names, or all; each with whether it is wanted raw."""
    named, parameters = document.get("outputs"), document.get("parameters")
    if named is None and parameters is None:
        return form.in_json
    all_raw = _flag(parameters, "binary_data_output", "the request", default=False)
    if named is None or named == []:
        return tuple((name, all_raw) for name in form.outputs)
    if not isinstance(named, list):
        raise wrong(f"`outputs` must be a list, got {shown(named)}")
    wanted: dict[str, bool] = {}
    for at, output in enumerate(named):
        name = _output_name(output, at, form)
        if name in wanted:
            raise wrong(f"the output {name!r} is asked for twice")
        parameters = output.get("parameters")
        wanted[name] = _flag(parameters, "binary_data", f"the output {name!r}", default=all_raw)
        for word in ("classification", "shared_memory_region"):
            if parameters is not None and word in parameters:
                raise wrong(f"the output {name!r} asks for {word}, which is not offered here")
    return tuple(wanted.items())


def _output_name(output: object, at: int, form: Form) -> str:
    if not isinstance(output, dict):
        raise wrong(f"outputs[{at}] must be an object, got {shown(output)}")
    name = output.get("name")
    if not isinstance(name, str):
        raise wrong(f"outputs[{at}] needs a name, a string, got {shown(name)}")
    if name not in form.outputs:
        close = nearest(name[:_COMPARED], form.outputs)
        hint = f"nearest: {close}" if close else f"it answers {', '.join(form.outputs)}"
        raise wrong(f"the model has no output {shown(name)} ({hint})")
    return name


def _flag(parameters: object, name: str, whose: str, *, default: bool) -> bool:
    if parameters is None:
        return default
    if not isinstance(parameters, dict):
        raise wrong(f"the parameters of {whose} must be an object, got {shown(parameters)}")
    flag = parameters.get(name, default)
    if not isinstance(flag, bool):
        raise wrong(f"{name} of {whose} must be true or false, got {shown(flag)}")
    return flag


def _raw(table: NDArray[Any], datatype: str) -> bytes:
    if datatype != "BYTES":
        return table.astype(DATATYPES[datatype], copy=False).tobytes()
    words = [word.encode() for word in table.tolist()]
    return b"".join(part for word in words for part in (_U32.pack(len(word)), word))
