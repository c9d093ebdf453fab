"""A traffic log in a folder, with a clock that the test moves and requests made from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.signature import Input, Signature
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.traffic.log import Kept

NUMBERS = Signature((Input("a", "FP32"), Input("b", "FP32")), "classes", (0, 1))
MIXED = Signature(
    (Input("from", "BYTES"), Input("a", "FP32"), Input("to", "BYTES"), Input("b", "FP32")),
    "classes",
    ("no", "perhaps", "yés"),
)
PRICE = Signature((Input("a", "FP32"), Input("b", "FP32")), "numbers")
WORDS = Signature((Input("from", "BYTES"),), "numbers")
SIGNATURES = {"numbers": NUMBERS, "mixed": MIXED, "price": PRICE, "words": WORDS}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 5, 14, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)

    @property
    def us(self) -> int:
        return int(self.time.timestamp() * 1e6)


def digest(name: str, version: int) -> str:
    return "sha256:" + f"{name}{version}".encode().hex().ljust(64, "0")


def drawn(
    signature: Signature, rows: int, random: np.random.Generator
) -> tuple[dict[str, Any], Answer]:
    """Features and an answer, any values."""
    features: dict[str, Any] = {
        each.name: random.normal(size=rows).astype(np.float32)
        if each.datatype == "FP32"
        else np.array([f"ort {n}" for n in random.integers(0, 9, rows)], dtype=object)
        for each in signature.inputs
    }
    if signature.problem == "numbers":
        return features, Answer(random.normal(size=rows).astype(np.float32))
    table = random.random((rows, len(signature.classes)), np.float32)
    return features, Answer(class_labels(signature.classes)[table.argmax(axis=1)], table)


def recorded(
    head: bytes,
    at_us: int,
    identity: str,
    features: dict[str, Any],
    answer: Answer,
    service_us: int = 99,
) -> bytes:
    """A record as a worker makes it: from a matrix where all columns are numbers."""
    if all(column.dtype != object for column in features.values()):
        matrix = np.column_stack([*features.values()]).astype(np.float32)
        return record.of_matrix(head, at_us, service_us, identity.encode(), matrix, answer)
    return record.of_columns(head, at_us, service_us, identity.encode(), features, answer)


@dataclass
class Traffic:
    """The log of model ``m``, whose versions have the signatures in ``versions``."""

    folder: Path
    clock: Clock
    versions: dict[int, Signature] = field(default_factory=lambda: {3: NUMBERS})
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    logs: dict[str, TrafficLog] = field(default_factory=dict)

    def log(self, writer: str = "W", **settings: Any) -> TrafficLog:
        if writer not in self.logs:
            log = TrafficLog(self.folder, writer, self.clock, self._signature, **settings)
            log.redact({"m": ()})
            self.logs[writer] = log
        return self.logs[writer]

    def _signature(self, wanted: str) -> Signature:
        return {digest("m", v): signature for v, signature in self.versions.items()}[wanted]

    def head(self, version: int = 3) -> bytes:
        return record.head("m", version, digest("m", version))

    def asked(self, identity: str, rows: int = 1, version: int = 3) -> bytes:
        features, answer = drawn(self.versions[version], rows, self.random)
        return recorded(self.head(version), self.clock.us, identity, features, answer)

    def ask(self, *ids: str, rows: int = 1, version: int = 3, writer: str = "W") -> Kept:
        """So many requests are answered and logged now."""
        return self.log(writer).append([self.asked(each, rows, version) for each in ids])

    def label(self, *labels: tuple[str, Sequence[object]], version: int = 3) -> Kept:
        """These labels come back now, in one call."""
        raw = record.of_labels("m", self.clock.us, labels, digest("m", version), version)
        return self.log().append([raw])

    @property
    def version_folder(self) -> Path:
        return self.folder / "m" / "v3"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def traffic(tmp_path: Path, clock: Clock) -> Traffic:
    return Traffic(tmp_path / "traffic", clock)
