"""Small versions, opened from blobs in memory as a gateway opens them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from seatrial.inference import golden
from seatrial.inference.served import Served
from seatrial.inference.session import Model
from seatrial.models import Training, get
from seatrial.models._matrix import with_matrix_input

ROWS = 200


@dataclass
class Version:
    """The files of a version, and the columns it was trained on."""

    features: dict[str, np.ndarray]
    target: np.ndarray
    problem: str = "classes"
    classes: tuple[int | str, ...] = (0, 1)
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        training = Training(
            self.features, self.target, self.problem, self.classes, {"num_leaves": 4}, 1
        )
        fitted = get("gradient_boosted").fit(training)
        exported = fitted.to_onnx()
        model = Model.load(exported, fitted.signature)
        self.manifest = {"files": {}, "signature": fitted.signature.to_json()}
        self.replace("model.onnx", exported)
        self.replace("golden.json", golden.make(model, self.features, seed=1))
        joined = with_matrix_input(exported, fitted.signature)
        if joined is not None:
            self.replace("matrix.onnx", joined)

    def put(self, content: bytes) -> str:
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest

    def replace(self, name: str, content: bytes) -> None:
        self.manifest["files"][name] = self.put(content)

    def file(self, name: str) -> bytes:
        return self.blobs[self.manifest["files"][name]]

    def open(self) -> Served:
        digest = self.put(json.dumps(self.manifest).encode())
        return Served.open("m", 3, digest, self.blobs.__getitem__)


def _columns(*names: str) -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    return {name: random.normal(size=ROWS).astype(np.float32) for name in names}


def numbers_version() -> Version:
    """Three numbers, the classes 0 and 1."""
    features = _columns("a", "dep delay", "c")
    return Version(features, (features["a"] > 0).astype(int))


def mixed_version() -> Version:
    """A number and a string, the classes "late" and "on time"."""
    features = _columns("delay")
    words = np.array(["UA", "DL", "Ärø", ""], dtype=object)
    carrier = np.random.default_rng(5).choice(words, ROWS)
    late = np.where((features["delay"] > 0) | (carrier == "DL"), "late", "on time")
    return Version(
        {**features, "carrier": carrier}, late.astype(object), classes=("late", "on time")
    )


def regression_version() -> Version:
    """Two numbers in, a number out."""
    features = _columns("a", "b")
    return Version(features, (features["a"] * 3).astype(np.float64), "numbers", ())


@pytest.fixture(scope="session")
def numbers() -> Served:
    return numbers_version().open()


@pytest.fixture(scope="session")
def mixed() -> Served:
    return mixed_version().open()


@pytest.fixture(scope="session")
def regression() -> Served:
    return regression_version().open()


@pytest.fixture
def numbers_files() -> Version:
    return numbers_version()
