"""Whether hyperparameters are ones that LightGBM knows, of the right type, and for the file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from seatrial.errors import Mistake, nearest
from seatrial.models import Hyperparameters
from seatrial.models._lightgbm_parameters import (
    CANONICAL,
    CLASS_OBJECTIVES,
    FIXED,
    INFINITE,
    NUMBER_OBJECTIVES,
    PARAMETERS,
    REASONS,
    Parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PAIR = 2
_INT32 = 2**31 - 1
_KINDS = {
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "integers": "a list of integers, one a column",
    "numbers": "a list of numbers, one a column",
    "groups": "a list of lists of column numbers",
}


def canonical(hyperparameters: Mapping[str, object]) -> dict[str, object]:
    """The same values under LightGBM's own names, without those that seatrial sets.

    >>> canonical({"n_estimators": 50, "verbose": -1})
    {'num_iterations': 50}
    """
    named = {CANONICAL[name]: value for name, value in hyperparameters.items()}
    return {name: value for name, value in named.items() if name not in FIXED}


def check(hyperparameters: Mapping[str, object], where: str, problem: str = "") -> list[Mistake]:
    """Every unknown, refused, doubled or ill-typed hyperparameter, in the file's order.

    >>> print(check({"learning_rat": 0.1}, "hp.yaml")[0])
    unknown hyperparameter 'learning_rat'
      where: hp.yaml
      nearest: learning_rate
      fix: use the names of https://lightgbm.readthedocs.io/en/stable/Parameters.html
    """
    places = hyperparameters.places if isinstance(hyperparameters, Hyperparameters) else {}
    mistakes: list[Mistake] = []
    seen: dict[str, str] = {}
    for name, value in hyperparameters.items():
        spot = ":".join(part for part in (where, places.get(name, "")) if part)
        own = CANONICAL.get(name, name)
        if own in seen:
            what = f"{seen[own]} and {name} are the same hyperparameter"
            mistakes.append(Mistake(what, spot, fix="keep one of them"))
        else:
            mistakes += _mistakes(name, value, spot, problem)
        seen.setdefault(own, name)
    return mistakes


def _mistakes(name: str, value: object, spot: str, problem: str) -> Iterator[Mistake]:
    own = CANONICAL.get(name)
    if name in REASONS:
        fix = f"remove it: {REASONS[name]}"
        yield Mistake(f"the hyperparameter {name!r} is not for this file", spot, fix=fix)
    elif own is None:
        known = (*CANONICAL, *REASONS)
        page = "use the names of https://lightgbm.readthedocs.io/en/stable/Parameters.html"
        yield Mistake(f"unknown hyperparameter {name!r}", spot, nearest(name, known), page)
    elif own in FIXED:
        fixed = FIXED[own][0]
        if type(value) is not type(fixed) or value != fixed:
            what = f"{name} is always {_shown(fixed)}, got {_shown(value)}"
            fix = "remove it: seatrial sets it so that training repeats and the model exports"
            yield Mistake(what, spot, fix=fix)
    else:
        demand = _demand(PARAMETERS[own], value)
        if demand:
            near = nearest(str(value), PARAMETERS[own].words)
            what = f"{name} must be {demand}, got {_shown(value)}"
            yield Mistake(what, spot, near, fix=f"write {demand}")
        elif own == "objective" and problem and not objective_fits(str(value), problem):
            yield Mistake(
                f"{name} {value!r} does not fit the problem, which is {problem}",
                spot,
                fix="remove it, or set `problem:` in the pipeline",
            )


def objective_fits(word: str, problem: str, classes: int = 0) -> bool:
    """Whether an objective fits a problem, and its number of classes when that is known.

    >>> objective_fits("mae", "numbers"), objective_fits("binary", "classes", 3)
    (True, False)
    """
    if problem == "numbers":
        return word in NUMBER_OBJECTIVES
    return word in CLASS_OBJECTIVES and not (word == "binary" and classes > _PAIR)


def check_columns(
    parameters: Mapping[str, object], strings: Sequence[bool], where: str
) -> list[Mistake]:
    """Mistakes in lists about columns, given which of the columns hold strings.

    LightGBM itself does not look: a wrong list there ends the program or damages its memory.

    >>> print(check_columns({"monotone_constraints": [1]}, [False, True], "hp.yaml")[0])
    monotone_constraints needs 2 values, one a column, got 1
      where: hp.yaml
    """
    mistakes: list[Mistake] = []
    for name, value in parameters.items():
        kind = PARAMETERS[name].kind
        values = _flat(kind, value) or []
        if kind in {"integers", "numbers"} and len(values) != len(strings):
            what = f"{name} needs {len(strings)} values, one a column, got {len(values)}"
            mistakes.append(Mistake(what, where))
        elif name == "monotone_constraints":
            bound = [i for i, each in enumerate(values) if each and strings[i]]
            what = "{} is not 0 for column number {}, which holds strings"
            mistakes += [Mistake(what.format(name, i), where, fix="write 0") for i in bound]
        elif kind == "groups":
            beyond = [each for each in values if cast("int", each) >= len(strings)]
            last = len(strings) - 1
            what = "{} names column number {}; they go from 0 to {}"
            mistakes += [Mistake(what.format(name, i, last), where) for i in beyond]
    return mistakes


def _demand(parameter: Parameter, value: object) -> str:
    """What the value should have been, or an empty string when it is that."""
    if parameter.kind == "word":
        fits = isinstance(value, str) and value in parameter.words
        return "" if fits else f"one of {', '.join(parameter.words)}"
    single = {"integers": "integer", "numbers": "number", "groups": "integer"}
    values = _flat(parameter.kind, value)
    kind = single.get(parameter.kind, parameter.kind)
    if values is None or not all(_typed(kind, each) for each in values):
        return _KINDS[parameter.kind]
    within = all(_within(parameter, float(cast("float", each))) for each in values)
    return "" if within else f"{_KINDS[parameter.kind]} {_range(parameter)}"


def _flat(kind: str, value: object) -> list[object] | None:
    """All single values in the value, or None where a list is wanted and there is none."""
    if kind not in {"integers", "numbers", "groups"}:
        return [value]
    if not isinstance(value, list):
        return None
    if kind != "groups":
        return value
    if not all(isinstance(group, list) for group in value):
        return None
    return [each for group in value for each in group]


def _typed(kind: str, value: object) -> bool:
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and abs(value) <= _INT32
    return isinstance(value, int | float) and math.isfinite(value)


def _within(parameter: Parameter, value: float) -> bool:
    over = value > parameter.low if parameter.above else value >= parameter.low
    under = value < parameter.high if parameter.below else value <= parameter.high
    return over and under


def _range(parameter: Parameter) -> str:
    low, high = parameter.low, parameter.high
    ends = [f"{'above' if parameter.above else 'at least'} {low:.15g}"] if low > -INFINITE else []
    ends += [f"{'below' if parameter.below else 'at most'} {high:.15g}"] if high < INFINITE else []
    return " and ".join(ends)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)
