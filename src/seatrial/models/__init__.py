"""Model types: one file each, named as the word in ``model_type``.

To add one, write ``models/<word>.py`` with a class of the same name that keeps
:class:`Trainer`: it checks hyperparameters without importing its library, fits, and restores.
What it fits predicts, and exports itself to ONNX with the outputs ``label`` and
``probabilities``; where it cannot, it raises :class:`NotExportable` with the reason.

Two things more are heard where they are offered: what a fit wants to be known
(:class:`Telling`), and on which installed packages it depends (:class:`Depending`). A model
whose maker is not at hand when it is registered brings its proof along (:class:`Witnessed`):
so do those of ``entrypoint:`` and ``artifact:``, in the folder ``_entry``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from seatrial import extend
from seatrial.errors import FileError, Mistake, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from seatrial.inference.answer import Answer
    from seatrial.inference.signature import Signature
    from seatrial.outcome import Finding


@dataclass(frozen=True, slots=True)
class Training:
    """What a fit needs.

    ``features`` are float32 ``[n]`` (NaN: missing) or object strings ``[n]`` ("": missing), in
    column order; ``target`` is ``[n]``: classes, or numbers. ``problem`` is "classes" or
    "numbers".
    """

    features: Mapping[str, np.ndarray]
    target: np.ndarray
    problem: str
    classes: tuple[int | str, ...]
    hyperparameters: Mapping[str, object]
    seed: int


class Fitted(Protocol):
    """A trained model; ``predict`` answers as the exported one must."""

    @property
    def signature(self) -> Signature:
        """What it reads and answers."""

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        """Answer for columns ``[n]``."""

    def to_onnx(self) -> bytes:
        """The serving format, byte for byte the same for the same training."""

    def native(self) -> bytes:
        """The library's own form as data only; :meth:`Trainer.restore` reads it."""


class Trainer(Protocol):
    """A model type."""

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """Every mistake in the hyperparameters; ``problem`` may still be unknown ("")."""

    def fit(self, training: Training) -> Fitted:
        """Train; the same training gives the same model on any number of threads."""

    def restore(self, native: bytes, signature: Signature) -> Fitted:
        """What ``native`` wrote, without running any code in it."""


@runtime_checkable
class Telling(Protocol):
    """A fit that wants something known which fails nothing: it did not converge, for example."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Told by ``train``, in this order; the same fit tells the same."""


@runtime_checkable
class Depending(Protocol):
    """A trainer whose result depends on some installed packages only.

    A training is re-used while these keep their versions. One that does not say so depends on
    every package that is installed.
    """

    libraries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows, and what the trained model answered to them while it was there.

    ``rows`` are columns ``[n]``; ``by`` says whose answers these are, as a sentence's subject.
    """

    rows: Mapping[str, np.ndarray]
    answer: Answer
    by: str


@runtime_checkable
class Witnessed(Protocol):
    """A fitted model that is held against its witness, as its maker is not asked again."""

    @property
    def witness(self) -> Witness | None:
        """The proof, or None where there was nothing to compare with."""

    @property
    def pickled(self) -> bytes | None:
        """What ``trust: pickle`` kept of a model that has no exact form in ONNX; else None."""


class NotExportable(SeatrialError):  # noqa: N818 - said as the user says it
    """The model has no exact form in ONNX; the message is the reason."""

    exit_code = 2


class Hyperparameters(dict[str, object]):
    """Hyperparameters as read from a file; ``places`` says on which line:column each stands."""

    def __init__(self, values: Mapping[str, object], places: Mapping[str, str]) -> None:
        super().__init__(values)
        self.places = dict(places)


def get(name: str) -> Trainer:
    """The model type of that name; FileError with the nearest known one."""
    return cast("type[Trainer]", extend.load("models", name))()


def read_hyperparameters(path: Path) -> Hyperparameters:
    """Read a YAML mapping of hyperparameters; an empty file is an empty mapping.

    FileError, with the line where there is one, when it is missing, unreadable or no mapping.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only who reads a file pays for it
    from ruamel.yaml.comments import CommentedMap  # noqa: PLC0415
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    fix = "write one `name: value` a line, for example `learning_rate: 0.1`"
    try:
        text = path.read_text(encoding="utf-8")
        plain, marked = YAML(typ="safe", pure=True).load(text), YAML().load(text)
    except FileNotFoundError as error:
        raise FileError(
            Mistake("the file of hyperparameters does not exist", str(path), fix="create it")
        ) from error
    except UnicodeDecodeError as error:
        what = f"the file of hyperparameters is not UTF-8: byte 0x{error.object[error.start]:02x}"
        place = f"{path}:{error.object.count(10, 0, error.start) + 1}"
        raise FileError(Mistake(what, place, fix="save the file as UTF-8")) from error
    except OSError as error:
        what = f"the file of hyperparameters cannot be read: {error.strerror or error}"
        fix = "check that it is a file and that you may read it"
        raise FileError(Mistake(what, str(path), fix=fix)) from error
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = str(error.problem if isinstance(error, MarkedYAMLError) else error)
        what = f"the hyperparameters are no YAML: {problem.splitlines()[0]}"
        raise FileError(Mistake(what, where, fix=fix)) from error
    if plain is None:
        return Hyperparameters({}, {})
    if not isinstance(plain, dict) or not isinstance(marked, CommentedMap):
        what = f"hyperparameters must be names with values, got {type(plain).__name__}"
        raise FileError(Mistake(what, f"{path}:1:1", fix=fix))
    spots = {str(key): marked.lc.key(key) for key in marked}
    places = {key: f"{line + 1}:{column + 1}" for key, (line, column) in spots.items()}
    return Hyperparameters({str(key): value for key, value in plain.items()}, places)
