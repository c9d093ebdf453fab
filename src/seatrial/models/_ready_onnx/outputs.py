"""From the outputs of a file to our answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from seatrial.errors import nearest
from seatrial.inference.answer import class_labels
from seatrial.models._ready_onnx.around import LABEL, PROBABILITIES
from seatrial.models._ready_onnx.probabilities import demand_probabilities
from seatrial.models._ready_onnx.trial import classes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.errors import FormError
    from seatrial.models._ready_onnx.around import Around
    from seatrial.models._ready_onnx.trial import Tried

_TABLES = ("probabilities", "output_probability", "probability", "probs", "proba")
_LABELS = ("label", "output_label", "labels", "class")
_NUMBERS = ("label", "variable", "prediction", "predictions", "output")
_LISTED = 4

_FLAT = ("flat", np.array([-1], np.int64))
_COLUMN = ("column", np.array([-1, 1], np.int64))


def put_behind(around: Around, tried: Tried) -> None:
    """Make our answers of what the file said; FormError when they cannot be made."""
    for name, said in tried.said.items():
        if said.ndim == 0 or said.shape[0] != tried.rows:
            what = f"the file's output {_own(around, name)!r} has the shape {[*said.shape]}"
            fix = "export it with a dynamic batch, and with one answer a row"
            raise around.wrong(f"{what} for {tried.rows} rows", fix)
    if around.signature.problem == "numbers":
        _numbers(around, tried)
    else:
        _classes(around, tried)


def _own(around: Around, name: str) -> str:
    """The name as the file's author knows it."""
    return name.removeprefix(around.theirs)


def _width(said: NDArray[Any]) -> int:
    """Values a row; 0 when a row is no list of them."""
    return 1 if said.ndim == 1 else said.shape[1] if said.ndim == 2 else 0  # noqa: PLR2004


def _told(around: Around, tried: Tried) -> str:
    """The outputs, for a sentence."""
    each = [
        f"{_own(around, name)} {said.dtype if said.dtype.kind in 'fiub' else 'words'}"
        f" [{', '.join(['n', *map(str, said.shape[1:])])}]"
        for name, said in tried.said.items()
    ]
    return ", ".join(each[:_LISTED]) + (" …" if len(each) > _LISTED else "")


def _numbers(around: Around, tried: Tried) -> None:
    """``label``: the only output with one number a row."""
    fits = {
        name: said
        for name, said in tried.said.items()
        if said.dtype.kind in "fiu" and _width(said) == 1
    }
    name = _one_of(around, fits, _NUMBERS)
    wide = [s for s in tried.said.values() if s.dtype.kind == "f" and _width(s) > 1]
    if name is None or (wide and fits[name].dtype.kind != "f"):
        what = f"the target is numbers; the file answers {_told(around, tried)}"
        fix = "export one output with one number a row, [n] or [n, 1]"
        raise around.wrong(what, f"{fix}; for classes, write `problem: classes`")
    if not np.isfinite(fits[name][1:].astype(np.float64)).any():
        what = f"the file's output {_own(around, name)!r} is not a finite number for any row tried"
        raise around.wrong(what, "look at it with a row of your own data")
    value = name
    if fits[name].dtype != np.float32:
        value = around.put(around.behind, "Cast", [value], to=TensorProto.FLOAT)
    around.put(around.behind, "Reshape", [value, around.constant(*_FLAT)], LABEL)


def _one_of(
    around: Around, fits: Mapping[str, NDArray[Any]], preferred: Sequence[str]
) -> str | None:
    """The only output that fits, or the one of a known name; None when that is not clear."""
    if len(fits) == 1:
        return next(iter(fits))
    by_own_name = {_own(around, name).casefold(): name for name in fits}
    return next((by_own_name[name] for name in preferred if name in by_own_name), None)


