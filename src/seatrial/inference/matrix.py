"""A model of number columns that is fed them as one matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from seatrial.inference.session import SERVED, Answer, Model
from seatrial.inference.signature import Input

if TYPE_CHECKING:
    from seatrial.inference.session import Settings
    from seatrial.inference.signature import Signature

FEATURES = "features"
"""The name of the matrix, in the graph and in requests."""


@dataclass(frozen=True, slots=True)
class Matrix(Model):
    """An opened model whose one input is ``features``, float32 ``[n, k]`` in signature order.

    It still predicts from columns, so that it can be compared with the model that takes columns.
    """

    @classmethod
    def load(cls, model_bytes: bytes, signature: Signature, settings: Settings = SERVED) -> Matrix:
        """Open it; a FormError when it is no ONNX model, or has other inputs or outputs."""
        one = replace(signature, inputs=(Input(FEATURES, "FP32"),))
        return cls(signature, Model.load(model_bytes, one, settings).session)

    def _chunk(self, read: dict[str, np.ndarray]) -> Answer:
        return self.answered({FEATURES: np.column_stack([*read.values()])})
