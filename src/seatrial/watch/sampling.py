"""Which answers are looked at although no label has come? A few of the newest, each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

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
        """Some of what is new since the last look, at most :data:`AT_ONCE` rows of each stream.

        The end of a stream that was just rolled is passed by: to read it costs the whole file.
        """
        for part in self._tail.read():
            table = part.read
            if table is None:
                continue
            if table.num_rows > AT_ONCE:
                table = self._some(table)
            if table.num_rows:
                time_us = reading.microseconds(table)
                whole = table.combine_chunks()
                yield Drawn(features_in(whole), answer_in(whole), time_us)

    def _some(self, table: Any) -> Any:
        """A few rows of one batch, drawn by its length: rows of all would first be joined."""
        batches = table.to_batches()
        rows = np.array([batch.num_rows for batch in batches])
        batch = batches[self._random.choice(len(batches), p=rows / rows.sum())]
        count = min(AT_ONCE, batch.num_rows)
        chosen = np.sort(self._random.choice(batch.num_rows, count, replace=False))
        return pa.Table.from_batches([batch.take(pa.array(chosen))])
