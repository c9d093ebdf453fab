"""Which column is the target, of which problem, and which are the features?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from seatrial.data.column import listed, quoted
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from seatrial.data.column import Column
    from seatrial.data.table import Table

Problem = Literal["classes", "numbers"]

FEW = 20
"""Integers with at most this many distinct values are classes."""

USUAL_TARGETS = ("target", "label")
"""The columns that are the target when none is declared; the first that exists."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What each column is for. ``classes`` are sorted (the last of two is the positive one).

    ``classes`` holds int (booleans as 0 and 1) or str, and nothing when the target is a number;
    ``target`` is empty when there is none and none was needed.
    """

    target: str
    problem: Problem
    classes: tuple[int | str, ...]
    features: tuple[Column, ...]
    key: str | None
    time: str | None


def roles(
    table: Table,
    problem: str | None = None,
    metric_problem: str | None = None,
    need_target: bool = True,  # noqa: FBT001, FBT002 - reads well by name
) -> Roles:
    """The roles of a table's columns, as declared or as usual.

    ``problem`` (``classes`` or ``numbers``) comes from the pipeline, ``metric_problem`` is the
    only problem that the metric fits; either decides what the target's values leave open.
    Raises FormError with every mistake: no target, one with nulls or only one class, a problem
    that does not fit, a declared column that is missing, a column that cannot be a feature.
    Without ``need_target`` a target that is missing or has no values is accepted.
    """
    dataset = table.dataset
    mistakes = _undeclared(table)
    target, missing = _target(table)
    if missing and (need_target or dataset.target):
        mistakes.append(missing)
    apart = {target, dataset.key, dataset.time, *dataset.exclude}
    features = tuple(column for column in table.columns if column.name not in apart)
    mistakes += _not_features(table, features)
    found = cast("Problem", problem or metric_problem or "numbers")
    classes: tuple[int | str, ...] = ()
    wrong: list[Mistake] = []
    if target and need_target:
        found, classes, wrong = _target_values(table, table[target], problem, metric_problem)
    if mistakes or wrong:
        raise FormError(*mistakes, *wrong)
    return Roles(target, found, classes, features, dataset.key, dataset.time)


def labels(table: Table, roles: Roles) -> NDArray[Any]:
    """The target ``[n]``: int64 or str objects as the classes are, float64 for numbers."""
    if roles.problem == "numbers":
        return table.numbers(roles.target)
    if table[roles.target].kind == "string":
        return table.strings(roles.target)
    return table.numbers(roles.target).astype(np.int64)


def features(table: Table, roles_or_columns: Roles | Iterable[Column]) -> dict[str, NDArray[Any]]:
    """The features by name, as a model sees them, in the order of the columns given.

    Numbers and booleans are float32 ``[n]`` with NaN where missing; text is an object array
    ``[n]`` of str, empty where missing. The kinds are those of the columns given (of training),
    not of this table. Raises FormError for a missing column and for text that is no number.
    """
    wanted = (
        roles_or_columns.features if isinstance(roles_or_columns, Roles) else [*roles_or_columns]
    )
    texts = [column.name for column in wanted if column.kind == "string"]
    numbers = [column.name for column in wanted if column.kind != "string"]
    found = table.many(numbers, texts)
    return {
        column.name: _text(found[column.name])
        if column.kind == "string"
        else _float32(found[column.name])
        for column in wanted
    }


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite to the model as well
        return values.astype(np.float32)


def _text(values: NDArray[np.object_]) -> NDArray[np.object_]:
    values[values == None] = ""  # noqa: E711 - elementwise
    return values


def _target(table: Table) -> tuple[str, Mistake | None]:
    names = [column.name for column in table.columns]
    declared = table.dataset.target
    if declared is not None and declared in names:
        return declared, None
    usual = next((name for name in USUAL_TARGETS if name in names), None)
    if declared is None and usual:
        return usual, None
    what = f"no target column {declared!r}" if declared else "no target column"
    close = (nearest(word, names) for word in ((declared,) if declared else USUAL_TARGETS))
    return "", Mistake(
        f"dataset {table.dataset.name!r}: {what} among {listed(names)}",
        where=table.dataset.place,
        nearest=next((word for word in close if word), ""),
        fix=f"name it: `datasets: {{{table.dataset.name}: {{path: …, target: COLUMN}}}}`",
    )


def _undeclared(table: Table) -> list[Mistake]:
    """The columns declared as key, time or excluded that do not exist."""
    dataset = table.dataset
    declared = [("key", dataset.key), ("time", dataset.time)]
    declared += [("exclude", name) for name in dataset.exclude]
    return [
        Mistake(
            f"dataset {dataset.name!r} has no column {name!r}",
            where=f"`{role}` of {dataset.name}, {dataset.place}",
            nearest=nearest(name, [column.name for column in table.columns]),
            fix=f"correct `{role}:` under `datasets:`",
        )
        for role, name in declared
        if name is not None and name not in table
    ]


def _not_features(table: Table, columns: tuple[Column, ...]) -> list[Mistake]:
    dataset = table.dataset
    words = {"time": "a time", "other": "nested or binary"}
    bad = [column for column in columns if column.kind in words]
    fix = f"put it under `exclude:` of {dataset.name}: [{', '.join(c.name for c in bad)}]"
    mistakes = [
        Mistake(
            f"dataset {dataset.name!r}: column {column.name!r} is {words[column.kind]} "
            f"({column.type[:40]}) and cannot be a feature",
            where=dataset.place,
            fix=fix,
        )
        for column in bad
    ]
    if not columns:
        what = f"dataset {dataset.name!r}: no column is left for a feature"
        fix = "add columns, or shorten `exclude:`"
        mistakes.append(Mistake(what, where=dataset.place, fix=fix))
    return mistakes


def _target_values(  # noqa: PLR0911 - a list of what can be wrong, in order
    table: Table, column: Column, problem: str | None, metric_problem: str | None
) -> tuple[Problem, tuple[int | str, ...], list[Mistake]]:
    """The problem, its classes, and what is wrong with the target's values."""
    where = f"{table.dataset.place}, column {column.name!r}"
    about = f"dataset {table.dataset.name!r}: the target {column.name!r}"

    def wrong(what: str, fix: str) -> tuple[Problem, tuple[int | str, ...], list[Mistake]]:
        return "numbers", (), [Mistake(f"{about} {what}", where=where, fix=fix)]

    if column.kind in {"time", "other"}:
        return wrong(f"is of type {column.type[:40]}", "name a column of numbers or classes")
    nulls, first = _nulls(table, column)
    if nulls:
        what = f"has no value in {nulls} of {table.rows} rows, first in row {first}"
        return wrong(what, "drop these rows, or fill in their labels")
    if problem and metric_problem and problem != metric_problem:
        what = f"is a problem of {problem}, but the metric only fits {metric_problem}"
        return wrong(what, "correct `problem:` or choose another `metric:`")
    distinct, whole = _distinct(table, column)
    natural = _natural(column, distinct)
    found = cast("Problem", problem or metric_problem or natural)
    if found == "numbers" and column.kind == "string":
        what = "holds text, but " + _who(problem, "numbers")
        return wrong(what, "choose a metric for classes, or another target")
    if found == "classes" and not whole:
        what = "holds fractions, but " + _who(problem, "classes")
        return wrong(what, "choose a metric for numbers, or another target")
    if distinct == 1:
        what = "is all one class" if found == "classes" else "is the same number in every row"
        return wrong(what, "take rows that show both outcomes")
    return found, _classes(table, column) if found == "classes" else (), []


