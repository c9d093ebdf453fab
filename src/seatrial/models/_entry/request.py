"""What a process is asked to make: the training, whose function or file, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seatrial.inference.signature import Signature
from seatrial.models import Training
from seatrial.models._entry.packed import Packed, pack, unpack

ASKED, MADE, FAULT, STACK = "asked.zip", "made.zip", "fault.json", "stack.txt"
"""The files of the scratch folder: the request; the model, or what was wrong; where it stood."""

_FEATURE, _TARGET, _READY = "feature/", "target", "model.onnx"


@dataclass(frozen=True, slots=True)
class Request:
    """``where`` is the place of the function, ``file:line`` in the project ``folder``.

    With a finished ONNX file, ``ready``, there is no function, and ``where`` is the file's name.
    """

    training: Training
    entrypoint: str
    folder: Path
    where: str
    memory_mb: int | None
    trusts_pickle: bool = False
    ready: bytes | None = None

    @property
    def signature(self) -> Signature:
        """What the model is to read and to answer."""
        return Signature.of(self.training.features, self.training.problem, self.training.classes)

    def written(self) -> bytes:
        """As one file, which :func:`read` reads."""
        training = self.training
        document = {
            "problem": training.problem,
            "classes": [*training.classes],
            "hyperparameters": {**training.hyperparameters},
            "seed": training.seed,
            "entrypoint": self.entrypoint,
            "folder": str(self.folder),
            "where": self.where,
            "memory_mb": self.memory_mb,
            "trusts_pickle": self.trusts_pickle,
        }
        arrays = {f"{_FEATURE}{name}": values for name, values in training.features.items()}
        files = {} if self.ready is None else {_READY: self.ready}
        return pack(Packed(document, {**arrays, _TARGET: training.target}, files), small=False)


def read(content: bytes) -> Request:
    """What :meth:`Request.written` wrote."""
    packed = unpack(content)
    document = packed.document
    training = Training(
        features=packed.part(_FEATURE),
        target=packed.arrays[_TARGET],
        problem=document["problem"],
        classes=tuple(document["classes"]),
        hyperparameters=document["hyperparameters"],
        seed=document["seed"],
    )
    return Request(
        training=training,
        entrypoint=document["entrypoint"],
        folder=Path(document["folder"]),
        where=document["where"],
        memory_mb=document["memory_mb"],
        trusts_pickle=document["trusts_pickle"],
        ready=packed.files.get(_READY),
    )
