"""Ask an object that the project brought: its rows in the form it wants, its answers checked."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import Mistake
from seatrial.inference.answer import Answer, class_labels
from seatrial.models._entry.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

_MATRIX_RANK = 2
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Way:
    """How an object wants its rows; the package says what ``features`` may be.

    The numbers of a table or a matrix are ``numbers`` wide. In float64 the steps of a pipeline
    compute as ONNX can: in float32 libraries round each in their own way, and a tree behind a
    scaler then goes another way here and there.

    ``columns`` are those that it reads, in its own order; ``classes`` are in the order of its
    ``predict_proba``, and None for numbers.
    """

    features: str
    columns: tuple[str, ...]
    classes: tuple[int | str, ...] | None = None
    numbers: str = "float64"

    def header(self) -> dict[str, object]:
        """As the first line of a pickle file has it."""
        return {
            "format": "seatrial.pickle/1",
            "features": self.features,
            "columns": [*self.columns],
            "numbers": self.numbers,
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        }


def is_estimator(model: object) -> bool:
    """Whether it speaks as scikit-learn's estimators do."""
    return all(callable(getattr(model, name, None)) for name in ("fit", "get_params", "predict"))


def way_to_fit(signature: Signature) -> Way:
    """How an estimator gets the rows to be fitted on: a table where pandas is installed."""
    kind = "pandas" if importlib.util.find_spec("pandas") else "matrix"
    return Way(kind, tuple(each.name for each in signature.inputs))


def way_to_ask(model: object, signature: Signature, whose: str, where: str) -> Way:
    """How a trained object wants its rows; Fault when it reads columns that are not there.

    An estimator gets what it was fitted on: a table when it knows names of columns, else a
    matrix. Anything else gets the columns as the function that made it did.
    """
    names = tuple(each.name for each in signature.inputs)
    if not is_estimator(model):
        return Way("columns", names, _classes(model, signature, whose, where))
    known = getattr(model, "feature_names_in_", None)
    text = any(each.datatype == "BYTES" for each in signature.inputs)
    if known is not None:
        read = tuple(str(name) for name in known)
        absent = [name for name in read if name not in names]
        if absent:
            what = f"{whose} was fitted on a column {absent[0]!r}, which is none of the features"
            raise Fault(Mistake(what, where, fix=f"the features are: {', '.join(names)}"))
        return Way("pandas", read, _classes(model, signature, whose, where))
    table = text and importlib.util.find_spec("pandas") is not None
    return Way("pandas" if table else "matrix", names, _classes(model, signature, whose, where))


def shaped(features: Mapping[str, NDArray[Any]], way: Way) -> Any:
    """The rows in the form that ``way`` names."""
    chosen = {name: features[name] for name in way.columns}
    if way.features == "columns":
        return chosen
    chosen = {
        name: column if column.dtype == object else column.astype(way.numbers)
        for name, column in chosen.items()
    }
    if way.features == "pandas":
        import pandas as pd  # noqa: PLC0415 - where wanted

        return pd.DataFrame(chosen)
    text = any(column.dtype == object for column in chosen.values())
    rows = len(next(iter(chosen.values())))
    joined = np.empty((rows, len(chosen)), object if text else way.numbers)
    for place, column in enumerate(chosen.values()):
        joined[:, place] = column
    return joined


def asked(
    model: Any, features: Mapping[str, NDArray[Any]], way: Way, signature: Signature
) -> Answer:
    """What the object answers, as a model's answer; Fault when its form is wrong.

    What the object itself raises comes through.
    """
    rows = len(next(iter(features.values())))
    given = shaped(features, way)
    if signature.problem == "numbers":
        return Answer(_numbers(model.predict(given), rows))
    label = _labels(model.predict(given), rows, signature)
    table = np.asarray(model.predict_proba(given))
    order = way.classes or signature.classes
    wanted = (rows, len(order))
    if table.shape != wanted or table.dtype.kind not in "fiu":
        raise Fault(
            Mistake(
                f"`predict_proba` answers {_form(table)}; needed are numbers of the shape"
                f" {list(wanted)}: one column for each of the classes",
                fix=f"the classes are, in this order: {_listed(order)}",
            )
        )
    places = [order.index(each) for each in signature.classes]
    return Answer(label, np.ascontiguousarray(table[:, places], dtype=np.float32))


