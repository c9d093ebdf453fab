"""Which of production's requests the candidate answers too, and what that adds up to."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, StoreError
from seatrial.evidence.agreement import Tally
from seatrial.gateway.account import Account
from seatrial.gateway.isolation import peak_mb
from seatrial.gateway.ring import Position, Reader
from seatrial.gateway.rivals import Rivals, failed, reason_of
from seatrial.inference.served import Served
from seatrial.traffic import record
from seatrial.traffic.record import Prediction
from seatrial.traffic.sampling import sampled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.gateway.board import Board
    from seatrial.gateway.ring import Ring

    Read = Callable[[str], bytes]

LATE_US = 30_000_000
"""A request that the candidate sees so long after its answer is late."""

TELL_US = 100_000
"""How often the count is written while nothing is scored."""


class Mirror:
    """One shadow test at one gateway."""

    def __init__(
        self,
        board: Board,
        rings: Sequence[Ring],
        account: Account,
        entry: Mapping[str, Any],
    ) -> None:
        self.account = account
        self._board = board
        self._rings = rings
        self._entry = entry
        self._generation = board.generation()
        self._rivals: Rivals | None = None
        self._held_mb = 0.0
        self._readers = _readers(rings, account)
        self._lost = 0
        if account.too_big is None:
            account.too_big = sum(ring.too_big for ring in rings)
        self._note_progress()

    @classmethod
    def begin(
        cls,
        board: Board,
        cell: int,
        rings: Sequence[Ring],
        shadow: str,
        read: Read,
        isolated: Mapping[str, object],
        now_us: Callable[[], int],
    ) -> Mirror:
        """Go on where a predecessor died, open both versions; StoreError when that must wait."""
        entry = wanted(board, shadow)
        if entry is None:
            raise StoreError(Mistake(f"no shadow test {shadow} is wanted"))
        account = Account.resume(board, cell, shadow, isolated, now_us)
        mirror = cls(board, rings, account, entry)
        mirror.open(read)
        return mirror

    def open(self, read: Read) -> None:
        """Open both versions. A candidate that cannot be opened fails every request from now on."""
        entry, account = self._entry, self.account
        production = Served.open(entry["model"], entry["against"], entry["against_digest"], read)
        self._held_mb = peak_mb()
        if not account.opening():
            return
        broken = ""
        try:
            candidate = Served.open(entry["model"], entry["version"], entry["digest"], read)
            self._rivals = Rivals(production, candidate, entry["variance"] or 0.0)
        except StoreError:
            raise  # nobody's fault: the next process finds out
        except Exception as error:  # noqa: BLE001 - whatever opening raises is what we came to count
            broken = f"it cannot be opened: {reason_of(error)}"
        finally:
            account.opened(broken)

    def wanted(self) -> bool:
        """Whether the test still goes on."""
        generation = self._board.generation()
        if generation == self._generation:
            return True
        entry = wanted(self._board, self.account.shadow)
        self._generation = generation
        if entry is not None:
            self._entry = entry
        return entry is not None

    def turn(self) -> bool:
        """Read one record of each ring, so that a crash costs no other; False when none came."""
        came = False
        for reader in self._readers:
            for raw in reader.take(1):
                came = True
                if raw[0] == record.PREDICTION:
                    self._look(record.read(raw))
        # Everything is read: what was scored last is done, and must not count as under way.
        done = not came and self.account.scoring
        if done or self.account.now_us() - self.account.told_us >= TELL_US:
            self.tell()
        return came

    def tell(self) -> None:
        """Write the count."""
        self._note_progress()
        self.account.lag = sum(reader.lag for reader in self._readers)
        self.account.tally += Tally(memory_mb=max(peak_mb() - self._held_mb, 0.0))
        self.account.tell()

    def _note_progress(self) -> None:
        """How far was read, and what never came by: true together, so noted together."""
        account = self.account
        account.positions = [astuple(reader.position) for reader in self._readers]
        lost = sum(reader.lost for reader in self._readers) - self._lost
        too_big = sum(ring.too_big for ring in self._rings) - (account.too_big or 0)
        self._lost += lost
        if lost or too_big != account.tally.too_big:
            account.tally += Tally(lost=lost, too_big=too_big - account.tally.too_big)

    def _look(self, asked: object) -> None:
        """Count a request if it belongs to this test, and score it if it is drawn."""
        entry, account = self._entry, self.account
        if not isinstance(asked, Prediction) or asked.model != entry["model"]:
            return
        if asked.version != entry["against"] or asked.digest != entry["against_digest"]:
            return
        if not entry["since_us"] <= asked.at_us <= entry["until_us"]:
            return
        account.seen += 1
        if not sampled(asked.id, entry["share_percent"]):
            return
        account.sampled += 1
        account.late += account.now_us() - asked.at_us > LATE_US
        if self._rivals is None:
            account.tally += failed(account.broken)
            return
        self._note_progress()
        account.about_to_score(asked.id)
        first = account.tally.reached % 2 == 0
        account.tally += self._rivals.score(asked, candidate_first=first)


def wanted(board: Board, shadow: str) -> Mapping[str, Any] | None:
    """What is wanted of a shadow test; None when it is over."""
    _, document = board.wanted()
    return next((each for each in document["shadows"] if each["id"] == shadow), None)


def _readers(rings: Sequence[Ring], account: Account) -> list[Reader]:
    """Where the predecessor stopped, or at the newest end."""
    if not account.positions:
        return [Reader(ring, None) for ring in rings]
    places = zip(rings, account.positions, strict=True)
    return [Reader(ring, Position(*told)) for ring, told in places]
