"""How far a file's answers lie apart on one machine, and what tolerance follows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import quantised
from seatrial.errors import FormError
from seatrial.inference import golden
from seatrial.inference.answer import Answer
from seatrial.inference.calibration import calibrate
from seatrial.inference.parity import TOLERANCE
from seatrial.inference.session import Model, Settings
from seatrial.inference.signature import Input, Signature
from seatrial.inference.tolerance import ORDER, Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def opening(content: bytes) -> Callable[[Settings], Model]:
    return lambda settings: Model.load(content, quantised.SIGNATURE, settings)


def test_floats_get_the_narrowest_tolerance() -> None:
    content = quantised.network()
    model = opening(content)(Settings())
    rows = golden.make(model, quantised.rows(), seed=1)
    found = calibrate(model, rows, opening(content), opening(content))
    assert found.tolerance == Tolerance(answers=TOLERANCE, order=ORDER, rows_at_once=1)
    assert found.spread < 2e-6
    assert found.together < 2e-6
    assert found.notes == ()
    assert len(found.tried) == 11
    assert "2 threads, basic" in found.tried
    assert golden.verify(model, rows, found.tolerance).ok


def test_what_depends_on_its_neighbours_is_told(tmp_path: Path) -> None:
    content = quantised.dynamic(tmp_path)
    model = opening(content)(Settings())
    found = calibrate(model, golden.make(model, quantised.rows(), seed=1), opening(content))
    assert found.together > 0.01
    (note,) = found.notes
    assert "together with others" in note


NUMBERS = Signature((Input("x", "FP32"),), "numbers")


@dataclass(frozen=True)
class Loose:
    """A model whose answers lie ``by`` beside those of another setting."""

    by: float
    scale: float = 1.0
    signature: Signature = NUMBERS

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        return Answer((features["x"] * self.scale * (1 + self.by)).astype(np.float32))


COLUMN = {"x": np.linspace(1, 2, 100).astype(np.float32)}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    ("by", "answers", "order", "noted"),
    [
        (0.0, 1e-5, 2e-6, False),
        (1e-4, 3e-4, 3e-4, False),
        (0.1, 1e-3, 1e-3, True),
    ],
)
def test_the_spread_sets_the_tolerance_up_to_a_bound(
    scale: float, by: float, answers: float, order: float, *, noted: bool
) -> None:
    served = Loose(0.0, scale)
    rows = golden.make(served, COLUMN, seed=1)
    found = calibrate(
        served, rows, lambda s: Loose(by if s.optimisation == "basic" else 0.0, scale)
    )
    assert found.spread == pytest.approx(by, rel=1e-2, abs=2e-7)
    assert found.tolerance.answers == pytest.approx(answers, rel=1e-2)
    assert found.tolerance.order == pytest.approx(order, rel=1e-2)
    assert bool(found.notes) is noted
    if noted:
        assert "1 thread, basic" in found.notes[0]


@dataclass(frozen=True)
class Cancelling:
    """A small difference of large terms, which more than one row are summed in another order."""

    signature: Signature = NUMBERS

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        x = features["x"].astype(np.float32)
        great = np.float32(3e3) * x
        together = len(x) > 1
        return Answer((great + x) - great if together else (great - great) + x)


def test_what_the_order_of_a_sum_moves_is_allowed_for() -> None:
    found = calibrate(Cancelling(), golden.make(Cancelling(), COLUMN, seed=1))
    assert found.spread == found.tried["8 copies at once"] > 1e-5
    assert found.tolerance.answers == pytest.approx(3 * found.spread)
    assert found.tolerance.order == found.tolerance.answers
    assert found.notes == ()


def test_neighbours_are_no_rounding(tmp_path: Path) -> None:
    content = quantised.dynamic(tmp_path)
    model = opening(content)(Settings())
    found = calibrate(model, golden.make(model, quantised.rows(), seed=1), opening(content))
    assert found.tried["8 copies at once"] < 1e-6 < found.together


def test_steps_of_bytes_pass_at_every_level_and_what_saturates_does_not(tmp_path: Path) -> None:
    content = quantised.static(tmp_path, operators=None)
    model = opening(content)(Settings())
    rows = golden.make(model, quantised.rows(), seed=1)
    tolerance = calibrate(model, rows, opening(content)).tolerance
    assert 1 / 256 < tolerance.answers <= 0.02
    for level in ("none", "basic", "extended", "all"):
        proof = golden.verify(opening(content)(Settings(optimisation=level)), rows, tolerance)
        assert proof.ok, (level, proof.said)
    document = json.loads(rows)
    for place in range(0, len(document["probabilities"]), 10):  # as was measured on a Haswell
        moved = document["probabilities"][place]
        moved[0], moved[1] = moved[0] + 0.02 + tolerance.answers, moved[1] - 0.02
    assert not golden.verify(model, json.dumps(document).encode(), tolerance).ok


def test_a_pickled_model_is_only_asked_again() -> None:
    served = Loose(0.0)
    found = calibrate(served, golden.make(served, COLUMN, seed=1))
    assert [*found.tried] == ["asked again", "8 copies at once", "inputs rounded up"]
    assert found.tolerance == replace(Tolerance(), rows_at_once=1)


def test_a_setting_by_which_the_file_cannot_be_opened_is_left_out() -> None:
    def opens(settings: Settings) -> Loose:
        if settings.optimisation == "none":
            raise FormError("no kernel")
        return Loose(0.0)

    found = calibrate(Loose(0.0), golden.make(Loose(0.0), COLUMN, seed=1), opens)
    assert len(found.tried) == 9


def test_what_is_no_number_is_no_number_in_the_manifest() -> None:
    rows = golden.make(Loose(0.0), COLUMN, seed=1)
    found = calibrate(Loose(0.0), rows, lambda _: Loose(float("nan")))
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["spread"] is None
    assert told["tolerance"]["answers"] == 1e-3
    assert found.notes
