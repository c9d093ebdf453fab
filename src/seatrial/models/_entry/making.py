"""Make a model of what the project's function returns, and let it answer for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake
from seatrial.models import Witness
from seatrial.models._entry import calling
from seatrial.models._entry.asking import Way, asked, demand_probabilities, way_to_ask
from seatrial.models._entry.fault import Fault, blamed
from seatrial.models._entry.kept import Kept
from seatrial.models._entry.pickling import pickled_file
from seatrial.models._entry.warned import heard
from seatrial.models._probe import probe
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from seatrial.models._entry.request import Request

_SPOILS = ((True, True), (False, True), (True, False), (False, False))
"""Whether numbers go missing and categories were never seen, from the hardest rows on."""


def made(ask: Request) -> Kept:
    """Call the function, fit what it returns, let it answer, export it. Fault is the project's.

    A finished file is tried instead. FormError when an ONNX model does not fit the data.
    """
    if ask.ready is not None:
        return _taken(ask.ready, ask, made=ask.where)
    with heard(ask.folder, ask.where) as warned:
        given = calling.returned(ask)
        onnx = calling.onnx_in(given, ask)
        model = calling.trained(given, ask) if onnx is None else None
    if onnx is not None:
        whose = f"the ONNX model that `{ask.entrypoint}` returns"
        taken = _taken(onnx, ask, made=whose)
        return replace(taken, findings=(*warned, *taken.findings))
    way = way_to_ask(model, ask.signature, f"the {_kind(model)} of `{ask.entrypoint}`", ask.where)
    return _kept(model, way, tuple(warned), ask)


def _taken(onnx: bytes, ask: Request, made: str) -> Kept:
    from seatrial.models._entry.finished import kept_file  # noqa: PLC0415 - brings in onnx

    return kept_file(onnx, ask.training, ask.where, made)


def _witness(model: Any, way: Way, ask: Request) -> tuple[Witness, tuple[Finding, ...]]:
    """Rows with as much that is unheard of as the object answers, and its answers to them.

    One that cannot answer the rows that it was trained on is at fault. One that refuses missing
    values, or categories that it never saw, is held to rows without these, which is told.
    """
    doing = f"the {_kind(model)} cannot answer rows that it was trained on"
    first = ""
    for missing, unseen in _SPOILS:
        rows = probe(ask.training.features, ask.training.seed, missing=missing, unseen=unseen)
        try:
            with blamed(doing, ask.folder, ask.where):
                answer = asked(model, rows, way, ask.signature)
            demand_probabilities(answer, "rows")
        except Fault as fault:
            wrong = fault.mistake
            first = first or wrong.what.removeprefix(f"{doing}: ")
            continue
        witness = Witness(rows, answer, f"the trained {_kind(model)}")
        return witness, _refusals(first, missing, unseen, ask)
    raise Fault(Mistake(wrong.what, wrong.where or ask.where, wrong.nearest, wrong.fix))


def _refusals(
    why: str,
    missing: bool,  # noqa: FBT001 - one of the spoils
    unseen: bool,  # noqa: FBT001
    ask: Request,
) -> tuple[Finding, ...]:
    """That the object refused what it was not held to."""
    types = {each.datatype for each in ask.signature.inputs}
    kinds = [
        *(["missing numbers"] if "FP32" in types and not missing else []),
        *(["categories that it never saw"] if "BYTES" in types and not unseen else []),
    ]
    if not why or not kinds:
        return ()
    return (
        Finding(
            what=f"the model does not answer rows with {' or '.join(kinds)} ({why}); it is"
            " held to rows without them",
            where=ask.where,
            hint="requests may bring them: put an imputer, or an encoder that ignores what is"
            " unknown, into the pipeline",
        ),
    )


def _kept(model: Any, way: Way, warned: tuple[Finding, ...], ask: Request) -> Kept:
    """In ONNX where that is exact; else pickled where that is trusted; else with the reason."""
    from seatrial.models._entry.exporting import exported  # noqa: PLC0415 - brings in onnx

    witness, refusals = _witness(model, way, ask)
    found = exported(model, way, ask.signature, witness, ask.folder, ask.where)
    pickled = None
    if not found.exact and ask.trusts_pickle:
        # as it will be served: with the width of the numbers that requests bring
        way = replace(way, numbers="float32")
        witness, refusals = _witness(model, way, ask)
        pickled = pickled_file(model, way, ask)
    return Kept(
        signature=ask.signature,
        made=_kind(model),
        onnx=None if pickled else found.content,
        pickled=pickled,
        reason=found.reason,
        witness=witness,
        findings=(*warned, *refusals),
    )


def _kind(model: object) -> str:
    return type(model).__name__
