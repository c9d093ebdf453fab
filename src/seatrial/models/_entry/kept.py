"""A model that a project brought, kept as one file of plain values; registered and asked anew."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seatrial.errors import FormError, Mistake
from seatrial.inference.answer import Answer
from seatrial.inference.pickled import Pickled
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.models import NotExportable, Witness
from seatrial.models._entry.packed import Packed, pack, unpack
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FORMAT = "seatrial.entry/1"
ONNX, PICKLE = "model.onnx", "model.pickle"
_ROWS, _LABEL, _PROBABILITIES = "rows/", "label", "probabilities"


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of an entry point or of a finished file.

    ``made`` says what it is, for a sentence. ``onnx`` is None where there is no exact form, and
    ``reason`` then says why; ``pickled`` is what ``trust: pickle`` kept instead.
    """

    signature: Signature
    made: str
    onnx: bytes | None = None
    pickled: bytes | None = None
    reason: str = ""
    witness: Witness | None = None
    findings: tuple[Finding, ...] = ()

    def predict(self, features: Mapping[str, NDArray[Any]]) -> Answer:
        """Answer for columns ``[n]``; NotExportable when the model was not kept in any form."""
        if self.pickled is not None:
            model = Pickled.open(self.pickled, self.signature)
            try:
                return model.predict(features)
            finally:
                model.close()
        return Model.load(self.to_onnx(), self.signature).predict(features)

    def to_onnx(self) -> bytes:
        """The serving format; NotExportable with the reason."""
        if self.onnx is None:
            raise NotExportable(Mistake(self.reason))
        return self.onnx

    def native(self) -> bytes:
        """All of it in one file, which :func:`restore` reads."""
        arrays: dict[str, NDArray[Any]] = {}
        if self.witness is not None:
            arrays |= {f"{_ROWS}{name}": values for name, values in self.witness.rows.items()}
            arrays[_LABEL] = self.witness.answer.label
            if self.witness.answer.probabilities is not None:
                arrays[_PROBABILITIES] = self.witness.answer.probabilities
        document = {
            "format": FORMAT,
            "signature": self.signature.to_json(),
            "made": self.made,
            "reason": self.reason,
            "by": self.witness.by if self.witness else None,
            "findings": [asdict(finding) for finding in self.findings],
        }
        files = {ONNX: self.onnx, PICKLE: self.pickled}
        kept = {name: content for name, content in files.items() if content is not None}
        return pack(Packed(document, arrays, kept))


def restore(native: bytes, signature: Signature) -> Kept:
    """Read what :meth:`Kept.native` wrote; FormError when it is something else."""
    packed = unpack(native)
    document, arrays = packed.document, packed.arrays
    try:
        if document["format"] != FORMAT:
            raise FormError(Mistake(f"a model of the form {document['format']!r} is unknown"))
        if Signature.from_json(document["signature"]) != signature:
            raise FormError(Mistake("the model was trained with another signature"))
        witness = None
        if document["by"] is not None:
            answer = Answer(arrays[_LABEL], arrays.get(_PROBABILITIES))
            witness = Witness(packed.part(_ROWS), answer, document["by"])
        return Kept(
            signature=signature,
            made=document["made"],
            onnx=packed.files.get(ONNX),
            pickled=packed.files.get(PICKLE),
            reason=document["reason"],
            witness=witness,
            findings=tuple(Finding(**finding) for finding in document["findings"]),
        )
    except (KeyError, TypeError) as error:
        raise FormError(Mistake("these bytes are no model that a project brought")) from error