def _who(problem: str | None, wanted: str) -> str:
    return f"`problem:` says {wanted}" if problem else f"the metric only fits {wanted}"


def _natural(column: Column, distinct: int) -> Problem:
    few_integers = column.is_integer and distinct <= FEW
    return "classes" if column.kind in {"string", "boolean"} or few_integers else "numbers"


def _nulls(table: Table, column: Column) -> tuple[int, int]:
    """How many rows have no (finite) target, and the first of them, counted from 1."""
    if column.kind == "string":
        absent = table.strings(column.name) == None  # noqa: E711 - elementwise
    else:
        absent = ~np.isfinite(table.numbers(column.name))
    return int(absent.sum()), int(absent.argmax()) + 1


def _distinct(table: Table, column: Column) -> tuple[int, bool]:
    """How many values the target has, and whether they can all be classes."""
    name = quoted(column.name)
    whole = "true" if column.kind != "number" else f"bool_and({name} = trunc({name}))"
    found = table.sql(f"SELECT count(DISTINCT {name}), {whole} FROM rows")  # noqa: S608
    return found[0][0], found[0][1]


def _classes(table: Table, column: Column) -> tuple[int | str, ...]:
    found = table.sql(f"SELECT DISTINCT {quoted(column.name)} FROM rows")  # noqa: S608
    as_class = str if column.kind == "string" else int
    return tuple(sorted(as_class(value) for (value,) in found))
