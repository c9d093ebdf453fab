"""Does a request, sent as users send it, come back with what the model itself answers?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import RequestError
from seatrial.evaluation.behaviour.asking import Refusal, apart, ask, count, part
from seatrial.evaluation.requests import Form, forms, parsed, request
from seatrial.inference import v2
from seatrial.inference.answer import Answer
from seatrial.inference.columns import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from seatrial.inference.opening import Answers
    from seatrial.inference.served import Served

    Columns = Mapping[str, NDArray[Any]]

ONE_BY_ONE = 256
"""Rows that are sent alone, in every form; drawn when there are more."""

BATCH = 1024
"""Rows of one request when all are sent."""

MISSING = 64
"""Columns that are left out of a row, one at a time."""

_SHOWN = 4
_SPOKEN: Mapping[Form, str] = {
    "columns": "JSON by column names",
    "matrix": "one JSON matrix",
    "binary": "raw tensors",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """What went otherwise than the model itself, in one form of request.

    ``rows`` counts those that it happened to, ``first`` is the number of one (from 0).
    """

    form: Form
    how: str
    what: str
    rows: int
    first: int

    @property
    def spoken(self) -> str:
        """How it was sent, in words.

        >>> Difference("matrix", "alone", "is refused", 1, 0).spoken
        'alone as one JSON matrix'
        """
        return f"{self.how} as {_SPOKEN[self.form]}"


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of ``rows`` rows: how many came back otherwise, and a difference for each kind."""

    rows: int
    differing: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class _Sent:
    """One request: which rows of the dataset, how they are sent, and what the model answers."""

    numbers: NDArray[np.intp]
    how: str
    features: Columns
    expected: Answer | Refusal


def asked(served: Served, features: Columns, form: Form = "columns") -> Answer:
    """The answer to one request with these rows, as its client reads it.

    Raises RequestError when it is refused, and whatever the model raises.
    """
    sent = request(served.signature, features, form)
    read = v2.decode(sent.body, sent.json_length, served)
    answer = served.answer(read.features)
    return parsed(*v2.encode(read, served, read.id, answer))


def walked(model: Answers, served: Served, features: Columns, *, seed: int) -> Walked:
    """Send every row in batches, at most 256 alone, and a row with each column missing in turn.

    All of it in each form of request that the version takes. ``model`` is the same version,
    opened as a Python object. What it cannot answer is a difference; but not of a row with a
    column missing, of which only answers are compared.
    """
    sent = [*_requests(model, columns(features, served.signature), seed)]
    wrong: set[int] = set()
    kinds: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
    for form in forms(served):
        for each in sent:
            for number, kind, what in _went_wrong(served, each, form):
                wrong.add(number)
                kinds[form, each.how, kind].append((number, what))
    return Walked(count(features), len(wrong), tuple(_differences(kinds)))


def _requests(model: Answers, read: Columns, seed: int) -> Iterator[_Sent]:
    rows = count(read)
    alone = np.arange(rows)
    if rows > ONE_BY_ONE:
        drawn = np.random.default_rng(seed).choice(rows, ONE_BY_ONE, replace=False)
        alone = np.sort(drawn)
    for number in alone:
        yield _sent(model, read, np.array([number]), "alone")
    for start in range(0, rows, BATCH):
        numbers = np.arange(start, min(start + BATCH, rows))
        yield _sent(model, read, numbers, "in a batch")
    if rows:
        yield from _with_missing(model, read, alone[:1])


def _sent(model: Answers, read: Columns, numbers: NDArray[np.intp], how: str) -> _Sent:
    chosen = part(read, numbers)
    return _Sent(numbers, how, chosen, ask(model, chosen))


def _with_missing(model: Answers, read: Columns, number: NDArray[np.intp]) -> Iterator[_Sent]:
    row = part(read, number)
    for name in [*row][:MISSING]:
        absent = np.array([""], object) if row[name].dtype == object else np.array([np.nan], "f4")
        changed = {**row, name: absent}
        expected = ask(model, changed)
        if isinstance(expected, Answer):
            yield _Sent(number, f"with {name!r} missing", changed, expected)


def _went_wrong(served: Served, sent: _Sent, form: Form) -> Iterator[tuple[int, str, str]]:
    """Each row that did: its number, the kind of trouble, and what it looked like."""
    expected = sent.expected
    if isinstance(expected, Refusal):
        told = f"has no answer to compare with: {expected.sentence}"
        yield from ((int(number), told, told) for number in sent.numbers)
        return
    try:
        got = asked(served, sent.features, form)
    except RequestError as error:
        told = f"is refused: {error}"
    except Exception as error:  # noqa: BLE001 - a client would get status 500, or could not read it
        text = " ".join(str(error).split())[:160]
        told = f"fails: {type(error).__name__}: {text}"
    else:
        yield from _otherwise(sent.numbers, expected, got)
        return
    for number in sent.numbers:
        yield int(number), told, told


def _otherwise(
    numbers: NDArray[np.intp], expected: Answer, got: Answer
) -> Iterator[tuple[int, str, str]]:
    """Rows with another answer, by the tolerance of parity."""
    for at in np.flatnonzero(apart(_as_told(expected), _as_told(got))).tolist():
        what = f"is answered {_shown(got, at)} instead of {_shown(expected, at)}"
        yield int(numbers[at]), "differs", what


def _as_told(answer: Answer) -> Answer:
    """As JSON can say it: infinities are null there, as NaN is."""
    if answer.probabilities is not None:
        table = answer.probabilities
        return Answer(answer.label, np.where(np.isinf(table), np.nan, table))
    label = answer.label.astype(np.float64)
    return Answer(np.where(np.isinf(label), np.nan, label))


def _shown(answer: Answer, row: int) -> str:
    label = answer.label[row]
    if answer.probabilities is None:
        return f"{label:g}"
    table = ", ".join(f"{share:.4g}" for share in answer.probabilities[row][:_SHOWN])
    more = ", …" if answer.probabilities.shape[1] > _SHOWN else ""
    return f"{label} ({table}{more})"


def _differences(
    kinds: Mapping[tuple[Any, str, str], Iterable[tuple[int, str]]],
) -> Iterator[Difference]:
    for (form, how, _), told in kinds.items():
        first, what = next(iter(told))
        yield Difference(form, how, what, len({number for number, _ in told}), first)
