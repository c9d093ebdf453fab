"""The traffic log as its writer sees it: records go in, files come out, old ones go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from seatrial.errors import SeatrialError
from seatrial.traffic import files, record
from seatrial.traffic.arrow import TIME, Form, batch_of, label_type
from seatrial.traffic.retention import Keep, retain
from seatrial.traffic.rolling import leftovers, roll
from seatrial.traffic.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from seatrial.inference.signature import Signature

ROLL_BYTES = 16 << 20
"""A stream of this size is rolled before its hour ends."""

_DAMAGED = (ValueError, TypeError, IndexError)
"""What a record that is not what its head says may raise."""


@dataclass(slots=True)
class Kept:
    """What became of records: ``refused`` by the disk (try again), or ``unreadable`` for ever."""

    written: int = 0
    labels: int = 0
    models: set[str] = field(default_factory=set)
    """Models whose labels were written."""
    refused: list[bytes] = field(default_factory=list)
    unreadable: int = 0
    reasons: set[str] = field(default_factory=set)


class TrafficLog:
    """What one writer keeps under ``folder`` (``.seatrial/traffic``).

    ``signature`` gives that of a version by its manifest's digest; it may raise SeatrialError.
    """

    def __init__(
        self,
        folder: Path,
        writer: str,
        clock: Callable[[], datetime],
        signature: Callable[[str], Signature],
        roll_bytes: int = ROLL_BYTES,
    ) -> None:
        self.folder = folder
        self._writer = writer
        self._clock = clock
        self._signature = signature
        self._roll_bytes = roll_bytes
        self._redacted: dict[str, frozenset[str]] = {}
        self._forms: dict[bytes, Form] = {}
        self._segments: dict[tuple[Path, Any], Segment] = {}

    def redact(self, columns: Mapping[str, Collection[str]]) -> None:
        """Never write these columns of these models from now on.

        Records of a model that was never named here are not written: its columns might be secret.
        A model that is no longer named keeps what was said of it.
        """
        told = {model: frozenset(names) for model, names in columns.items()}
        if not told.items() <= self._redacted.items():
            self._redacted |= told
            self._forms.clear()

    def append(self, records: Sequence[bytes]) -> Kept:
        """Write records; never raises for what they hold, nor for what the disk does."""
        kept = Kept()
        for head, group in _by_head(records).items():
            self._append(head, group, kept)
        return kept

    def roll(
        self, *, everything: bool = False, may_go_on: Callable[[], bool] = lambda: True
    ) -> list[str]:
        """Close what is due (or everything), and roll every stream that nobody writes any more.

        Due is a stream of another hour than now, and one that is too big. Returns what the disk
        refused, as sentences; it is tried again the next time, as is what is left when
        ``may_go_on`` says no.
        """
        self.close(everything=everything)
        reasons = []
        for stream in leftovers(self.folder):
            if not may_go_on():
                break
            try:
                roll(stream)
            except OSError as error:
                reasons.append(f"{stream.name} cannot be rolled: {error}")
        return reasons

    def close(self, *, everything: bool = True) -> bool:
        """Close streams without rolling them (see :meth:`roll`); whether there was one."""
        now = self._clock().astimezone(UTC)
        due = [
            key
            for key, segment in self._segments.items()
            if everything
            or segment.bytes >= self._roll_bytes
            or not _same_hour(segment.hour.astimezone(UTC), now)
        ]
        for key in due:
            self._segments.pop(key).close()
        return bool(due)

    def retain(self, keep: Mapping[str, Keep]) -> int:
        """Remove what is too old or too much; models that are not named keep the default."""
        now = self._clock()
        models = [folder for folder in self.folder.glob("*/") if folder.is_dir()]
        return sum(retain(folder, keep.get(folder.name, Keep()), now) for folder in models)

    def _append(self, head: bytes, group: Sequence[bytes], kept: Kept) -> None:
        try:
            folder, batch = self._batch(head, group)
            self._segment(folder, batch.schema).append(batch)
        except OSError as error:
            kept.refused += group
            kept.reasons.add(str(error))
            return
        except SeatrialError as error:
            kept.unreadable += len(group)
            kept.reasons.add(str(error))
            return
        except _DAMAGED:
            if len(group) > 1:  # find the culprit by halves
                half = len(group) // 2
                self._append(head, group[:half], kept)
                self._append(head, group[half:], kept)
            else:
                kept.unreadable += 1
                kept.reasons.add("a record is not what its head says")
            return
        kept.written += len(group)
        kind, model, _, _ = record.read_head(head)
        if kind == record.LABELS:
            kept.labels += batch.num_rows
            kept.models.add(model)

    def _batch(self, head: bytes, group: Sequence[bytes]) -> tuple[Path, Any]:
        kind, model, version, digest = record.read_head(head)
        if kind == record.LABELS:
            folder = files.labels_folder(self.folder, model)
            return folder, _labels(group, self._signature(digest))
        form = self._forms.get(head)
        if form is None:
            redacted = self._redacted.get(model)
            if redacted is None:
                raise SeatrialError(f"the model {model!r} is not served: may all be written?")
            form = Form.of(version, self._signature(digest), redacted, self._writer)
            self._forms[head] = form
        return files.version_folder(self.folder, model, version), batch_of(group, form)

    def _segment(self, folder: Path, schema: Any) -> Segment:
        segment = self._segments.get((folder, schema))
        if segment is None:
            segment = Segment.begin(folder, self._clock(), self._writer, schema)
            self._segments[folder, schema] = segment
        return segment


def _by_head(records: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    groups: dict[bytes, list[bytes]] = {}
    for each in records:
        groups.setdefault(record.head_of(each), []).append(each)
    return groups


def _same_hour(one: datetime, other: datetime) -> bool:
    return (one.date(), one.hour) == (other.date(), other.hour)


def _labels(records: Sequence[bytes], signature: Signature) -> Any:
    """A record batch of labels; raises ValueError or TypeError as ``batch_of`` does."""
    ids: list[str] = []
    rows: list[int] = []
    labels: list[Any] = []
    times: list[int] = []
    for each in records:
        told = record.read(each)
        assert isinstance(told, record.Labels)
        for identity, values in told.labels:
            ids += [identity] * len(values)
            rows += range(len(values))
            labels += values
            times += [told.at_us] * len(values)
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("row", pa.int32()),
            ("label", label_type(signature)),
            ("time", TIME),
        ]
    )
    columns = [ids, rows, labels, pa.array(times, pa.int64()).cast(TIME)]
    arrays = [pa.array(values, each.type) for values, each in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
