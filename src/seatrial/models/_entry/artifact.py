"""A finished ONNX file as a trainer: nothing is trained, the file is put into our form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake, nearest
from seatrial.models._entry import apart, kept
from seatrial.models._entry.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.inference.signature import Signature
    from seatrial.models import Training
    from seatrial.models._entry.kept import Kept


@dataclass(frozen=True, slots=True)
class Artifact:
    """The file at ``path``; ``shown`` is how the pipeline file calls it.

    A graph may loop for ever, take all memory or crash onnxruntime: so it is tried in a process
    of its own, within these limits.
    """

    path: Path
    shown: str
    timeout_s: float
    memory_mb: int | None = None

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

        FileError when it cannot be read, does not fit the columns and classes, or cannot be tried
        within the limits.
        """
        ask = Request(
            training=training,
            entrypoint="",
            folder=self.path.parent.resolve(),
            where=self.shown,
            memory_mb=self.memory_mb,
            ready=self.content(),
        )
        return apart.made(ask, self.timeout_s)

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
