"""Was the exported model proven equal to the trained one when it was registered?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.evaluation.behaviour.found import Fault, Found, named, skipped
from seatrial.inference.parity import TOLERANCE
from seatrial.outcome import Direction, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping


def exported(manifest: Mapping[str, Any]) -> Found:
    """The parity that ``register`` recorded in the manifest, of the very bytes that are tested.

    It is read and not measured again: the trained form needs the library that trained it, and
    bytes do not change.
    """
    record = manifest.get("parity")
    if not isinstance(record, dict) or not {"rows", "largest_difference"} <= record.keys():
        what = "the manifest records no proof that the exported model answers as the trained one"
        return skipped("exported", what, TOLERANCE)
    rows, difference = int(record["rows"]), float(record["largest_difference"])
    proven = rows > 0 and difference <= TOLERANCE
    measure = Measure(
        name=named("exported"),
        value=difference,
        limit=TOLERANCE,
        direction=Direction.AT_MOST,
        n=rows,
        verdict=Verdict.PASS if proven else Verdict.FAIL,
    )
    if proven:
        return Found((measure,))
    what = (
        f"exported, the model differs from the trained one by up to {difference:.3g}"
        f" on {rows} rows (allowed {TOLERANCE:g})"
    )
    return Found((measure,), (Fault(what=what, hint="train and register the model again"),))
