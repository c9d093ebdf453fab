"""A registry to put versions into, and rows to ask them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial import metrics, workspace
from seatrial.evaluation.labelled import Labelled
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.registry.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    project = open_project(workspace.at(tmp_path))
    yield project.registry
    project.ledger.close()


@pytest.fixture(scope="session")
def rows() -> Labelled:
    """Two numbers, some missing, and their sum."""
    random = np.random.default_rng(1)
    features = {name: random.normal(size=300).astype(np.float32) for name in ("a", "b")}
    labels = features["a"].astype(np.float64) + features["b"]
    return Labelled("rows", features, labels, metrics.get("r2"), None)
