"""From the rings into the traffic log: taken, written, tidied up and told, each when it is due."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import orjson

from seatrial import workspace
from seatrial.gateway.covering import Covering
from seatrial.gateway.ring import Position, Reader
from seatrial.inference.signature import Signature
from seatrial.ledger.blobs import blobs_at
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog
from seatrial.traffic.retention import Keep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from seatrial.gateway.board import Board
    from seatrial.gateway.ring import Ring
    from seatrial.ledger.blobs import Blobs

SLOT = 0
"""The place in every ring where this writer keeps its position."""

BATCH = 1000
"""Records that are written at once, at most a second after they came."""

LABEL_S = 0.1
"""How soon after a label came everything is written: whoever watches a version waits for labels.
Predictions alone have more time, for many records written at once cost less each."""

BATCH_BYTES = 4 << 20
HELD_BYTES = 16 << 20
"""What is held back, at most, while the disk refuses it."""

TELL_S = 1.0
ROLL_S = 3600.0
ROLL_AGAIN_S = 60.0
"""How often leftovers are looked for, and how soon again when the disk refused."""

IDLE_S = 0.05
BUSY_S = 0.005
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
DRAIN_S = 1.5


class Logbook:
    """One gateway's writer; times are monotonic seconds."""

    def __init__(
        self,
        board: Board,
        cell: int,
        rings: Sequence[Ring],
        home: Path,
        name: str,
        log: Callable[..., None],
    ) -> None:
        self._board = board
        self._cell = cell
        self._rings = rings
        self._readers = [_reader(ring) for ring in rings]
        self._log = log
        signature = Signatures(blobs_at(home))
        self._traffic = TrafficLog(home / "traffic", name, workspace.now, signature)
        self.covering = Covering(home / "traffic", workspace.now)
        self._counts = dict.fromkeys(("written", "unwritten", "lost", "labels"), 0)
        before = board.read(cell) or {}
        self._counts |= {key: before[key] for key in self._counts if key in before}
        self._lost_before = self._counts["lost"]
        self._keep: dict[str, Keep] = {}
        self._generation = -1
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._pause_s = 0.0
        self._flush_due_s = 0.0
        self._tell_due_s = 0.0
        self._roll_due_s = 0.0

    def turn(self, now_s: float) -> float:
        """Take, write, tidy up and tell, each when it is due; how long to sleep then."""
        taken, more = self._take(now_s)
        full = len(self._held) >= BATCH or self._held_bytes >= BATCH_BYTES
        if self._held and (now_s >= self._flush_due_s or (full and not self._pause_s)):
            self._flush(now_s)
        if now_s >= self._tell_due_s:
            self._tell_due_s = now_s + TELL_S
            self._tidy(now_s)
            self.covering.tend(now_s)
            self.tell()
        if more:
            return 0.0
        return BUSY_S if taken > BATCH_BYTES // 8 else IDLE_S

    def finish(self, clock_s: Callable[[], float]) -> None:
        """Write what is left in the rings, and roll what was written, while there is time."""
        end_s = clock_s() + DRAIN_S
        more = True
        while more and clock_s() < end_s:
            _, more = self._take(clock_s())
            if self._held:
                self._flush(clock_s())
        for reason in self._traffic.roll(everything=True, may_go_on=lambda: clock_s() < end_s):
            self._log("not rolled", reason=reason)
        self.tell()

    def tell(self) -> None:
        """Write this writer's cell."""
        self._counts["lost"] = self._lost_before + sum(each.lost for each in self._readers)
        self._board.write(
            self._cell,
            {
                "pid": os.getpid(),
                "beat_us": time.time_ns() // 1000,
                **self._counts,
                "held": len(self._held),
                "lag": len(self._held) + sum(reader.lag for reader in self._readers),
                "coverage": self.covering.found,
            },
        )

    def _take(self, now_s: float) -> tuple[int, bool]:
        """How many bytes came, and whether there is more."""
        taken, more = 0, False
        for reader in self._readers:
            records = reader.take(BATCH)
            taken += sum(map(len, records))
            more = more or len(records) == BATCH
            self._held += records
            if not self._pause_s and record.LABELS in map(record.kind_of, records):
                self._flush_due_s = min(self._flush_due_s, now_s + LABEL_S)
        self._held_bytes += taken
        if self._pause_s and self._held_bytes > HELD_BYTES:
            self._hold(self._held)
        return taken, more

    def _flush(self, now_s: float) -> None:
        """Write what is held; positions are kept only then, so what a kill loses is read again."""
        self._follow()
        kept = self._traffic.append(self._held)
        self._counts["written"] += kept.written
        self._counts["unwritten"] += kept.unreadable
        self._counts["labels"] += kept.labels
        self.covering.note(kept.models)
        if kept.reasons:
            self._log("not written", reasons=sorted(kept.reasons))
        self._hold(kept.refused)
        if kept.refused:
            self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            self._flush_due_s = now_s + self._pause_s
            return
        self._pause_s = 0.0
        self._flush_due_s = now_s + TELL_S
        for ring, reader in zip(self._rings, self._readers, strict=True):
            ring.keep(SLOT, reader.position)

    def _hold(self, refused: list[bytes]) -> None:
        """Hold what the disk refused for the next attempt: the newest, as far as there is room."""
        self._held_bytes = sum(map(len, refused))
        dropped = 0
        while self._held_bytes > HELD_BYTES:
            self._held_bytes -= len(refused[dropped])
            dropped += 1
        self._counts["unwritten"] += dropped
        self._held = refused[dropped:]

    def _follow(self) -> None:
        """What must not be written, and how long it is kept, as the supervisor wants it now."""
        if self._generation == self._board.generation():
            return
        self._generation, wanted = self._board.wanted()
        settings = {each["name"]: each["settings"] for each in wanted.get("models", ())}
        self._traffic.redact({name: each["redact"] for name, each in settings.items()})
        default = Keep()
        self._keep |= {
            name: Keep(each.get("keep_days", default.days), each.get("keep_gb", default.gb))
            for name, each in settings.items()
        }

    def _tidy(self, now_s: float) -> None:
        if not self._traffic.close(everything=False) and now_s < self._roll_due_s:
            return
        self._follow()
        refused = self._traffic.roll()
        for reason in refused:
            self._log("not rolled", reason=reason)
        self._roll_due_s = now_s + (ROLL_AGAIN_S if refused else ROLL_S)
        try:
            self._traffic.retain(self._keep)
        except OSError as error:
            self._log("old traffic stays", reason=str(error))


class Signatures:
    """Signatures by their manifest's digest, each read once; StoreError or FormError without."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._known: dict[str, Signature] = {}

    def __call__(self, digest: str) -> Signature:
        """The signature in a manifest."""
        if digest not in self._known:
            manifest = orjson.loads(self._blobs.get(digest))
            self._known[digest] = Signature.from_json(manifest.get("signature"))
        return self._known[digest]


def _reader(ring: Ring) -> Reader:
    """Goes on where a predecessor stopped; the first begins with the first record of all."""
    return Reader(ring, ring.kept(SLOT) or Position(0, 0))
