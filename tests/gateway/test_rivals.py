"""Two versions that read other columns, in another order, and answer one request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.gateway.rivals import Rivals
from seatrial.inference import golden
from seatrial.inference.served import Served
from seatrial.inference.session import Model
from seatrial.ledger.blobs import Blobs
from seatrial.models import Training, get
from seatrial.traffic import record
from seatrial.traffic.record import Prediction

if TYPE_CHECKING:
    from pathlib import Path

RANDOM = np.random.default_rng(8)
COLUMNS = {name: RANDOM.normal(size=300).astype(np.float32) for name in ("a", "b", "c")}
TARGET = COLUMNS["a"] - 2 * COLUMNS["b"]
VARIANCE = float(TARGET.var())

Open = Callable[..., Served]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A version of a model of numbers that reads some columns; ``scale`` makes it another."""

    def keep(version: int, names: str, scale: float = 1.0) -> Served:
        features = {name: COLUMNS[name] for name in names}
        training = Training(features, TARGET * scale, "numbers", (), {"n_estimators": 5}, 1)
        fitted = get("gradient_boosted").fit(training)
        exported, blobs = fitted.to_onnx(), Blobs(tmp_path / "blobs")
        model = Model.load(exported, fitted.signature)
        rows = blobs.put(golden.make(model, features, 1))
        files = {"model.onnx": blobs.put(exported), "golden.json": rows}
        manifest = {"files": files, "signature": fitted.signature.to_json()}
        digest = blobs.put(json.dumps(manifest).encode())
        return Served.open("m", version, digest, blobs.get)

    return keep


def asked(production: Served, rows: int) -> Prediction:
    """A request that production answered, as it came through the ring."""
    names = [each.name for each in production.signature.inputs]
    features = np.column_stack([COLUMNS[name][:rows] for name in names])
    head = record.head("m", production.version, production.digest)
    raw = record.of_matrix(head, 7, 9, b"r1", features, production.answer(features))
    read = record.read(raw)
    assert isinstance(read, Prediction)
    return read


@pytest.mark.parametrize("candidate_first", [True, False])
def test_the_order_of_columns_and_unused_ones_do_not_matter(
    opened: Open, *, candidate_first: bool
) -> None:
    production, same, fewer = opened(1, "abc"), opened(2, "cba"), opened(3, "ab")
    for candidate in (same, fewer):
        request = asked(production, 20)
        told = Rivals(production, candidate, VARIANCE).score(
            request, candidate_first=candidate_first
        )
        assert (told.reached, told.compared, told.rows, told.errors) == (1, 1, 20, 0)
        assert told.unlike == 0
        assert told.disagreed < 0.01


def test_numbers_disagree_in_units_of_the_variance(opened: Open) -> None:
    production, twice = opened(1, "ab"), opened(2, "ab", scale=2.0)
    request = asked(production, 300)
    told = Rivals(production, twice, VARIANCE).score(request, candidate_first=True)
    served, other = (version.columns.predict(COLUMNS).label for version in (production, twice))
    expected = np.minimum((served - other) ** 2 / VARIANCE, 1).mean()
    assert told.disagreed == pytest.approx(expected, rel=1e-4)
    assert 0.01 < expected < 1


def test_a_column_that_requests_lack_is_the_candidates_error(opened: Open) -> None:
    production, greedy = opened(1, "ab"), opened(2, "abc")
    told = Rivals(production, greedy, VARIANCE).score(asked(production, 1), candidate_first=True)
    assert told.errors == 1
    (reason,) = told.reasons
    assert reason == "LookupError: it reads 'c', which production's requests do not have"


def test_production_that_answers_otherwise_is_noise(opened: Open) -> None:
    production, other = opened(1, "ab"), opened(2, "ab", scale=2.0)
    request = asked(production, 5)
    told = Rivals(other, other, VARIANCE).score(request, candidate_first=False)
    assert told.unlike == 1
    # the candidate is compared with what was served, not with what is answered now
    assert told.disagreed > 0
