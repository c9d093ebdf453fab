"""What is kept of a model's answers beside the labels: counts and bins, from which it is drawn.

The document (JSON, at most some 20 KB, :class:`Answers`) holds no row, so that a verdict can be
drawn again when its rows are gone. To keep something more of the answers, give ``OfClasses`` or
``OfNumbers`` another field with a default: a document that was written before reads as it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from seatrial.evidence.drawn.classes import OfClasses, merged, of_classes
from seatrial.evidence.drawn.numbers import OfNumbers, edges_for, of_numbers

if TYPE_CHECKING:
    import numpy as np

    from seatrial.metrics import Predictions

FORMAT: Final = "seatrial.answers"
VERSION: Final = 1

MOST_OF_A_NAME = 60
"""Letters of a class that are kept."""


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Two models' answers to the same ``rows`` of a dataset; ``production`` may be unasked.

    ``classes`` are those that are told apart, by name, in the order of the confusion counts, and
    ``others`` is how many more are counted together behind them.
    """

    format: Literal["seatrial.answers"] = FORMAT
    version: Literal[1] = VERSION
    dataset: str
    fingerprint: str
    rows: int
    problem: Literal["classes", "numbers"]
    classes: tuple[str, ...] = ()
    others: int = 0
    candidate: Drawn
    production: Drawn | None = None


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What one ``version`` of the model answered: one of the two is there, by the problem."""

    version: int
    of_classes: OfClasses | None = None
    of_numbers: OfNumbers | None = None


def drawn(
    labels: np.ndarray,
    candidate: tuple[int, Predictions],
    production: tuple[int, Predictions] | None,
    *,
    dataset: str,
    fingerprint: str,
) -> Answers:
    """What is kept of one or two versions' finite answers to the rows of ``labels`` [n], n >= 1.

    Each version comes as its number and its answers. Both are binned alike, so that they can be
    drawn over each other.

    >>> import numpy as np
    >>> from seatrial.metrics import Predictions
    >>> kept = drawn(np.array([1.0, 2.0]), (3, Predictions(np.array([1.0, 2.5]))), None,
    ...              dataset="validation_data", fingerprint="f")
    >>> read(written(kept)) == kept, kept.candidate.of_numbers.residuals.counts.count(1)
    (True, 2)
    """
    if production and bool(production[1].classes) != bool(candidate[1].classes):
        production = None  # classes beside numbers: there is nothing to lay over each other
    sides = [candidate, *([production] if production else [])]
    said = [answers for _, answers in sides]
    names: tuple[str, ...] = ()
    others = 0
    if candidate[1].classes:
        known = merged(labels, said)
        names, others = tuple(_short(str(name)) for name in known.names), known.others
        found = [Drawn(version=v, of_classes=of_classes(labels, a, known)) for v, a in sides]
    else:
        edges = edges_for(labels, said)
        found = [Drawn(version=v, of_numbers=of_numbers(labels, a, edges)) for v, a in sides]
    return Answers(
        dataset=dataset,
        fingerprint=fingerprint,
        rows=len(labels),
        problem="classes" if candidate[1].classes else "numbers",
        classes=names,
        others=others,
        candidate=found[0],
        production=found[1] if production else None,
    )


def written(answers: Answers) -> bytes:
    """The document as JSON; the same answers give the same bytes."""
    return msgspec.json.encode(answers)


def read(document: bytes) -> Answers | None:
    """The document; ``None`` when it is none, or is one that only a newer release understands.

    >>> read(b'{"format": "seatrial.answers", "version": 2}') is read(b"") is None
    True
    """
    try:
        return msgspec.json.decode(document, type=Answers)
    except msgspec.DecodeError:
        return None


def _short(name: str) -> str:
    return name if len(name) <= MOST_OF_A_NAME else f"{name[: MOST_OF_A_NAME - 1]}…"
