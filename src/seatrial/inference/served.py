"""A version opened for serving: its files verified, its sessions warm, its answers proven."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, Mistake, StoreError
from seatrial.inference import golden
from seatrial.inference.batches import CANNOT_ANSWER
from seatrial.inference.matrix import FEATURES, Matrix
from seatrial.inference.opening import FORMS, ONNX, open_model
from seatrial.inference.signature import Signature
from seatrial.inference.tolerance import Tolerance
from seatrial.inference.v2_form import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.inference.pickled import Pickled
    from seatrial.inference.session import Model


_TOLD = 3


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """A version that can answer; may be shared by threads.

    ``columns`` is fed one input a column. ``matrix`` is the same graph fed one matrix, for a
    version that reads numbers only and was registered with it (a pickled one never is).
    ``golden_rows`` prove it, within ``tolerance``. ``form`` is what requests to it may name,
    ``no_rows`` the answer to none.
    """

    model: str
    version: int
    digest: str
    signature: Signature
    columns: Model | Pickled
    matrix: Matrix | None
    golden_rows: bytes
    tolerance: Tolerance
    form: Form
    no_rows: Answer

    @classmethod
    def open(cls, model: str, version: int, digest: str, read: Callable[[str], bytes]) -> Served:
        """Open a version by its manifest; ``read`` gives the verified bytes of a digest.

        StoreError when a file is missing or the manifest is none, or is of a pickled model and
        does not say that it is trusted; FormError when the model cannot be opened, or when it
        does not keep its signature or fails on a first row.
        """
        whose = f"model {model} version {version}"
        signature, files, trust, tolerance = _manifest(read(digest), whose)
        columns = open_model(files, read, signature, whose, trust)
        joined = files.get("matrix.onnx")
        row = {each.name: _missing(each.datatype) for each in signature.inputs}
        served = cls(
            model=model,
            version=version,
            digest=digest,
            signature=signature,
            columns=columns,
            matrix=Matrix.load(read(joined), signature) if joined else None,
            golden_rows=read(files["golden.json"]),
            tolerance=tolerance,
            form=Form.of(model, version, signature),
            no_rows=columns.predict({name: column[:0] for name, column in row.items()}),
        )
        for session in served.sessions:
            _warm_up(session, row)
        return served

    @property
    def sessions(self) -> tuple[Model | Pickled, ...]:
        """Every form in which the model is open."""
        return (self.columns,) if self.matrix is None else (self.columns, self.matrix)

    @property
    def numbers_only(self) -> bool:
        """Whether every column is a number, so that one matrix holds them all."""
        return not self.form.strings

    def answer(self, features: NDArray[np.float32] | dict[str, NDArray[Any]]) -> Answer:
        """Answer what :func:`seatrial.inference.v2.decode` read; nothing is checked again.

        ``features`` is float32 ``[n, k]``, C-contiguous, when the version reads numbers only;
        else the columns ``[n]`` by name: float32, or object strings.
        """
        if isinstance(features, dict):
            if not len(next(iter(features.values()))):
                return self.no_rows
            return self.columns.answered({n: c.reshape(-1, 1) for n, c in features.items()})
        if not len(features):
            return self.no_rows
        if self.matrix is not None:
            return self.matrix.answered({FEATURES: features})
        each = np.ascontiguousarray(features.T).reshape(features.shape[1], -1, 1)
        return self.columns.answered(dict(zip(self.form.columns, each, strict=True)))

    def prove(self) -> None:
        """Let every session answer the golden rows; a FormError when it answers otherwise.

        StoreError when the golden rows cannot be read.
        """
        for session in self.sessions:
            try:
                proof = golden.verify(session, self.golden_rows, self.tolerance)
            except CANNOT_ANSWER as error:
                raise FormError(_failed("on its golden rows", error)) from error
            if not proof.ok:
                which = " fed as a matrix" if isinstance(session, Matrix) else ""
                what = f"the model{which} answers otherwise here: {proof.said}"
                where = "; ".join(map(str, proof.worst[:_TOLD]))
                fix = "compare this machine's onnxruntime and processor with where it was trained"
                raise FormError(Mistake(what, where, fix=fix))


def _manifest(content: bytes, whose: str) -> tuple[Signature, dict[str, str], object, Tolerance]:
    """The signature, the digests of the files by name, what is said of trust, the tolerance."""
    try:
        document = json.loads(content)
        files = {str(name): str(digest) for name, digest in document["files"].items()}
        signature = document["signature"]
        trust = document.get("trust")
        absent = [] if any(name in files for name in FORMS) else [ONNX]
        absent += [] if "golden.json" in files else ["golden.json"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"the manifest of {whose} cannot be read: {type(error).__name__} {error}"
        raise StoreError(Mistake(what, fix="register the model again")) from error
    if absent:
        what = f"the manifest of {whose} names no {' and no '.join(absent)}"
        raise StoreError(Mistake(what, fix="register the model again"))
    return Signature.from_json(signature), files, trust, Tolerance.of_manifest(document)


def _missing(datatype: str) -> NDArray[Any]:
    """One row of a missing value."""
    return np.array([""], object) if datatype == "BYTES" else np.array([np.nan], np.float32)


def _warm_up(session: Model | Pickled, row: Mapping[str, NDArray[Any]]) -> None:
    """The first run is the slow one: no request shall pay for it."""
    try:
        session.predict(row)
    except CANNOT_ANSWER as error:
        raise FormError(_failed("on a row of missing values", error)) from error


def _failed(where: str, error: Exception) -> Mistake:
    reason = " ".join(str(error).split())[:200]
    return Mistake(f"the model fails {where}:\n{reason}", fix="register another version")
