"""Open a version's model by its files: one place knows in which forms a model is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from seatrial.errors import Mistake, StoreError
from seatrial.inference.pickled import Pickled
from seatrial.inference.session import SERVED, Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from seatrial.inference.answer import Answer
    from seatrial.inference.session import Settings
    from seatrial.inference.signature import Signature

ONNX = "model.onnx"
PICKLE = "model.pickle"
FORMS = (ONNX, PICKLE)
"""The names of the file that is the model; a version has one of them."""

TRUST = "pickle"
"""What the manifest's ``trust`` says when its pipeline said ``trust: pickle``."""


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
    return files[_form(files, whose)]


def open_model(
    files: Mapping[str, str],
    read: Callable[[str], bytes],
    signature: Signature,
    whose: str,
    trust: object = None,
    settings: Settings = SERVED,
) -> Model | Pickled:
    """The model among a version's files; ``read`` gives the verified bytes of a digest.

    ``settings`` are for a session of onnxruntime; a pickled model has none.

    ``trust`` is what the manifest says under that name: a pickled model is opened only when it
    is "pickle", and then in a process of its own. StoreError when it is not.
    """
    form = _form(files, whose)
    if form == ONNX:
        return Model.load(read(files[form]), signature, settings)
    if trust != TRUST:
        what = f"{whose} is a pickled model, and its manifest does not say `trust: {TRUST}`"
        fix = f"register it anew from a pipeline that says so (`train: {{trust: {TRUST}}}`)"
        raise StoreError(Mistake(what, fix=fix))
    return Pickled.open(read(files[form]), signature)


def _form(files: Mapping[str, str], whose: str) -> str:
    found = next((name for name in FORMS if name in files), None)
    if found is None:
        what = f"the manifest of {whose} names no {ONNX}"
        raise StoreError(Mistake(what, fix="register the model again"))
    return found
