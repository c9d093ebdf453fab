"""Where does the model that `train` makes come from: a model type, the project's code, a file?"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import TYPE_CHECKING

from seatrial import models
from seatrial.environment.machine.packages import dependencies
from seatrial.models import Depending
from seatrial.models._entry import code as own_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from seatrial.models import Trainer
    from seatrial.models._entry.artifact import Artifact


@dataclass(frozen=True, slots=True)
class ModelType:
    """What seatrial, or an installed package, fits itself."""

    word: str

    @property
    def doing(self) -> str:
        """What is done, while it is."""
        return f"fitting {self.word}"

    def trainer(self) -> Trainer:
        """What makes the model."""
        return models.get(self.word)

    def files(self) -> Iterable[Path]:
        """The project's files that make the model."""
        return ()

    def recorded(self) -> str:
        """The source as a manifest has it, with the digest of what the project brings."""
        return self.word

    def libraries(self) -> dict[str, str]:
        """Versions of the packages that decide what a training gives."""
        trainer: object = self.trainer()
        if not isinstance(trainer, Depending):
            return dependencies()
        return _versions("numpy", *trainer.libraries)

    def planned(self, data: str, seed: int) -> Iterator[str]:
        """What will be done, for the plan."""
        yield f"fits {self.word} on {data} with seed {seed}"

    def said(self, kind: str, data: str, rows: int, features: int) -> str:
        """What was done; ``kind`` is what the model calls itself."""
        del kind, data
        return f"{self.word} fitted on {rows} rows, {features} features"


@dataclass(frozen=True, slots=True)
class Limits:
    """Within which the project's code or file may run."""

    timeout_s: float
    memory_mb: int | None

    def __str__(self) -> str:
        memory = "no limit of memory" if self.memory_mb is None else f"{self.memory_mb} MB"
        return f"in a process of its own: at most {self.timeout_s:g} s, {memory}"


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the project, or of an installed package."""

    entrypoint: str
    folder: Path
    limits: Limits
    trusts_pickle: bool

    @property
    def doing(self) -> str:
        """What is done, while it is."""
        return f"running {self.entrypoint}"

    def trainer(self) -> Trainer:
        """What makes the model."""
        from seatrial.models._entry.trainer import EntryPoint  # noqa: PLC0415 - onnxruntime

        return EntryPoint(
            self.entrypoint,
            self.folder,
            self.limits.timeout_s,
            self.limits.memory_mb,
            trusts_pickle=self.trusts_pickle,
        )

    def files(self) -> Iterable[Path]:
        """All code of the project: which of it the function uses, only Python knows."""
        return own_code.files(self.folder)

    def recorded(self) -> dict[str, str]:
        """The source as a manifest has it, with the digest of what the project brings."""
        return {"entrypoint": self.entrypoint, "code": own_code.digest(self.folder)}

    def libraries(self) -> dict[str, str]:
        """All that are installed: what the project's code uses, only it knows."""
        return dependencies()

    def planned(self, data: str, seed: int) -> Iterator[str]:
        """What will be done, for the plan."""
        yield f"runs {self.entrypoint} on {data} with seed {seed}, {self.limits}"
        yield (
            "what has no exact form in ONNX is kept pickled (`trust: pickle`): opening that"
            " runs code"
            if self.trusts_pickle
            else "nothing is pickled: what has no exact form in ONNX becomes no version"
        )

    def said(self, kind: str, data: str, rows: int, features: int) -> str:
        """What was done; ``kind`` is what the model calls itself."""
        del data
        return f"{self.entrypoint} made {kind} on {rows} rows, {features} features"


@dataclass(frozen=True, slots=True)
class File:
    """A finished ONNX file; ``shown`` is how the pipeline file calls it."""

    shown: str
    path: Path
    limits: Limits

    @property
    def doing(self) -> str:
        """What is done, while it is."""
        return f"reading {self.shown}"

    def trainer(self) -> Artifact:
        """What makes the model."""
        from seatrial.models._entry.artifact import Artifact  # noqa: PLC0415 - onnxruntime

        return Artifact(self.path, self.shown, self.limits.timeout_s, self.limits.memory_mb)

    def files(self) -> Iterable[Path]:
        """The file."""
        return (self.path,)

    def recorded(self) -> dict[str, str]:
        """The source as a manifest has it, with the digest of what the project brings."""
        return {"artifact": self.shown, "digest": self.trainer().digest()}

    def libraries(self) -> dict[str, str]:
        """Versions of the packages that put it into our form."""
        return _versions("numpy", "onnx", "onnxruntime")

    def planned(self, data: str, seed: int) -> Iterator[str]:
        """What will be done, for the plan."""
        del seed
        yield f"takes {self.shown} as it is; {data} says what it reads and answers"
        yield f"{self.shown} is tried {self.limits}"

    def said(self, kind: str, data: str, rows: int, features: int) -> str:
        """What was done."""
        del kind, rows
        return f"{self.shown} reads and answers as {data} has it ({features} features)"


Source = ModelType | Function | File


def _versions(*names: str) -> dict[str, str]:
    return {name: installed(name) for name in ("seatrial", *names)}
