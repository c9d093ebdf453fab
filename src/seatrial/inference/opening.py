"""Open a version's model by its files: one place knows in which forms a model is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from seatrial.errors import Mistake, StoreError
from seatrial.inference.session import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from seatrial.inference.answer import Answer
    from seatrial.inference.signature import Signature

ONNX = "model.onnx"


class Answers(Protocol):
    """An opened model, in whatever form it is kept."""

    @property
    def signature(self) -> Signature:
        """What it reads and answers."""

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        """Answer for columns ``[n]``; FormError names what is missing or ill-typed."""


def model_digest(files: Mapping[str, str], whose: str) -> str:
    """The digest of the file that is the model: versions that share it are the same model.

    ``files`` are digests by name, as in a manifest; StoreError when none of them is a model.

    >>> model_digest({"model.onnx": "sha256:ab", "golden.json": "sha256:cd"}, "m version 1")
    'sha256:ab'
    """
    if ONNX not in files:
        what = f"the manifest of {whose} names no {ONNX}"
        raise StoreError(Mistake(what, fix="register the model again"))
    return files[ONNX]


def open_model(
    files: Mapping[str, str], read: Callable[[str], bytes], signature: Signature, whose: str
) -> Answers:
    """The model among a version's files; ``read`` gives the verified bytes of a digest."""
    return Model.load(read(model_digest(files, whose)), signature)
