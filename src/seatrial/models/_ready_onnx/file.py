"""Is this an ONNX file, and all of one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import NodeProto, TensorProto

from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import ModelProto

LARGEST_BYTES = (1 << 31) - 1
"""Protobuf, in which ONNX is written, holds no more."""

OLDEST_OPSET = 7
"""The oldest that onnxruntime promises to know."""

RAISED_TO = 9
"""The nodes that are put around a graph exist from here on. What is written in an older one means
the same in this one, but for ``_CHANGED``."""

_CHANGED = frozenset({"BatchNormalization", "Scan", "Upsample"})

OPSET = 15
"""Of a file whose nodes are all of other domains."""

OLDEST_IR = 8

STANDARD = frozenset({"", "ai.onnx"})
KNOWN_DOMAINS = STANDARD | {"ai.onnx.ml", "com.microsoft"}

_AGAIN = "copy or download it again"
_EXPORT = "export the model to ONNX: docs/guides/own_onnx.md shows how"

# What is handed in instead: its first bytes, what it is, and what to do.
_OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "run `git lfs pull`"),
    (b"\x80\x02", "a pickle", f"nothing is unpickled here; {_EXPORT}"),
    (b"\x80\x03", "a pickle", f"nothing is unpickled here; {_EXPORT}"),
    (b"\x80\x04", "a pickle", f"nothing is unpickled here; {_EXPORT}"),
    (b"\x80\x05", "a pickle", f"nothing is unpickled here; {_EXPORT}"),
    (b"PK\x03\x04", "a zip archive, as PyTorch, Keras and NumPy save", _EXPORT),
    (b"\x89HDF", "an HDF5 file, as Keras saves", _EXPORT),
    (b"\x1f\x8b", "compressed", "unpack it with gunzip"),
    (b"CBM1", "a model in CatBoost's own form", 'save it with `format="onnx"`'),
    (b"tree\n", "a model in LightGBM's own form", _EXPORT),
    (b"{", "JSON, as XGBoost saves", _EXPORT),
)
_OTHERS_FROM_FOURTH = (
    (b"TFL3", "a TensorFlow Lite file", _EXPORT),
    (b"ORTM", "in onnxruntime's own form", "hand in the ONNX file that it was made from"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml")
_PAGE = "a page of HTML or XML", "download the file itself; perhaps it needs a login"


def read(content: bytes, where: str) -> ModelProto:
    """The model, complete in itself and without notes of its exporter.

    FormError when it is none, is cut off, keeps weights in other files (which are never looked
    for), or needs operators that are not onnxruntime's.
    """
    _refuse_others(content, where)
    model = _parsed(content, where)
    _refuse_external(model, where)
    _refuse_foreign(model, where)
    _settle_opsets(model, where)
    _strip(model)
    return model


def parts(message: Message) -> Iterator[Message]:
    """A message and all that lies in it, at any depth: graphs, nodes, tensors, types."""
    yield message
    for _, value in message.ListFields():
        if isinstance(value, Message):
            yield from parts(value)
        elif not isinstance(value, str | bytes | int | float):
            # a field of many: of messages, or of plain values
            for each in value:
                if not isinstance(each, Message):
                    break
                yield from parts(each)


def _refuse_others(content: bytes, where: str) -> None:
    if not content:
        raise FormError(Mistake("the file is empty", where, fix="export the model again"))
    if len(content) > LARGEST_BYTES:
        what = f"the file has {len(content) / (1 << 30):.1f} GB; ONNX holds at most 2 GB in one"
        fix = "export a smaller model, for example with its weights as float16"
        raise FormError(Mistake(what, where, fix=fix))
    if content[:64].lstrip().lower().startswith(_PAGES):
        raise FormError(Mistake(f"this is {_PAGE[0]}, no ONNX file", where, fix=_PAGE[1]))
    for at, known in ((0, _OTHERS), (4, _OTHERS_FROM_FOURTH)):
        for first, what, fix in known:
            if content.startswith(first, at):
                raise FormError(Mistake(f"this is {what}, no ONNX file", where, fix=fix))


def _parsed(content: bytes, where: str) -> ModelProto:
    begins_well = content[:1] == b"\x08"  # the version of the form, with which ONNX begins
    try:
        model = onnx.load_from_string(content)
    except DecodeError as error:
        what = "the ONNX file is cut off or damaged" if begins_well else "this is no ONNX file"
        fix = _AGAIN if begins_well else _EXPORT
        raise FormError(Mistake(what, where, fix=fix)) from error
    if not model.HasField("graph") or not model.graph.node:
        what = "the ONNX file holds no graph" if begins_well else "this is no ONNX file"
        raise FormError(Mistake(what, where, fix=_EXPORT))
    if not all(map(_is_text, parts(model))):
        raise FormError(
            Mistake("the ONNX file is damaged: a name in it is no text", where, fix=_AGAIN)
        )
    if not model.opset_import:
        what = "the ONNX file is cut off: it does not say which opset it is written in"
        raise FormError(Mistake(what, where, fix=_AGAIN))
    return model


def _is_text(message: Message) -> bool:
    """Whether all strings are UTF-8; protobuf hands out bytes where they are not."""
    strings = (v for field, v in message.ListFields() if field.type == field.TYPE_STRING)
    return not any(isinstance(v, bytes) or bytes in {*map(type, v)} for v in strings)


def _refuse_external(model: ModelProto, where: str) -> None:
    """No path in a file is ever followed: it could name any file of this machine."""
    for each in parts(model):
        if isinstance(each, TensorProto) and (
            each.data_location == TensorProto.EXTERNAL or each.external_data
        ):
            what = f"the weights {each.name!r} are in another file, which is not read"
            fix = "save all in one file: `onnx.save_model(…, save_as_external_data=False)`"
            raise FormError(Mistake(what, where, fix=fix))


def _refuse_foreign(model: ModelProto, where: str) -> None:
    own = {(each.domain, each.name) for each in model.functions}
    foreign = {
        (each.op_type, each.domain): None
        for each in parts(model)
        if isinstance(each, NodeProto)
        and each.domain not in KNOWN_DOMAINS
        and (each.domain, each.op_type) not in own
    }
    if foreign:
        listed = ", ".join(f"{operator} of {domain}" for operator, domain in [*foreign][:3])
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""  # noqa: PLR2004
        what = f"the file needs operators that onnxruntime does not have: {listed}{more}"
        fix = "export it with standard operators (of ai.onnx and ai.onnx.ml) only"
        raise FormError(Mistake(what, where, fix=fix))


def _settle_opsets(model: ModelProto, where: str) -> None:
    """One version for each domain, and one of the standard domain that our nodes can live in."""
    opsets: dict[str, int] = {}
    for each in model.opset_import:
        domain = "" if each.domain in STANDARD else each.domain
        opsets[domain] = max(each.version, opsets.get(domain, 0))
    standard = {
        each.op_type
        for each in parts(model)
        if isinstance(each, NodeProto) and each.domain in STANDARD
    }
    found = opsets.get("", OPSET)
    if not standard:
        opsets[""] = max(OPSET, found)
    elif found < OLDEST_OPSET or (found < RAISED_TO and standard & _CHANGED):
        oldest = OLDEST_OPSET if found < OLDEST_OPSET else RAISED_TO
        what = f"the file is written in opset {found}; the oldest that is read is {oldest}"
        fix = f"export it again with opset {OPSET} (often an argument `opset_version`)"
        raise FormError(Mistake(what, where, fix=fix))
    else:
        opsets[""] = max(RAISED_TO, found)
    del model.opset_import[:]
    model.opset_import.extend(
        onnx.helper.make_opsetid(domain, version) for domain, version in opsets.items()
    )
    # Until form 4 every constant had to be an input as well.
    model.ir_version = max(model.ir_version, OLDEST_IR)


def _strip(model: ModelProto) -> None:
    """Drop notes: exporters write paths and lines of code there, so that no two exports agree."""
    for each in parts(model):
        for name in ("doc_string", "metadata_props", "training_info", "quantization_annotation"):
            if name in each.DESCRIPTOR.fields_by_name:
                each.ClearField(name)