def _classes(around: Around, tried: Tried) -> None:
    """``probabilities``, and ``label``: the file's own, else the most probable class."""
    classes = around.signature.classes
    name = _table(around, tried)
    table = tried.said[name]
    demand_probabilities(around, table, _own(around, name))
    label = _label(around, tried)
    meaning = None if label is None else _meaning(around, tried, label, name)
    value = name
    if table.dtype != np.float32:
        value = around.put(around.behind, "Cast", [value], to=TensorProto.FLOAT)
    if table.ndim == 1:
        value = around.put(around.behind, "Reshape", [value, around.constant(*_COLUMN)])
    if _width(table) == 1:
        one = around.constant("one", np.ones((), np.float32))
        lesser = around.put(around.behind, "Sub", [one, value])
        around.put(around.behind, "Concat", [lesser, value], PROBABILITIES, axis=1)
    else:
        order = meaning.order if meaning else _order(around, tried.zipped.get(name, ()))
        _put_in_order(around, value, order)
    if label is None or meaning is None:
        best = around.put(around.behind, "ArgMax", [PROBABILITIES], axis=1, keepdims=0)
        names = around.constant("classes", class_labels(classes))
        around.put(around.behind, "Gather", [names, best], LABEL, axis=0)
    else:
        _put_label(around, label, tried.said[label], meaning.how)


def _table(around: Around, tried: Tried) -> str:
    """The output that holds the probabilities."""
    classes = around.signature.classes
    floats = {name: said for name, said in tried.said.items() if said.dtype.kind == "f"}
    fits = {name: said for name, said in floats.items() if _width(said) == len(classes)}
    if not fits and len(classes) == 2:  # noqa: PLR2004 - the other's follows
        fits = {name: said for name, said in floats.items() if _width(said) == 1}
    name = _one_of(around, fits, _TABLES)
    if name is not None:
        return name
    if fits:
        what = f"it is not clear which output holds the probabilities: {_told(around, tried)}"
        raise around.wrong(what, "name it `probabilities`, or leave the others out of the export")
    if not floats:
        what = f"the file answers no probabilities, only {_told(around, tried)}"
        fix = "export them too (of scikit-learn, an estimator with `predict_proba`)"
        raise around.wrong(what, fix)
    what = f"the data has {len(classes)} classes ({_listed(classes)}), but the file answers"
    fix = f"export probabilities [n, {len(classes)}], trained on the same classes"
    raise around.wrong(f"{what} {_told(around, tried)}", fix)


def _listed(labels: Sequence[object]) -> str:
    return ", ".join(map(str, labels[:_LISTED])) + (" …" if len(labels) > _LISTED else "")


def _label(around: Around, tried: Tried) -> str | None:
    """The output that holds the labels, if there is one."""
    fits = {
        name: said
        for name, said in tried.said.items()
        if said.dtype.kind in "iubOUST" and _width(said) == 1
    }
    name = _one_of(around, fits, _LABELS)
    if name is None and fits:
        what = f"it is not clear which output holds the labels: {_told(around, tried)}"
        raise around.wrong(what, "name it `label`, or leave the others out of the export")
    return name


@dataclass(frozen=True, slots=True)
class _Meaning:
    """How the file's labels become our classes.

    ``how`` is "value" (they are), "place" (they count the classes) or "spelled" (words for whole
    numbers). ``order`` says where each class stands among the probabilities.
    """

    how: str
    order: tuple[int, ...]


def _meaning(around: Around, tried: Tried, label: str, table: str) -> _Meaning:
    """What the labels mean: that under which they best go with the probabilities.

    A file trained on the classes 1 and 2 may answer 0 and 1, and 1 is then the greater class, not
    the lesser. The most probable class tells which; where both go as well, the labels are taken
    for what they say.
    """
    classes = around.signature.classes
    said = tried.said[label].reshape(-1).tolist()
    known = _known(around, tried, label, table)
    possible: list[tuple[int, _Meaning, NDArray[Any], NDArray[Any]]] = []
    for how, places in _readings(classes):
        if not {*said, *known} <= places.keys():
            continue
        order = _ordered([places[each] for each in known], len(classes))
        if order is None:
            continue
        named = np.array([places[each] for each in said])
        best = _best(tried.said[table], order)
        possible.append((int((named == best).sum()), _Meaning(how, order), named, best))
    if not possible:
        raise _other_labels(around, [*said, *known])
    _, meaning, named, best = max(possible, key=lambda each: each[0])
    if not known:
        _demand_sorted(around, named, best)
    return meaning


