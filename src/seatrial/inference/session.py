"""A model that answers: an ONNX graph opened in onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state

from seatrial.errors import FormError, Mistake
from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.columns import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.inference.signature import Signature

__all__ = ["Answer", "Model"]

CHUNK_ROWS = 16_384
"""Rows scored at once; bounds the memory that a large table takes inside onnxruntime."""

Optimisation = Literal["none", "basic", "extended", "all"]

_ERRORS_ONLY = 3
_LEVELS = {
    "none": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
_ONNX_TYPES = {"FP32": "tensor(float)", "BYTES": "tensor(string)"}


# Its exceptions have no common parent but Exception; these are what a model may be at fault for.
_CANNOT_OPEN = (
    onnxruntime_pybind11_state.Fail,
    onnxruntime_pybind11_state.InvalidArgument,
    onnxruntime_pybind11_state.InvalidGraph,
    onnxruntime_pybind11_state.InvalidProtobuf,
    onnxruntime_pybind11_state.NoModel,
    onnxruntime_pybind11_state.NotImplemented,
    onnxruntime_pybind11_state.RuntimeException,
    UnicodeDecodeError,  # words of the file that are no text
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a session is opened; the defaults are how every model is served.

    One thread only: answers must not depend on the number of cores, and the server has its own
    workers. ``exact_int8`` keeps products of bytes from overflowing on processors with AVX2 but
    without VNNI (``session.x64quantprecision``); it changes nothing elsewhere.
    """

    threads: int = 1
    optimisation: Optimisation = "all"
    exact_int8: bool = True


SERVED = Settings()


@dataclass(frozen=True, slots=True)
class Model:
    """An opened model; may be shared by threads."""

    signature: Signature
    session: onnxruntime.InferenceSession

    @classmethod
    def load(cls, model_bytes: bytes, signature: Signature, settings: Settings = SERVED) -> Model:
        """Open an ONNX model; a FormError when it is none or does not keep its signature."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = settings.threads
        options.graph_optimization_level = _LEVELS[settings.optimisation]
        options.add_session_config_entry(
            "session.x64quantprecision", "1" if settings.exact_int8 else "0"
        )
        options.log_severity_level = _ERRORS_ONLY
        try:
            # without its fallback, which opens a damaged file twice and prints about it
            session = onnxruntime.InferenceSession(
                model_bytes, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except _CANNOT_OPEN as error:
            reason = " ".join(str(error).split())[:200]
            raise FormError(Mistake(f"onnxruntime cannot open the model:\n{reason}")) from error
        _demand_signature(session, signature)
        return cls(signature, session)

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        """Answer for columns ``[n]``; FormError names what is missing or ill-typed."""
        read = columns(features, self.signature)
        rows = len(next(iter(read.values()))) if read else 0
        return in_chunks(
            rows,
            lambda some: self._chunk({name: column[some] for name, column in read.items()}),
            self.signature,
        )

    def answered(self, fed: Mapping[str, np.ndarray]) -> Answer:
        """Run the session on what its graph is fed, at least one row; nothing is checked."""
        if self.signature.problem == "numbers":
            return Answer(self.session.run(["label"], fed)[0])
        label, probabilities = self.session.run(["label", "probabilities"], fed)
        return Answer(label, probabilities)

    def _chunk(self, read: dict[str, np.ndarray]) -> Answer:
        return self.answered({name: column.reshape(-1, 1) for name, column in read.items()})


def _demand_signature(session: onnxruntime.InferenceSession, signature: Signature) -> None:
    wanted = {each.name: _ONNX_TYPES[each.datatype] for each in signature.inputs}
    found = {each.name: each.type for each in session.get_inputs()}
    mistakes = [
        Mistake(f"the model's input {name!r} is {found.get(name)}, not {wanted.get(name)}")
        for name in sorted({*wanted, *found})
        if wanted.get(name) != found.get(name)
    ]
    outputs = {each.name for each in session.get_outputs()}
    needed = ["label", "probabilities"] if signature.problem == "classes" else ["label"]
    absent = [name for name in needed if name not in outputs]
    mistakes += [Mistake(f"the model has no output {name!r}") for name in absent]
    if mistakes:
        raise FormError(*mistakes)


def in_chunks(rows: int, chunk: Callable[[slice], Answer], signature: Signature) -> Answer:
    """The answer to all rows, from the answers to at most ``CHUNK_ROWS`` of them at once."""
    parts = [chunk(slice(start, start + CHUNK_ROWS)) for start in range(0, rows, CHUNK_ROWS)]
    if not parts:
        return no_rows(signature)
    if len(parts) == 1:
        return parts[0]
    tables = [part.probabilities for part in parts if part.probabilities is not None]
    return Answer(
        np.concatenate([part.label for part in parts]),
        np.concatenate(tables) if tables else None,
    )


def no_rows(signature: Signature) -> Answer:
    """The answer to no rows at all."""
    if signature.problem == "numbers":
        return Answer(np.empty(0, dtype=np.float32))
    labels = class_labels(signature.classes)
    return Answer(labels[:0], np.empty((0, len(labels)), dtype=np.float32))
