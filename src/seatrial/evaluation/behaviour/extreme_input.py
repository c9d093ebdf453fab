"""Is a row with numbers far out, or with odd text, answered?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import part, spread_out
from seatrial.evaluation.behaviour.changed_input import Change, survives
from seatrial.evaluation.behaviour.found import Fault, Found
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

FAR = 1000
"""Times the greatest magnitude seen: what a wrong unit makes of a number."""

TINY = float(np.float32(1e-45))
"""The smallest number that float32 holds, far below what it holds exactly."""

ROWS = 40

TEXTS = {
    "a text of 10 000 letters": "x" * 10_000,
    "a space": " ",
    "a line break": "\n",
    "emoji and right-to-left text": "\N{SHIP}\N{ZERO WIDTH JOINER}\N{HEBREW LETTER ALEF}e\u0301",
    "a NUL character": "a\x00b",
}


def extreme_input(model: Answers, features: Features) -> Found:
    """Numbers a thousand times beyond what was seen, 0 and the tiniest; long and odd text.

    Every column by itself, then all numbers together. What the model makes of the very ends of
    float32 (its greatest numbers and infinity, which a number too great becomes on its way) is
    reported and decides nothing, unless it fails altogether: a sum of such numbers has no value.
    """
    some = part(features, spread_out(len(next(iter(features.values()), ())), ROWS))
    greatest = {
        each.name: _greatest(features[each.name])
        for each in model.signature.inputs
        if each.datatype == "FP32"
    }
    texts = [each.name for each in model.signature.inputs if each.datatype == "BYTES"]
    found = survives("extreme_input", model, some, [*_far(greatest), *_odd(texts)])
    ends = survives("float32_ends", model, some, [*_ends(greatest)])
    return _with_ends(found, ends)


def _far(greatest: dict[str, float]) -> list[Change]:
    changes = [
        Change(f"{name!r} = {value:g}", {name: value})
        for name, reach in greatest.items()
        for value in (FAR * reach, -FAR * reach, -0.0, TINY)
    ]
    if len(greatest) > 1:
        for sign, said in ((1, "above"), (-1, "below")):
            every: dict[str, object] = {name: sign * FAR * m for name, m in greatest.items()}
            changes.append(Change(f"every number {FAR} times {said} what was seen", every))
        changes.append(Change(f"every number = {TINY:g}", dict.fromkeys(greatest, TINY)))
    return changes


def _odd(texts: list[str]) -> list[Change]:
    return [
        Change(f"{name!r} = {said}", {name: text}) for name in texts for said, text in TEXTS.items()
    ]


def _ends(greatest: dict[str, float]) -> list[Change]:
    most = float(np.finfo(np.float32).max)
    ends = (most, -most, np.inf, -np.inf)
    changes = [Change(f"{n!r} = {end:g}", {n: end}) for n in greatest for end in ends]
    if len(greatest) > 1:
        changes += [Change(f"every number = {e:g}", dict.fromkeys(greatest, e)) for e in ends]
    return changes


def _greatest(column: NDArray[Any]) -> float:
    finite = column[np.isfinite(column)]
    seen = float(np.abs(finite.astype(np.float64)).max(initial=1.0))
    return min(seen, float(np.finfo(np.float32).max) / FAR / 10)


def _with_ends(found: Found, ends: Found) -> Found:
    """``ends`` as a report; where the model fails altogether it counts."""
    raised = [fault for fault in ends.faults if fault.refused]
    (measure,), (told,) = found.measures, ends.measures
    if raised and measure.value is not None:
        value = measure.value + sum(len(fault.rows) for fault in raised)
        measure = replace(measure, value=value, n=measure.n + told.n, verdict=Verdict.FAIL)
    report = replace(told, limit=None, verdict=Verdict.SKIP)
    other = len(ends.faults) - len(raised)
    faults = [*found.faults, *raised]
    if other and told.value is not None:
        what = (
            f"at the ends of float32, {told.value:g} of {told.n} answers are not numbers, such as"
            f" {next(f.what for f in ends.faults if not f.refused)}; this decides nothing"
        )
        faults.append(Fault(what=what))
    return Found((measure, report), tuple(faults))
