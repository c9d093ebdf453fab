"""Read minimum functionality cases from a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.data.column import Column, listed
from seatrial.data.dataset import Dataset
from seatrial.data.roles import features
from seatrial.data.table import Table, open_table
from seatrial.errors import FormError, Mistake, nearest
from seatrial.evaluation.behaviour.cases import Case

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

WORDS = ("tolerance", "at_least", "at_most", "class", "name", "why")
"""Columns with a meaning of their own, unless the model reads a feature of that name."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The rows to ask, what each demands, and the features that the file leaves out."""

    features: dict[str, NDArray[Any]]
    cases: tuple[Case, ...]
    left_out: tuple[str, ...]


NO_NUMBER = "write numbers in that column; an empty cell is a missing value"


def read_cases(path: Path, signature: Signature, target: str, shown: str) -> CaseFile:
    """Read a file of cases: CSV, or any form that a dataset may have.

    Its columns are features, the target (what is expected), ``tolerance`` (of a number),
    ``at_least`` and ``at_most`` (of the probability, or of the number) with ``class`` to say
    whose probability, and ``name`` and ``why``, which are told when the case fails. An empty cell
    of a feature is a missing value, and so is a feature that has no column; of the others an empty
    cell demands nothing. ``shown`` is the file as the user wrote it.

    Raises FormError with every mistake: unknown columns (with the nearest), values of another
    type, labels that are no class, rows that demand nothing.
    """
    table = open_table(Dataset("cases", path))
    inputs = {each.name: each for each in signature.inputs}
    words = {word for word in (*WORDS, target) if word not in inputs}
    names = [column.name for column in table.columns]
    mistakes = [_unknown(n, inputs, words, shown) for n in names if n not in {*inputs, *words}]
    given = [name for name in inputs if name in table]
    if not given:
        what = f"{shown} has no column that the model reads"
        mistakes.append(Mistake(what, where=shown, fix=f"it reads {listed(inputs)}"))
    if mistakes:
        raise FormError(*mistakes)
    kinds = [Column(n, "number" if inputs[n].datatype == "FP32" else "string", "") for n in given]
    try:
        read = features(table, kinds)
    except FormError as error:  # it tells how to mend a dataset, which this is not
        raise FormError(*(replace(m, where=shown, fix=NO_NUMBER) for m in error.mistakes)) from None
    rows = {
        name: read[name] if name in read else _missing(table.rows, each.datatype)
        for name, each in inputs.items()
    }
    left_out = tuple(name for name in inputs if name not in read)
    return CaseFile(rows, _cases(table, words, target, signature, shown), left_out)


def _unknown(name: str, inputs: dict[str, Any], words: set[str], shown: str) -> Mistake:
    return Mistake(
        f"{shown}: the column {name!r} is no feature of the model",
        where=shown,
        nearest=nearest(name, [*inputs, *words]),
        fix=f"beside features it may hold {', '.join(sorted(words))}",
    )


def _missing(rows: int, datatype: str) -> NDArray[Any]:
    if datatype == "FP32":
        return np.full(rows, np.nan, np.float32)
    return np.full(rows, "", object)


def _cases(
    table: Table, words: set[str], target: str, signature: Signature, shown: str
) -> tuple[Case, ...]:
    numbers = {
        word: table.numbers(word) if word in table and word in words else None
        for word in ("tolerance", "at_least", "at_most")
    }
    texts = {
        word: table.strings(word) if word in table and word in words else None
        for word in ("class", "name", "why")
    }
    expected = _expected(table, target, signature) if target in table else [None] * table.rows
    mistakes: list[Mistake] = []
    cases: list[Case] = []
    for place in range(table.rows):
        bounds = {word: _number(column, place) for word, column in numbers.items()}
        said = {word: _text(column, place) for word, column in texts.items()}
        case = Case(
            row=place + 1,
            expected=expected[place],
            of_class=_class(said["class"], signature) if said["class"] else None,
            name=said["name"],
            why=said["why"],
            **bounds,
        )
        wrong = _wrong(case, said["class"], target, signature)
        mistakes += [Mistake(w, where=f"{shown}, row {place + 1}", fix=fix) for w, fix in wrong]
        cases.append(case)
    if mistakes:
        raise FormError(*mistakes)
    return tuple(cases)


def _expected(table: Table, target: str, signature: Signature) -> list[int | str | float | None]:
    """What each row expects, of the type that the model answers; a text that is no class stays."""
    if signature.problem == "numbers":
        return [None if np.isnan(each) else float(each) for each in table.numbers(target)]
    return [
        None if each in {None, ""} else _class(str(each), signature)
        for each in table.strings(target).tolist()
    ]


def _class(text: str, signature: Signature) -> int | str:
    """The class that a text means: of whole numbers also ``1.0``, and ``true`` for 1."""
    if any(isinstance(label, str) for label in signature.classes):
        return text
    folded = {"true": "1", "false": "0"}.get(text.casefold(), text)
    try:
        number = float(folded)
    except ValueError:
        return text
    return int(number) if number.is_integer() else text


def _wrong(case: Case, of_class: str, target: str, signature: Signature) -> list[tuple[str, str]]:
    """What is wrong with one row, and how to put it right."""
    if case.expected is None and case.at_least is None and case.at_most is None:
        return [("the case demands nothing", f"fill in `{target}`, `at_least` or `at_most`")]
    if signature.problem == "numbers":
        wrong = []
        if case.expected is not None and case.tolerance is None:
            fix = "add a column `tolerance`: how far the answer may be from it"
            wrong.append((f"the case expects {case.expected:g} and says no tolerance", fix))
        if of_class:
            wrong.append(("a model of numbers has no classes", "leave `class` out"))
        return wrong
    known = [str(label) for label in signature.classes]
    wrong = [
        (f"{label!r} is no class of the model", _one_of(str(label), known))
        for label in (case.expected, case.of_class)
        if label is not None and label not in signature.classes
    ]
    bounded = case.at_least is not None or case.at_most is not None
    if bounded and not of_class and len(known) > 2:  # noqa: PLR2004
        fix = f"add a column `class`, one of: {', '.join(known[:12])}"
        wrong.append(("the case bounds a probability and does not say of which class", fix))
    for bound in (case.at_least, case.at_most):
        if bound is not None and not 0 <= bound <= 1:
            wrong.append((f"{bound:g} is no probability", "write a number between 0 and 1"))
    return wrong


def _one_of(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else f"one of: {', '.join(known[:12])}"


def _number(column: NDArray[Any] | None, place: int) -> float | None:
    if column is None or np.isnan(column[place]):
        return None
    return float(column[place])


def _text(column: NDArray[Any] | None, place: int) -> str:
    return "" if column is None or column[place] is None else str(column[place])
