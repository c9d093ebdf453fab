"""The noise floor beside a comparison, from `seeds:` in the file to the reason in the report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.outcome import Measure
from seatrial.registry.opened import opened
from seatrial.tasks._noise import said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tasks.conftest import Project

    from seatrial.registry.project import Project as Stores

MODEL = "ml_model_training_pipeline"
FLOOR = Measure(name="noise_floor.accuracy", value=0.004, low=0.0023, high=0.018)
MOVES = "training again with another seed moves accuracy by about 0.004"


def worse(value: float | None) -> Measure:
    return Measure(name="degradation.accuracy", value=value)


@pytest.mark.parametrize(
    ("comparison", "told"),
    [
        (None, MOVES),
        (worse(None), MOVES),
        (worse(0.0), MOVES),
        (worse(0.002), f"{MOVES}, so 0.002 worse is noise"),
        (worse(-0.004), f"{MOVES}, so 0.004 better is noise"),
        (worse(0.01), f"{MOVES} (up to 0.018 with so few seeds), so 0.01 worse may be noise"),
        (worse(-0.03), f"{MOVES}, so 0.03 better is more than that"),
    ],
)
def test_a_comparison_is_held_against_the_floor(comparison: Measure | None, told: str) -> None:
    assert said(FLOOR, comparison) == told


def test_a_floor_of_nothing_and_one_without_a_value_say_so() -> None:
    nothing = Measure(name="noise_floor.accuracy", value=0.0, low=0.0)
    assert said(nothing) == "training again with another seed does not move accuracy"
    unknown = Measure(name="noise_floor.roc_auc", value=None)
    assert said(unknown) == "what another seed would change is not known: roc_auc has no value here"


@pytest.mark.slow
def test_three_seeds_put_the_floor_beside_the_comparison(
    fresh: Project, stores: Callable[[Project], Stores]
) -> None:
    fresh.edit("model_type: gradient_boosted", "model_type: random_forest\n          seeds: 3")
    fresh.hyperparameters("n_estimators: 5\nmax_depth: 4\n")
    went = fresh.run()
    floor = went.measures("integration_tests")["noise_floor.accuracy"]
    assert (floor["n"], floor["limit"], floor["verdict"]) == (600, None, "skip")
    assert "training again with another seed moves accuracy" in went.reason("integration_tests")
    found = _accuracies(stores(fresh), fresh)
    assert len(found) == 3
    assert floor["value"] == pytest.approx(np.sqrt(2) * np.std(found, ddof=1))


def test_one_seed_has_no_floor(delivered: Project) -> None:
    measures: Any = delivered.run().measures("integration_tests")
    assert not [name for name in measures if name.startswith("noise_floor")]


def _accuracies(project: Stores, where: Project) -> list[float]:
    """Of the version and of its other seeds, counted anew from their files."""
    from seatrial.inference.opening import open_model  # noqa: PLC0415 - beside its only use

    version = project.registry.version(MODEL, 1)
    model = opened(project.registry, version)
    manifest = json.loads(project.registry.blobs.get(version.digest))
    models = [model] + [
        open_model({"model.onnx": digest}, project.registry.blobs.get, model.signature, name)
        for name, digest in manifest["files"].items()
        if name.startswith("seed-")
    ]
    table = np.genfromtxt(
        where.folder / "data" / "validation_data.csv", delimiter=",", skip_header=1
    )
    columns = {f"feature_{i + 1}": table[:, i] for i in range(3)}
    return [float(np.mean(each.predict(columns).label == table[:, 3])) for each in models]
