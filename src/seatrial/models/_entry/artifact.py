"""A finished ONNX file as a trainer: nothing is trained, the file is put into our form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake, nearest
from seatrial.inference.signature import Signature
from seatrial.models import Witness
from seatrial.models._entry import kept
from seatrial.models._entry.as_given import answer_as_given
from seatrial.models._entry.kept import Kept
from seatrial.models._probe import probe
from seatrial.models._ready_onnx import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.models import Training
    from seatrial.outcome import Finding


@dataclass(frozen=True, slots=True)
class Artifact:
    """The file at ``path``; ``shown`` is how the pipeline file calls it."""

    path: Path
    shown: str

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """Whether the file is there; a finished model has no hyperparameters."""
        del problem
        if not self.path.is_file():
            near = nearest(self.path.name, [each.name for each in self.path.parent.glob("*")])
            fix = "put the ONNX file there, or correct the path"
            return [Mistake(f"there is no file {self.shown}", where, near, fix)]
        if hyperparameters:
            fix = "remove them: the file is taken as it is"
            return [Mistake("a finished model takes no hyperparameters", where, fix=fix)]
        return []

    def fit(self, training: Training) -> Kept:
        """The file in our form.

        FileError when it cannot be read, FormError when it does not fit the columns and classes.
        """
        return kept_file(self.content(), training, self.shown, self.shown)

    def restore(self, native: bytes, signature: Signature) -> Kept:
        """What ``native`` wrote."""
        return kept.restore(native, signature)

    def content(self) -> bytes:
        """The file; FileError when it cannot be read."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            what = f"the model file cannot be read: {error.strerror or error}"
            raise FileError(
                Mistake(what, self.shown, fix="check the path and its rights")
            ) from error

    def digest(self) -> str:
        """SHA-256 of the file as it is."""
        return f"sha256:{hashlib.sha256(self.content()).hexdigest()}"


def kept_file(
    content: bytes,
    training: Training,
    where: str,
    made: str,
    findings: tuple[Finding, ...] = (),
) -> Kept:
    """An ONNX model in our form, held against itself as it came."""
    signature = Signature.of(training.features, training.problem, training.classes)
    ours = normalised(content, signature, where)
    rows = probe(training.features, training.seed)
    answer = answer_as_given(content, rows, signature, where)
    witness = None if answer is None else Witness(rows, answer, "the file as it was given")
    return Kept(signature, made, onnx=ours, witness=witness, findings=findings)