def _readings(classes: Sequence[int | str]) -> list[tuple[str, dict[int | str, int]]]:
    """What a label may mean: the place of the class, by the label."""
    readings: list[tuple[str, dict[int | str, int]]] = [
        ("value", {each: place for place, each in enumerate(classes)}),
        ("place", {place: place for place in range(len(classes))}),
    ]
    if all(isinstance(each, int) for each in classes):
        readings.append(("spelled", {str(each): place for place, each in enumerate(classes)}))
    return readings


def _known(around: Around, tried: Tried, label: str, table: str) -> tuple[int | str, ...]:
    """The classes of the columns of the probabilities, where the file tells them."""
    if tried.zipped.get(table):
        return tried.zipped[table]
    makers = {name: node for node in around.graph.node for name in node.output}
    maker = makers.get(label)
    return () if maker is None else classes_of(maker)


def _ordered(places: list[int], count: int) -> tuple[int, ...] | None:
    """Where each class stands; in order when nothing is known, None when some are missing."""
    if not places:
        return tuple(range(count))
    if sorted(places) != [*range(count)]:
        return None
    return tuple(places.index(place) for place in range(count))


def _order(around: Around, known: Sequence[int | str]) -> tuple[int, ...]:
    """Where each class stands among the probabilities of a file that answers no label."""
    for _, places in _readings(around.signature.classes):
        if {*known} <= places.keys():
            order = _ordered([places[each] for each in known], len(around.signature.classes))
            if order is not None:
                return order
    raise _other_labels(around, known)


def _best(table: NDArray[Any], order: tuple[int, ...]) -> NDArray[Any]:
    """The place of the most probable class in each row; -1 where there is none."""
    if _width(table) == 1:
        greater = table.reshape(-1)
        return np.where(np.isfinite(greater), greater > 0.5, -1).astype(int)  # noqa: PLR2004
    sorted_table = table[:, [*order]]
    finite = np.isfinite(sorted_table).all(axis=1)
    return np.where(finite, np.argmax(sorted_table, axis=1), -1)


def _demand_sorted(around: Around, named: NDArray[Any], best: NDArray[Any]) -> None:
    """That labels and probabilities are not plainly in two orders.

    They are when two labels or more always go with another class each. (One may: a model may
    answer a label before it is the most probable one.)
    """
    clear = best >= 0
    goes_with = {place: {*best[clear & (named == place)].tolist()} for place in {*named.tolist()}}
    partners = [next(iter(each)) for each in goes_with.values() if len(each) == 1]
    always = all(len(each) <= 1 for each in goes_with.values())
    moved = [p for p, each in goes_with.items() if len(each) == 1 and each != {p}]
    if always and len({*partners}) == len(partners) and len(moved) > 1:
        classes = around.signature.classes
        one = moved[0]
        other = next(iter(goes_with[one]))
        what = f"where the file's label is {classes[one]!r}, the greatest probability is that of"
        what += f" {classes[other]!r}"
        fix = f"order the probabilities as the sorted classes ({_listed(classes)}), or leave the"
        raise around.wrong(what, f"{fix} label out: it is then the most probable class")


def _other_labels(around: Around, said: Sequence[object]) -> FormError:
    classes = [*map(str, around.signature.classes)]
    unknown = sorted({str(each) for each in said} - {*classes}) or sorted({*map(str, said)})
    what = f"the file knows the class {unknown[0]!r}; the data has {_listed(classes)}"
    fix = "train it on the same classes, or map its labels to them inside the graph"
    return around.wrong(what, fix, nearest(unknown[0], classes))


def _put_in_order(around: Around, value: str, order: tuple[int, ...]) -> None:
    if order == tuple(range(len(order))):
        around.put(around.behind, "Identity", [value], PROBABILITIES)
        return
    places = around.constant("order", np.array(order, np.int64))
    around.put(around.behind, "Gather", [value, places], PROBABILITIES, axis=1)


def _put_label(around: Around, name: str, said: NDArray[Any], how: str) -> None:
    value = name
    if (said.dtype.kind in "iub" and said.dtype != np.int64) or how == "spelled":
        value = around.put(around.behind, "Cast", [value], to=TensorProto.INT64)
    flat = around.constant(*_FLAT)
    if how != "place":
        around.put(around.behind, "Reshape", [value, flat], LABEL)
        return
    value = around.put(around.behind, "Reshape", [value, flat])
    names = around.constant("classes", class_labels(around.signature.classes))
    around.put(around.behind, "Gather", [names, value], LABEL, axis=0)
