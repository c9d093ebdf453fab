"""Which answers are looked at although no label has come? A few of the newest, each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seatrial.errors import StoreError
from seatrial.traffic import files, reading
from seatrial.traffic.recorded import answer_in, features_in
from seatrial.traffic.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer

AT_ONCE = 20
"""Answers of one look; more would cost time that labels need."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows of the log: columns ``[n]``, what was answered, and when (microseconds, ``[n]``)."""

    features: Mapping[str, NDArray[Any]]
    answer: Answer
    time_us: NDArray[np.int64]


class Sampling:
    """Draws from what is logged of a version from now on, whatever the clock says meanwhile."""

    def __init__(self, traffic: Path, model: str, version: int, *, seed: int) -> None:
        self._tail = Tail(files.version_folder(traffic, model, version))
        for _ in self._tail.read():
            pass  # what is there already
        self._random = np.random.default_rng(seed)

    def draw(self) -> Iterator[Drawn]:
        """Some of what is new since the last look, at most :data:`AT_ONCE` rows of each file."""
        for part in self._tail.read():
            try:
                table = part.table()
            except StoreError:
                continue  # a damaged file: whoever reads it for a verdict is told
            if table is None:
                continue
            if table.num_rows > AT_ONCE:
                chosen = self._random.choice(table.num_rows, AT_ONCE, replace=False)
                table = table.take(pa.array(np.sort(chosen)))
            if table.num_rows:
                time_us = reading.microseconds(table)
                whole = table.combine_chunks()
                yield Drawn(features_in(whole), answer_in(whole), time_us)
