"""The ring: every record that is taken is whole and in order, every other one is counted."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import time
from itertools import count
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from seatrial.errors import StoreError
from seatrial.gateway.board import Board
from seatrial.gateway.ring import SLOTS, Position, Reader, Ring

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Play = Callable[..., subprocess.Popen[str]]
    Dies = Callable[..., bool]
    AtStep = Callable[..., bool]

SMALL = 4096
LARGEST = SMALL // 4
LARGEST_FRAME = LARGEST + 16


@pytest.fixture
def ring() -> Iterator[Ring]:
    made = Ring.create(SMALL)
    yield made
    made.close()


def again(ring: Ring) -> Ring:
    """The same ring, as another process opens it."""
    return Ring.open(os.dup(ring.fd))


def drained(reader: Reader) -> list[bytes]:
    """All that there is; a reader looks twice at what is not whole."""
    taken: list[bytes] = []
    while more := reader.take(100) or reader.take(100):
        taken += more
    return taken


def test_three_readers_count_exactly_what_they_missed(play: Play) -> None:
    total = 200_000
    ring = Ring.create(1 << 18)
    readers = [play("take", ring.fd, total, pause_us) for pause_us in (0, 100, 20_000)]
    for reader in readers:
        assert reader.stdout
        assert json.loads(reader.stdout.readline()) == "there"
    assert play("put", ring.fd, total).wait(60) == 0
    told = [json.loads(reader.communicate(timeout=60)[0]) for reader in readers]
    assert [each["taken"] + each["lost"] for each in told] == [total] * 3
    assert all(each["taken"] for each in told)
    assert told[2]["lost"] > 0
    assert ring.records == total
    ring.close()


def test_a_worker_is_killed_and_its_successor_goes_on(play: Play, players: ModuleType) -> None:
    ring = Ring.create(1 << 16)
    reader, slow = Reader(ring), Reader(ring)
    taken: list[int] = []
    moments = random.Random(3)  # noqa: S311 - when to kill is no secret
    for _ in range(20):
        before = ring.records
        putter = play("put", ring.fd, 1 << 40)
        while ring.records == before:
            assert putter.poll() is None
            time.sleep(0.001)
        ends = time.monotonic() + moments.uniform(0, 0.01)
        while time.monotonic() < ends:
            taken += map(players.number_of, reader.take(100))
        putter.send_signal(signal.SIGKILL)
        putter.wait(10)
        numbers = [players.number_of(record) for record in slow.take(50)]
        assert numbers == sorted(set(numbers))
    taken += map(players.number_of, drained(reader))
    assert taken == sorted(set(taken))
    assert taken[-1] == ring.records
    assert len(taken) + reader.lost == ring.records
    drained(slow)
    assert slow.lag == 0
    ring.close()


@pytest.mark.parametrize("records_before", range(4))
def test_a_worker_dies_at_every_step_of_a_put(records_before: int, dies: Dies) -> None:
    """In an empty ring, where it grows full, and where the new frame needs the ring's start."""
    half_put = b"half" * 250
    for step in count():
        ring = Ring.create(SMALL)
        reader = Reader(ring)
        put = [bytes([number]) * 900 for number in range(records_before)]
        assert all(map(ring.put, put))
        died = dies(step, lambda: ring.put(half_put))  # noqa: B023 - called here
        early = drained(reader)
        assert early == [*put, half_put][reader.lost : ring.records]
        successor = again(ring)
        put += [half_put] * (successor.records - len(put))
        assert len(put) == records_before + 1 or died
        for record in (b"", b"next", b"and one more" * 20):
            successor.put(record)
            put.append(record)
        fresh = Reader(successor, Position(0, 0))
        assert early + drained(reader) == put[reader.lost :]
        assert drained(fresh) == put[fresh.lost :]
        for each in (reader, fresh):
            assert each.lost <= max(0, records_before - 1)
            assert each.position == ring.end()
        successor.close()
        ring.close()
        if not died:
            assert step > 50
            return


def test_what_looks_like_a_record_in_half_a_record_is_none(dies: Dies) -> None:
    """A client chooses the bytes of its features: they must not pass for records."""
    whole = [bytes([number]) * 496 for number in range(6)]
    forged = struct.pack("@IIQ", 6, crc32(b"forged"), 2) + b"forged"
    for step in count():
        ring = Ring.create(SMALL)
        for record in whole:
            ring.put(record)
        late = Reader(ring, Position(512, 1))
        died = dies(step, lambda: ring.put(bytes(512 - 16) + forged))  # noqa: B023 - called here
        successor = again(ring)
        successor.put(b"small")
        assert b"forged" not in drained(late)
        assert late.lag == 0
        successor.close()
        ring.close()
        if not died:
            return


