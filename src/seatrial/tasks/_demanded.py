"""What a new version demands of every machine that will answer with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.environment.needs import ANSWERING, Needs
from seatrial.environment.packages_of_pickle import packages_of_pickle
from seatrial.inference import golden
from seatrial.inference.calibration import calibrate
from seatrial.inference.matrix import Matrix
from seatrial.inference.session import Model
from seatrial.models._arithmetic import arithmetic
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from seatrial.inference.opening import Answers
    from seatrial.inference.session import Settings
    from seatrial.tasks._as_served import Opened

PROVIDERS = ("CPUExecutionProvider",)
"""By which every ONNX model is answered here."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """The golden rows, what the manifest says of them and of the model's needs, and notes."""

    golden: bytes
    manifest: Mapping[str, Any]
    findings: tuple[Finding, ...]


def demanded(
    opened: Opened,
    joined: bytes | None,
    rows: Mapping[str, NDArray[Any]],
    seed: int,
    *,
    golden_rows: int | None,
    tolerance: float | None,
) -> Demanded:
    """Choose golden rows among those it was trained on, and calibrate how equal is equal.

    ``joined`` is the same model with one matrix as its input, where there is one;
    ``tolerance`` stands for what is calibrated.
    """
    needs, findings = _needs(opened)
    chosen = golden.make(opened.model, rows, seed, golden_rows)
    found = calibrate(opened.model, chosen, *_openings(opened, joined))
    equal = found.tolerance if tolerance is None else found.tolerance.by_hand(tolerance)
    hint = "`register: {golden_tolerance: …}` says how far is equal" if tolerance is None else ""
    return Demanded(
        golden=chosen,
        manifest={
            "needs": needs.to_json(),
            "golden": {
                **golden.about(chosen),
                **found.to_json(),
                "tolerance": equal.to_json(),
                "calibrated": tolerance is None,
            },
        },
        findings=(
            *findings,
            *(Finding(what=note, where=opened.name, hint=hint) for note in found.notes),
        ),
    )


def _needs(opened: Opened) -> tuple[Needs, tuple[Finding, ...]]:
    if not isinstance(opened.model, Model):
        packages = packages_of_pickle(opened.content)
        return Needs(form="pickle", packages=packages), ()
    found = arithmetic(opened.content)
    needs = Needs(
        form="onnx",
        packages=ANSWERING,
        providers=PROVIDERS,
        int8=found.int8,
        saturates=found.saturates,
    )
    return needs, found.findings


def _openings(opened: Opened, joined: bytes | None) -> tuple[Callable[[Settings], Answers], ...]:
    """How each form of an ONNX model is opened otherwise; a pickled one cannot be."""
    model = opened.model
    if not isinstance(model, Model):
        return ()
    signature = model.signature
    forms = [lambda settings: Model.load(opened.content, signature, settings)]
    if joined is not None:
        forms.append(lambda settings: Matrix.load(joined, signature, settings))
    return tuple(forms)
