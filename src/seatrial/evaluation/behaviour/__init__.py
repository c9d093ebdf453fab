"""Does a model behave: does it answer everything, always alike, and as its owner declares?

One check a file, each a plain function of a model and rows, so that a task and a person's own
test ask the same: ``found = batching(model, features)`` and then ``assert found.ok, str(found)``.

To add a check that every model must pass, write ``behaviour/<word>.py`` with a function of that
name that keeps :class:`Check`, and enter the word in ``CHECKS``. What a person must declare (an
invariance, a direction, cases) is a function with more arguments in a file of its own, called by
the task that reads the declaration.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.found import Found
    from seatrial.inference.opening import Answers

CHECKS = (
    "shape",
    "finite",
    "known_labels",
    "probabilities",
    "most_probable",
    "batching",
    "repeatable",
    "missing_values",
    "unknown_categories",
    "extreme_input",
    "empty_input",
)
"""The checks that every model must pass, in the order in which they are told."""


class Check(Protocol):
    """A check that needs nothing but a model and rows."""

    def __call__(self, model: Answers, features: Mapping[str, NDArray[Any]], /) -> Found:
        """What it found on columns ``[n]``; no exception for what the model does."""


def check(word: str) -> Check:
    """The check of that word.

    >>> check("batching").__name__
    'batching'
    """
    return cast("Check", getattr(import_module(f"{__name__}.{word}"), word))


def checked(
    model: Answers, features: Mapping[str, NDArray[Any]], skip: Collection[str] = ()
) -> Found:
    """Every check but those to skip, together, on columns ``[n]`` of at least one row.

    A model that does not even answer these rows is told once, by ``shape``: the others compare
    answers, and do not apply.
    """
    from seatrial.evaluation.behaviour.asking import Refusal, ask  # noqa: PLC0415 - needs numpy
    from seatrial.evaluation.behaviour.found import Found, skipped  # noqa: PLC0415 - likewise

    asked = [word for word in CHECKS if word not in skip]
    found = Found(())
    if isinstance(ask(model, features), Refusal):
        found += check("shape")(model, features)
        for word in asked:
            found += Found(()) if word == "shape" else skipped(word)
        return found
    for word in asked:
        found += check(word)(model, features)
    return found
