"""Whether hyperparameters are ones that scikit-learn knows, of the right type, and for the file.

What there is stands in ``_sklearn_forest_parameters`` and ``_sklearn_linear_parameters``, written
down so that checking a file does not import the library; tests compare the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, nearest
from seatrial.models import Hyperparameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INFINITE = math.inf
_INT32 = 2**31 - 1
_KINDS = {
    "number": "a number",
    "integer": "an integer",
    # 1 is one and 1.0 is all: so it is in scikit-learn
    "share": "a share with a decimal point",
    "boolean": "true or false",
    "integers": "a list of integers, one a column",
    "weights": "a weight for each class",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Form:
    """One form that a value may have; ``kind`` is a word of ``_KINDS``, or "word".

    A number lies in ``[low, high]``; ``above`` and ``below`` exclude that end. ``problem`` is the
    problem that the form is for, empty when it is for both.
    """

    kind: str
    low: float = -INFINITE
    high: float = INFINITE
    above: bool = False
    below: bool = False
    words: tuple[str, ...] = ()
    problem: str = ""

    def demand(self) -> str:
        """What it asks for, in words."""
        if self.kind == "word":
            return ", ".join(self.words)
        return " ".join(part for part in (_KINDS[self.kind], self._range()) if part)

    def fits(self, value: object) -> bool:
        """Whether a value has this form."""
        if self.kind == "word":
            return isinstance(value, str) and value in self.words
        if self.kind == "null":
            return value is None
        if self.kind == "boolean":
            return isinstance(value, bool)
        if self.kind == "integers":
            return isinstance(value, list) and all(self._fits_number(each) for each in value)
        if self.kind == "weights":
            return isinstance(value, dict) and self._fits_weights(value)
        return self._fits_number(value)

    def _fits_weights(self, weights: dict[object, object]) -> bool:
        # classes are all words or all numbers; so are their names, which a manifest sorts
        kinds = {type(label) for label in weights}
        return len(kinds) == 1 and all(map(self._fits_number, weights.values()))

    def _fits_number(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = isinstance(value, int) and abs(value) <= _INT32
        if (self.kind in {"integer", "integers"} and not whole) or value != value:  # noqa: PLR0124 - NaN
            return False
        if self.kind == "share" and not isinstance(value, float):
            return False
        over = value > self.low if self.above else value >= self.low
        return over and (value < self.high if self.below else value <= self.high)

    def _range(self) -> str:
        low, high = self.low, self.high
        above = "above" if self.above else "at least"
        ends = [f"{above} {low:.15g}"] if low > -INFINITE else []
        below = "below" if self.below else "at most"
        ends += [f"{below} {high:.15g}"] if high < INFINITE else []
        ends += ["finite"] if self.below and high == INFINITE else []
        return " and ".join(ends)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The hyperparameters of a model type, under scikit-learn's names.

    ``fixed`` are the values that seatrial sets, with the reason; a file may repeat the value.
    ``refused`` is why a name is not for a file. ``pages`` is where the library describes them.
    """

    known: Mapping[str, tuple[Form, ...]]
    pages: str
    fixed: Mapping[str, tuple[object, str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def check(
    hyperparameters: Mapping[str, object], where: str, problem: str, vocabulary: Vocabulary
) -> list[Mistake]:
    """Every unknown, refused or ill-typed hyperparameter, in the file's order.

    ``problem`` is "classes", "numbers", or empty while it is not known.

    >>> trees = Vocabulary({"n_estimators": (Form("integer", low=1),)}, "the page")
    >>> print(check({"n_estimator": 50}, "hp.yaml", "", trees)[0])
    unknown hyperparameter 'n_estimator'
      where: hp.yaml
      nearest: n_estimators
      fix: use the names of the page
    >>> print(check({"n_estimators": 0}, "hp.yaml", "", trees)[0].what)
    n_estimators must be an integer at least 1, got 0
    """
    return [
        mistake
        for name, value in hyperparameters.items()
        for mistake in _mistakes(
            name, value, spot(hyperparameters, where, name), problem, vocabulary
        )
    ]


def spot(hyperparameters: Mapping[str, object], where: str, name: str) -> str:
    """The file, with line and column of the name where they are known."""
    places = hyperparameters.places if isinstance(hyperparameters, Hyperparameters) else {}
    return ":".join(part for part in (where, places.get(name, "")) if part)


def given(hyperparameters: Mapping[str, object], vocabulary: Vocabulary) -> dict[str, object]:
    """The values of a file that was checked, without those that seatrial sets anyway.

    >>> given({"alpha": 2, "verbose": 0}, Vocabulary({"alpha": ()}, "", {"verbose": (0, "")}))
    {'alpha': 2}
    """
    return {name: value for name, value in hyperparameters.items() if name in vocabulary.known}


def _mistakes(
    name: str, value: object, place: str, problem: str, vocabulary: Vocabulary
) -> Iterator[Mistake]:
    if name in vocabulary.refused:
        what = f"the hyperparameter {name!r} is not for this file"
        yield Mistake(what, place, fix=f"remove it: {vocabulary.refused[name]}")
    elif name in vocabulary.fixed:
        fixed, reason = vocabulary.fixed[name]
        if isinstance(value, bool) != isinstance(fixed, bool) or value != fixed:
            what = f"{name} is always {_shown(fixed)}, got {_shown(value)}"
            yield Mistake(what, place, fix=f"remove it: {reason}")
    elif name in vocabulary.known:
        yield from _ill_typed(name, value, place, problem, vocabulary.known[name])
    else:
        near = nearest(name, (*vocabulary.known, *vocabulary.fixed, *vocabulary.refused))
        fix = f"use the names of {vocabulary.pages}"
        yield Mistake(f"unknown hyperparameter {name!r}", place, near, fix)


def _ill_typed(
    name: str, value: object, place: str, problem: str, forms: tuple[Form, ...]
) -> Iterator[Mistake]:
    own = [form for form in forms if not problem or form.problem in {"", problem}]
    if not own:
        what = f"{name} is for {forms[0].problem}, and the problem is {problem}"
        yield Mistake(what, place, fix="remove it, or set `problem:` in the pipeline")
    elif not any(form.fits(value) for form in own):
        demand = _either([form.demand() for form in own])
        if any(form.fits(value) for form in forms):
            what = f"{name} {value!r} does not fit the problem, which is {problem}"
        else:
            what = f"{name} must be {demand}, got {_shown(value)}"
        near = nearest(str(value), [word for form in own for word in form.words])
        yield Mistake(what, place, near, fix=f"write {demand}")


def _either(demands: list[str]) -> str:
    *first, last = ", ".join(demands).split(", ")
    return f"{', '.join(first)} or {last}" if first else last


def _shown(value: object) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)
