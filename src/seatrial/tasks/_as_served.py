"""In which form is a fitted model served? Opened from the very bytes that a version keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial import models
from seatrial.errors import FormError
from seatrial.inference.matrix import Matrix
from seatrial.inference.opening import ONNX, PICKLE
from seatrial.inference.parity import parity
from seatrial.inference.pickled import Pickled
from seatrial.inference.session import Model
from seatrial.models import Witnessed
from seatrial.models._entry import kept as brought
from seatrial.models._matrix import with_matrix_input
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature
    from seatrial.models import Fitted

MATRIX = "matrix.onnx"

SCORING_S = 300.0
"""How long a pickled model may take for a call while it is registered."""


def restored(source: object, native: bytes, signature: Signature) -> Fitted:
    """What was trained, from what it was kept as; no code of a project runs."""
    if isinstance(source, str):
        return models.get(source).restore(native, signature)
    return brought.restore(native, signature)


@dataclass(frozen=True, slots=True)
class Opened:
    """The model as it will be served: under which name it is kept, its bytes, ready to answer."""

    name: str
    content: bytes
    model: Model | Pickled

    def close(self) -> None:
        """End the process in which a pickled model lives."""
        if isinstance(self.model, Pickled):
            self.model.close()

    @property
    def said(self) -> str:
        """What it is, as a sentence's subject."""
        return "ONNX" if self.name == ONNX else "the pickled model, loaded again,"


def as_served(fitted: Fitted) -> Opened:
    """In the form in which it is served; NotExportable says why there is none."""
    if isinstance(fitted, Witnessed) and fitted.pickled is not None:
        model = Pickled.open(fitted.pickled, fitted.signature, timeout_s=SCORING_S)
        return Opened(PICKLE, fitted.pickled, model)
    exported = fitted.to_onnx()
    return Opened(ONNX, exported, Model.load(exported, fitted.signature))


def with_one_matrix(
    exported: bytes, model: Model, probe: Mapping[str, NDArray[Any]]
) -> tuple[bytes | None, tuple[Finding, ...]]:
    """The model with one matrix as its input, for faster serving; None when it has no such form.

    It is a second door to a version that stands without it. So one that answers otherwise is
    left out and told, and fails nothing.
    """
    joined = with_matrix_input(exported, model.signature)
    if joined is None:
        return None, ()
    try:
        proof = parity(model.predict(probe), Matrix.load(joined, model.signature).predict(probe))
        what = "" if proof.ok else f"it differs on {proof.outside} of {proof.rows} rows"
    except FormError as error:
        what = " ".join(str(error).split())
    if not what:
        return joined, ()
    return None, (
        Finding(
            what=f"the same model with one matrix as its input is left out: {what}",
            where=MATRIX,
            hint="requests are answered by the model that takes columns, somewhat slower",
        ),
    )
