"""What a person declares of a model, as the pipeline file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from seatrial.errors import Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from seatrial.inference.signature import Signature

Rows = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(gt=0, le=1)]


class Invariance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column that must not matter.

    ``limit`` is the share of rows whose label may change with it; for numbers, how far the answer
    may move in the mean, in its standard deviations.
    """

    column: str
    limit: Share = 0.01
    rows: Rows | None = None

    def demanded(self) -> str:
        """A line of the plan."""
        return (
            f"another {self.column} changes the label of at most {self.limit:g} of the rows"
            " (of numbers: the answer by as many standard deviations; upper 95 % bound)"
        )

    def misdeclared(self, columns: Collection[str], signature: Signature) -> Iterator[Mistake]:
        """What does not fit the dataset's columns; a column that the model does not read does."""
        yield from _no_such({*columns} | {each.name for each in signature.inputs}, self.column)


class Monotony(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column with which the mean answer goes one way.

    ``tolerance`` is how far it may go back, in its own units: of the probability of ``class``
    (needed with three classes and more), or of the number.
    """

    column: str
    tolerance: Annotated[float, Meta(ge=0)] | None = None
    of_class: int | str | None = msgspec.field(default=None, name="class")
    rows: Rows | None = None

    def demanded(self, goes: str, back: str) -> str:
        """A line of the plan, such as "as distance grows the mean answer rises …"."""
        whose = "" if self.of_class is None else f" for the class {self.of_class}"
        allowed = (
            f"{self.tolerance:g}"
            if self.tolerance is not None
            else "0.01, of numbers 0.01 standard deviations"
        )
        return (
            f"as {self.column} grows the mean answer{whose} {goes}: it {back} by at most {allowed}"
            " (upper 95 % bound)"
        )

    def misdeclared(self, columns: Collection[str], signature: Signature) -> Iterator[Mistake]:
        """What does not fit the model: no such column, text, a class that is missing or none."""
        read = {each.name: each.datatype for each in signature.inputs}
        if self.column not in read:
            if self.column in columns:
                what = f"the model does not read the column {self.column!r}"
                yield Mistake(what, fix="its answer has no direction in it: take it off the list")
            else:
                yield from _no_such(read, self.column)
        elif read[self.column] != "FP32":
            what = f"the column {self.column!r} holds text, which does not grow"
            yield Mistake(what, fix="name a column of numbers")
        classes = [str(label) for label in signature.classes]
        if self.of_class is None:
            if len(classes) > 2:  # noqa: PLR2004
                what = f"the model has {len(classes)} classes: whose probability has a direction?"
                fix = f"{{column: {self.column}, class: {classes[-1]}}}"
                yield Mistake(what, fix=f"write `{fix}`")
        elif not classes:
            what = f"the model answers numbers and has no class {self.of_class!r}"
            yield Mistake(what, fix="leave `class` out")
        elif self.of_class not in signature.classes:
            word = str(self.of_class)
            yield Mistake(
                f"the model has no class {self.of_class!r}",
                nearest=nearest(word, classes),
                fix=f"one of: {', '.join(classes[:12])}",
            )


class Noise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every number moves by ``share`` of its interquartile range.

    Only with a ``limit`` it decides: the share of rows whose label may flip; for numbers, how far
    the answer may move in the mean, in its standard deviations.
    """

    share: Share = 0.01
    limit: Share | None = None

    def demanded(self) -> str:
        """A line of the plan."""
        does = "is reported and decides nothing"
        if self.limit is not None:
            does = f"flips the label of at most {self.limit:g} of the rows (upper 95 % bound)"
        return f"noise of {self.share:g} of each number's interquartile range {does}"


def _no_such(known: Collection[str], column: str) -> Iterator[Mistake]:
    if column not in known:
        names = [*known]
        more = f" … and {len(names) - 12} more" if len(names) > 12 else ""  # noqa: PLR2004
        fix = f"use one of: {', '.join(names[:12])}{more}"
        yield Mistake(f"there is no column {column!r}", nearest=nearest(column, names), fix=fix)
