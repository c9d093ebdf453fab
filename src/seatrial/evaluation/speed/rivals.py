"""The versions that are measured, and the requests that each of them answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.requests import request
from seatrial.evaluation.speed.asking import (
    Body,
    Kind,
    MemoryQuestion,
    Opened,
    TimingQuestion,
)
from seatrial.registry.opened import signature_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.requests import Form
    from seatrial.registry.registry import Registry, Version

ROUNDS = 40

WEIGHED = 5
"""How often the largest request is answered again: what is kept from one to the next shows."""


@dataclass(frozen=True, slots=True)
class Size:
    """Requests of so many rows: how they are written, how many there are, how often to ask.

    ``most`` and ``least`` are pairs a round; ``budget_s`` is for all rounds.
    """

    rows: int
    form: Form
    different: int
    most: int
    least: int
    budget_s: float


ONE_ROW = Size(rows=1, form="columns", different=256, most=100, least=2, budget_s=3.0)
BATCH = Size(rows=32, form="binary", different=8, most=5, least=0, budget_s=1.0)
LARGE = Size(rows=1024, form="binary", different=2, most=2, least=0, budget_s=1.0)
SIZES = (ONE_ROW, BATCH, LARGE)
"""One row as most clients send it, JSON by names; batches as raw tensors, as those do who hurry."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A version and its requests, by their number of rows; those of two hold the same rows."""

    version: Version
    bodies: Mapping[int, list[Body]]

    @property
    def opened(self) -> Opened:
        """How a child opens it."""
        return Opened(self.version.model, self.version.version, self.version.digest)


def rivals(
    registry: Registry, versions: list[Version], rows: Labelled, seed: int
) -> tuple[Rival, ...]:
    """Each version with requests of rows that are drawn once for all of them."""
    random = np.random.default_rng(seed)
    drawn = {
        size: [random.integers(rows.rows, size=size.rows) for _ in range(size.different)]
        for size in SIZES
    }
    return tuple(_rival(registry, version, rows, drawn) for version in versions)


def missing(registry: Registry, version: Version, rows: Labelled) -> list[str]:
    """Columns that the version reads and the rows lack."""
    inputs = signature_of(registry, version).inputs
    return [each.name for each in inputs if each.name not in rows.features]


def timing_question(blobs: str, asked: tuple[Rival, ...], seed: int) -> TimingQuestion:
    """All of them in turn, every size in every round."""
    kinds = [
        Kind(
            rows=size.rows,
            bodies=[rival.bodies[size.rows] for rival in asked],
            most=size.most,
            least=size.least,
            budget_s=size.budget_s,
        )
        for size in SIZES
    ]
    return TimingQuestion(blobs, [rival.opened for rival in asked], kinds, ROUNDS, seed)


def memory_question(blobs: str, rival: Rival) -> MemoryQuestion:
    """One of them, with a request of each size, and the largest several times."""
    few = [(size.rows, rival.bodies[size.rows][0]) for size in SIZES]
    return MemoryQuestion(blobs, rival.opened, few + WEIGHED * few[-1:])


def _rival(
    registry: Registry,
    version: Version,
    rows: Labelled,
    drawn: Mapping[Size, list[NDArray[Any]]],
) -> Rival:
    signature = signature_of(registry, version)
    read = {each.name: rows.features[each.name] for each in signature.inputs}
    bodies: dict[int, list[Body]] = {}
    for size, choices in drawn.items():
        parts = ({name: values[chosen] for name, values in read.items()} for chosen in choices)
        requests = [request(signature, part, size.form) for part in parts]
        bodies[size.rows] = [Body(each.body, each.json_length) for each in requests]
    return Rival(version, bodies)
