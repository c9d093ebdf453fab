"""The signature of a model: which columns it reads, and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, cast

from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

Datatype = Literal["FP32", "BYTES"]
Problem = Literal["classes", "numbers"]


@dataclass(frozen=True, slots=True)
class Input:
    """One column: ``FP32`` is a number (NaN: missing), ``BYTES`` a string ("": missing)."""

    name: str
    datatype: Datatype


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs in column order, the problem, and the classes (none when it is numbers)."""

    inputs: tuple[Input, ...]
    problem: Problem
    classes: tuple[int | str, ...] = ()

    @classmethod
    def of(
        cls, features: Mapping[str, np.ndarray], problem: str, classes: tuple[int | str, ...] = ()
    ) -> Signature:
        """The signature of a model that is trained on these columns.

        >>> import numpy as np
        >>> Signature.of({"a": np.zeros(2)}, "numbers").inputs
        (Input(name='a', datatype='FP32'),)
        """
        inputs = tuple(
            Input(name, "FP32" if column.dtype.kind in "fiub" else "BYTES")
            for name, column in features.items()
        )
        return cls(inputs, cast("Problem", problem), classes)

    def to_json(self) -> dict[str, object]:
        """A plain dict, which :meth:`from_json` reads back."""
        return {
            "inputs": [asdict(each) for each in self.inputs],
            "problem": self.problem,
            "classes": list(self.classes),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Signature:
        """Read back what :meth:`to_json` wrote; a FormError when it is something else.

        >>> both = Signature((Input("a", "FP32"),), "classes", (0, 1))
        >>> Signature.from_json(both.to_json()) == both
        True
        """
        try:
            inputs = cast("list[Mapping[str, str]]", document["inputs"])
            problem = cast("Problem", document["problem"])
            classes = tuple(cast("list[int | str]", document["classes"]))
            read = tuple(Input(i["name"], cast("Datatype", i["datatype"])) for i in inputs)
        except (KeyError, TypeError) as error:
            raise FormError(
                Mistake("this is no signature of a model", fix="it needs inputs, problem, classes")
            ) from error
        unknown = {str(each.datatype) for each in read} - {"FP32", "BYTES"}
        if unknown or problem not in ("classes", "numbers"):
            odd = repr(", ".join(sorted(unknown)) or problem)[:80]
            raise FormError(Mistake(f"the signature of the model says {odd}, which is unknown"))
        return cls(read, problem, classes)
