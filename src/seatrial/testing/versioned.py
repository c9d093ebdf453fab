"""A registered version, as a test asks it: ``seatrial_model`` and ``seatrial_production``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seatrial.errors import FormError, Mistake
from seatrial.inference.opening import model_digest, open_model
from seatrial.inference.signature import Signature
from seatrial.metrics import Predictions
from seatrial.testing.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.evaluation.handed import Numbered
    from seatrial.evaluation.labelled import Labelled
    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers
    from seatrial.ledger.blobs import Blobs


@dataclass(frozen=True, slots=True, repr=False)
class VersionedModel:
    """A version that answers: by its number, with what it reads and what it was trained on.

    What it is asked may be a mapping of columns to arrays or lists, a ``pandas.DataFrame``, one
    row as a mapping of columns to values, or the rows of ``seatrial_dataset``. Columns that it
    does not read are ignored; FormError names those that it misses.
    """

    name: str
    version: int
    digest: str
    """Of the model itself: two versions that share it are the same model."""
    trained_on: str
    """The fingerprint of the rows that it learned from; empty when it is not known."""
    answers: Answers

    @property
    def signature(self) -> Signature:
        """The columns that it reads (``inputs``), the ``problem``, and the ``classes``."""
        return self.answers.signature

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def predict(self, rows: object) -> NDArray[Any]:
        """The labels ``[n]``: classes as they stand in the data, or numbers."""
        __tracebackhide__ = True
        return self._answer(rows).label

    def predict_proba(self, rows: object) -> NDArray[Any]:
        """The probabilities ``[n, classes]``, in the order of ``signature.classes``."""
        __tracebackhide__ = True
        found = self._answer(rows).probabilities
        if found is None:
            what = f"{self} predicts numbers, which have no probabilities"
            raise FormError(Mistake(what, fix="use predict()"))
        return found

    def predict_row(self, **columns: object) -> Any:
        """The label of one row: ``model.predict_row(carrier="UA", dep_delay=12)``."""
        __tracebackhide__ = True
        (label,) = self._answer(columns).label.tolist()
        return label

    def judged(self, rows: Labelled) -> Predictions:
        """What it says about rows, to be weighed."""
        __tracebackhide__ = True
        answer = self._asked(rows.features)
        return Predictions(answer.label, answer.probabilities, self.signature.classes)

    def _answer(self, rows: object) -> Answer:
        __tracebackhide__ = True
        return self._asked(self._columns(rows))

    def _asked(self, features: Mapping[str, NDArray[Any]]) -> Answer:
        __tracebackhide__ = True
        try:
            return self.answers.predict(features)
        except FormError as error:
            # told from where it was asked, and first what was probably misspelt
            raise FormError(*sorted(error.mistakes, key=lambda each: not each.nearest)) from None

    def _columns(self, rows: object) -> dict[str, NDArray[Any]]:
        """The columns that it reads, as far as they are there."""
        __tracebackhide__ = True
        if isinstance(rows, Rows):
            if rows.source.signature != self.signature and rows.source.no_labels is None:
                return dict(rows.read_by(None, self.signature).features)
            rows = rows.features
        if not (hasattr(rows, "keys") and hasattr(rows, "__getitem__")):
            raise FormError(
                Mistake(
                    f"{self} was asked about {type(rows).__name__}, which has no named columns",
                    fix="give a mapping of columns, a DataFrame, or rows of seatrial_dataset",
                )
            )
        columns = cast("Mapping[str, object]", rows)
        given = {
            each.name: columns[each.name]
            for each in self.signature.inputs
            if each.name in columns.keys()  # noqa: SIM118 - of a DataFrame too
        }
        others = {str(name): np.empty(0) for name in columns.keys() if name not in given}  # noqa: SIM118
        one_row = bool(given) and all(np.ndim(cast("Any", v)) == 0 for v in given.values())
        numbers = {each.name for each in self.signature.inputs if each.datatype == "FP32"}
        read = {
            name: _numbers(values, one_row=one_row)
            if name in numbers
            else _texts(values, one_row=one_row)
            for name, values in given.items()
        }
        # the others are not read, but one of them may be the nearest to a name that is missing
        return {**read, **others}


def version_of(numbered: Numbered, blobs: Blobs) -> VersionedModel:
    """Open a version; its files are verified. StoreError when they are damaged or gone."""
    whose = str(numbered)
    manifest = json.loads(blobs.get(numbered.digest, of=whose))
    files = cast("Mapping[str, str]", manifest["files"])
    signature = Signature.from_json(manifest["signature"])
    return VersionedModel(
        name=numbered.model,
        version=numbered.version,
        digest=model_digest(files, whose),
        trained_on=str(manifest.get("training", {}).get("fingerprint", "")),
        answers=open_model(files, blobs.get, signature, whose, manifest.get("trust")),
    )


def _numbers(values: object, *, one_row: bool) -> NDArray[Any]:
    """A column of numbers; None and what pandas calls missing become NaN, other things stay."""
    if hasattr(values, "to_numpy"):
        values = cast("Any", values).to_numpy(dtype=object, na_value=None)
    read = np.asarray([values] if one_row else values)
    if read.dtype != object:
        return read
    try:
        return np.array([np.nan if each is None else each for each in read], dtype=np.float64)
    except (TypeError, ValueError):
        return read  # the model says which it cannot read


def _texts(values: object, *, one_row: bool) -> NDArray[Any]:
    """A column of text; what pandas calls missing becomes None."""
    if hasattr(values, "to_numpy"):
        values = cast("Any", values).to_numpy(dtype=object, na_value=None)
    if one_row:
        values = [values]
    return values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