def demand_probabilities(answer: Answer, rows: str) -> None:
    """Fault unless the answers to ``rows`` are numbers, and probabilities are probabilities."""
    odd = ~answer.finite
    if odd.any():
        what = "`predict`" if answer.probabilities is None else "`predict_proba`"
        count = int(odd.sum())
        raise Fault(
            Mistake(
                f"{what} answers no number (NaN or infinite) for {count} of {len(odd)} {rows},"
                f" first row {int(odd.argmax()) + 1}",
                fix="a model must answer a number for each row that it was trained on",
            )
        )
    if answer.probabilities is None:
        return
    table = answer.probabilities
    off = (table < 0) | (table > 1 + _ROUNDING)
    sums = np.abs(table.sum(axis=1) - 1) > _ROUNDING
    bad = off.any(axis=1) | sums
    if bad.any():
        first = int(bad.argmax())
        shown = ", ".join(f"{value:.4g}" for value in table[first][:_SHOWN])
        raise Fault(
            Mistake(
                f"`predict_proba` answers {shown} in row {first + 1}: these are no probabilities"
                " that add up to 1",
                fix="apply a softmax, or calibrate (sklearn.calibration.CalibratedClassifierCV)",
            )
        )


_ROUNDING = 1e-3
"""Sums of many float32 stray a little; a model that is wrong strays far more."""


def _classes(
    model: object, signature: Signature, whose: str, where: str
) -> tuple[int | str, ...] | None:
    """The classes in the object's own order; Fault when they are others."""
    if signature.problem == "numbers":
        return None
    if not callable(getattr(model, "predict_proba", None)):
        raise Fault(
            Mistake(
                f"{whose} has no `predict_proba`, which classes need",
                where,
                fix="choose a model that has one, or wrap it in"
                " sklearn.calibration.CalibratedClassifierCV",
            )
        )
    own = getattr(model, "classes_", None)
    if own is None:
        return signature.classes
    found = tuple(_plain(each) for each in np.asarray(own).reshape(-1).tolist())
    if sorted(map(str, found)) != sorted(map(str, signature.classes)):
        raise Fault(
            Mistake(
                f"{whose} knows the classes {_listed(found)}; the target has"
                f" {_listed(signature.classes)}",
                where,
                fix="fit it on the `target` that the function is given",
            )
        )
    by_text = {str(each): each for each in signature.classes}
    return tuple(by_text[str(each)] for each in found)


def _plain(value: object) -> int | str:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else str(value)


def _numbers(given: object, rows: int) -> NDArray[Any]:
    found = np.asarray(given)
    if found.shape == (rows, 1):
        found = found.reshape(-1)
    if found.shape != (rows,) or found.dtype.kind not in "fiub":
        raise Fault(
            Mistake(
                f"`predict` answers {_form(found)}; needed are numbers of the shape [{rows}],"
                " one for each row"
            )
        )
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(found, dtype=np.float32)


def _labels(given: object, rows: int, signature: Signature) -> NDArray[Any]:
    found = np.asarray(given)
    if found.shape == (rows, 1):
        found = found.reshape(-1)
    if found.shape != (rows,):
        what = f"`predict` answers {_form(found)}; needed is the shape [{rows}], a label a row"
        raise Fault(Mistake(what))
    known = class_labels(signature.classes)
    codes = {each: place for place, each in enumerate(known.tolist())}
    plain = [_plain(each) for each in found.tolist()]
    unknown = [each for each in dict.fromkeys(plain) if each not in codes]
    if unknown:
        raise Fault(
            Mistake(
                f"`predict` answers {unknown[0]!r}, which is none of the classes",
                fix=f"the classes are: {_listed(signature.classes)}",
            )
        )
    return np.asarray(known[[codes[each] for each in plain]])


def _form(found: NDArray[Any]) -> str:
    kind = "objects" if found.dtype == object else found.dtype.name
    return f"{kind} of the shape {list(found.shape)}"


def _listed(values: tuple[int | str, ...]) -> str:
    shown = ", ".join(repr(each) for each in values[:_SHOWN])
    return shown if len(values) <= _SHOWN else f"{shown}, …"