def test_what_looks_like_a_record_where_one_was_overwritten_is_none() -> None:
    ring = Ring.create(1 << 16)
    for number in range(ring.capacity // 512):
        ring.put(bytes([number]) * 496)
    late = Reader(ring, Position(1024, 2))
    forged = struct.pack("@IIQ", 6, crc32(b"forged"), 3) + b"forged"
    ring.put(bytes(496))
    ring.put(bytes(512 - 16) + forged + bytes(496))
    assert b"forged" not in drained(late)
    assert late.lag == 0
    ring.close()


@pytest.mark.parametrize("puts", [1, 7, 8, 40])
def test_the_end_was_the_end_at_some_moment(ring: Ring, puts: int, at_step: AtStep) -> None:
    ends = {ring.end()}

    def put() -> None:
        for _ in range(puts):
            ring.put(bytes(ring.records % 50))
            ends.add(ring.end())

    for step in count():
        seen: list[Position] = []
        reached = at_step(step, lambda: seen.append(ring.end()), put)  # noqa: B023 - called here
        assert ends.issuperset(seen)
        if not reached:
            assert step > 10
            return


@pytest.mark.parametrize("puts", [1, 7, 40])
def test_a_worker_puts_at_every_step_of_a_take(
    puts: int, at_step: AtStep, players: ModuleType
) -> None:
    """One record, most of a lap, several laps."""
    for step in count():
        ring = Ring.create(SMALL)

        def put(ring: Ring = ring) -> None:
            for number in range(ring.records + 1, ring.records + puts + 1):
                ring.put(players.content(number))

        put()
        reader = Reader(ring, Position(0, 0))
        taken: list[bytes] = []
        reached = at_step(step, lambda: taken.extend(reader.take(9)), put)  # noqa: B023 - called here
        taken += drained(reader)
        numbers = [players.number_of(record) for record in taken]
        assert numbers == sorted(set(numbers))
        assert len(numbers) + reader.lost == ring.records == numbers[-1]
        ring.close()
        if not reached:
            assert step > 100
            return


def test_the_successor_takes_over_the_totals(ring: Ring) -> None:
    ring.put(b"one")
    ring.put(bytes(LARGEST + 1))
    successor = again(ring)
    assert successor.put(bytes(LARGEST))
    assert not successor.put(bytes(LARGEST + 1))
    assert (ring.records, ring.too_big) == (2, 2)
    successor.close()


def test_a_restarted_reader_neither_loses_nor_repeats(ring: Ring) -> None:
    put, taken = [], []
    ring.keep(3, Reader(ring).position)
    for number in range(300):
        put.append(bytes([number % 251]) * (number * 7 % 400))
        ring.put(put[-1])
        if number % 3 == 0:
            other = again(ring)
            reader = Reader(other, other.kept(3))
            taken += reader.take(5)
            assert reader.lost == 0
            other.keep(3, reader.position)
            other.close()
    taken += Reader(ring, ring.kept(3)).take(100)
    assert taken == put


def test_a_reader_dies_at_every_step_of_keeping_its_place(ring: Ring, dies: Dies) -> None:
    old, new = Position(1000, 10), Position(2000, 20)
    for step in count():
        ring.keep(0, old)
        died = dies(step, lambda: ring.keep(0, new))
        assert ring.kept(0) in (old, new)
        if not died:
            assert ring.kept(0) == new
            return


def test_a_slot_is_empty_until_something_is_kept_and_once_it_is_cleared(ring: Ring) -> None:
    assert ring.kept(SLOTS - 1) is None
    ring.keep(SLOTS - 1, Position(16, 1))
    assert ring.kept(SLOTS - 1) == Position(16, 1)
    ring.keep(SLOTS - 1, None)
    assert ring.kept(SLOTS - 1) is None
    with pytest.raises(IndexError, match="slots 0 to 15, not 16"):
        ring.kept(SLOTS)


def test_a_reader_without_a_place_starts_at_the_newest_end(ring: Ring) -> None:
    for _ in range(50):
        ring.put(b"long ago" * 10)
    reader = Reader(ring)
    assert (reader.take(10), reader.lag, reader.lost) == ([], 0, 0)
    ring.put(b"now")
    assert reader.lag == 1
    assert reader.take(10) == [b"now"]


def test_who_was_overtaken_goes_on_at_the_oldest_sixteenth() -> None:
    ring = Ring.create(1 << 16)
    reader = Reader(ring)
    for _ in range(5000):
        ring.put(bytes(112))
    taken = len(reader.take(5000))
    assert taken + reader.lost == 5000
    assert taken * 128 >= ring.capacity * 14 // 16
    ring.close()


def test_a_damaged_record_is_lost_and_only_its_sixteenth_with_it() -> None:
    ring = Ring.create(1 << 16)
    reader = Reader(ring)
    put = [number.to_bytes(2, "little") * 56 for number in range(400)]
    assert all(map(ring.put, put))
    ring._map[ring._map.find(put[100])] ^= 1
    taken = drained(reader)
    assert taken == put[:100] + put[100 + reader.lost :]
    assert 1 <= reader.lost <= ring.capacity // 16 // 128 + 1
    ring.close()


def test_a_record_that_shows_late_is_taken_late(ring: Ring) -> None:
    """ARM may show the number of records before the record."""
    reader = Reader(ring)
    ring.put(b"early")
    ring.put(b"late")
    at = ring._map.find(b"late")
    ring._map[at : at + 4] = b"????"
    assert reader.take(10) == [b"early"]
    ring._map[at : at + 4] = b"late"
    assert reader.take(10) == [b"late"]
    assert reader.lost == 0


def test_a_place_of_another_ring_is_refused(ring: Ring) -> None:
    ring.put(b"one")
    with pytest.raises(ValueError, match="is not in this ring"):
        Reader(ring, Position(32, 2))


def test_a_ring_is_not_too_small() -> None:
    with pytest.raises(ValueError, match="at least 4096"):
        Ring.create(SMALL - 8)


def test_a_stranger_is_no_ring() -> None:
    board = Board.create(1)
    with pytest.raises(StoreError, match=r"no shared memory of kind 'st-ring\.'"):
        Ring.open(board.fd)
    board.close()


class Rings(RuleBasedStateMachine):
    """A small ring against a list of all records that were put."""

    dies: Dies

    def __init__(self) -> None:
        super().__init__()
        self.ring = Ring.create(SMALL)
        self.opened = [self.ring]
        self.put: list[bytes] = []
        self.deaths = 0
        self.readers = [Reader(self.ring)]
        self.too_big = 0

    @rule(size=st.integers(0, LARGEST) | st.sampled_from([0, 1, 16, 17, LARGEST]))
    def put_one(self, size: int) -> None:
        record = self._record(size)
        assert self.ring.put(record)
        self.put.append(record)

    @rule(sizes=st.lists(st.integers(0, 200), max_size=40))
    def put_many(self, sizes: list[int]) -> None:
        for size in sizes:
            self.put_one(size)

    @rule(more=st.integers(1, 5000))
    def put_too_much(self, more: int) -> None:
        assert not self.ring.put(bytes(LARGEST + more))
        self.too_big += 1

    @rule()
    def fill_the_lap_to_the_byte(self) -> None:
        left = -self.ring.end().at % self.ring.capacity
        while left:
            frame = min(left, LARGEST_FRAME)
            self.put_one(frame - 16)
            left -= frame

    @rule(size=st.integers(0, LARGEST), step=st.integers(0, 200))
    def die_while_putting(self, size: int, step: int) -> None:
        record = self._record(size)
        died = self.dies(step, lambda: self.ring.put(record))
        self.ring = self._again()
        assert died or self.ring.records == len(self.put) + 1
        self.put += [record] * (self.ring.records - len(self.put))
        self.deaths += died

    @rule(limit=st.integers(0, 30), which=st.integers(0, 3))
    def take(self, limit: int, which: int) -> None:
        reader = self.readers[which % len(self.readers)]
        start, lost = reader.position.records, reader.lost
        taken = reader.take(limit)
        stop = reader.position.records
        newly_lost = reader.lost - lost
        assert len(taken) + newly_lost == stop - start
        assert len(taken) <= limit
        assert taken == self.put[stop - len(taken) : stop]
        assert reader.lag == len(self.put) - stop
        if newly_lost:
            # Every frame takes its place, and at worst as much again is left free before it.
            over = sum(16 + (len(record) + 15 & -16) for record in self.put[start:])
            assert over + 2 * LARGEST_FRAME * (1 + self.deaths) > self.ring.capacity

    @rule(which=st.integers(0, 3))
    def take_all(self, which: int) -> None:
        for _ in range(2):
            self.take(10_000, which)
        assert self.readers[which % len(self.readers)].lag == 0

    @rule(which=st.integers(0, 3))
    def restart_a_reader(self, which: int) -> None:
        reader = self.readers[which % len(self.readers)]
        self.ring.keep(which, reader.position)
        successor = Reader(self._again(), self.ring.kept(which))
        assert successor.position == reader.position
        self.readers[which % len(self.readers)] = successor

    @rule(whole=st.booleans())
    def another_reader(self, whole: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        if len(self.readers) < 4:
            self.readers.append(Reader(self.ring, Position(0, 0) if whole else None))

    def teardown(self) -> None:
        for which in range(len(self.readers)):
            self.take_all(which)
        assert (self.ring.records, self.ring.too_big) == (len(self.put), self.too_big)
        for ring in self.opened:
            ring.close()

    def _again(self) -> Ring:
        self.opened.append(again(self.ring))
        return self.opened[-1]

    def _record(self, size: int) -> bytes:
        return (len(self.put).to_bytes(4, "big") * (size // 4 + 1))[:size]


def test_a_small_ring_does_what_a_list_would_do(dies: Dies) -> None:
    Rings.dies = staticmethod(dies)
    run_state_machine_as_test(Rings, settings=settings(max_examples=150, stateful_step_count=40))
