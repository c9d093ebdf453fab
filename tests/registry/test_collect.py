"""Collecting drops what nothing needs, and nothing else."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import StoreError
from seatrial.ledger import beginnings, claims, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.claims import Claim
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Outcome, Verdict
from seatrial.registry import collect as collecting
from seatrial.registry.collect import Collected, collect
from seatrial.registry.registry import Move, Registry, Version

if TYPE_CHECKING:
    from .conftest import Clock

MONTH = timedelta(days=30)


def _register(registry: Registry, name: str, run: str = "R0") -> Version:
    files = {"model.onnx": registry.blobs.put(f"model {name}".encode())}
    return registry.register("m", {"files": files}, label="v{version}", run=run, by="t")


def _promote(registry: Registry, *versions: int) -> None:
    for version in versions:
        channel = registry.channel("m", "production")
        registry.move(
            Move(
                model="m",
                channel="production",
                version=version,
                expect=channel.revision if channel else 0,
                event="promote",
                by="t",
                reason="r",
            )
        )


def _begin(registry: Registry, run: str) -> None:
    beginnings.begin(
        registry.ledger,
        Beginning(identity=run, pipeline="p", key=run, model="m", request={}, steps=["a.b"]),
    )


def _dropped(collected: Collected) -> list[int]:
    return [version.version for version in collected.versions]


def test_what_serves_is_staged_or_was_served_lately_stays(registry: Registry, clock: Clock) -> None:
    for number in range(1, 9):
        _register(registry, str(number))
    _promote(registry, 1, 2, 3, 4, 3, 5)  # the last two before 5: 3 and 4
    clock.move(31)
    collected = collect(registry, keep=MONTH)
    assert _dropped(collected) == [1, 2, 6, 7]
    assert (collected.blobs, collected.bytes) == (4, 4 * len("model 1"))
    for version in registry.versions():
        if version.collected:
            assert registry.manifest(version)  # its place in the history stays readable
            with pytest.raises(StoreError, match=f"m version {version.version} is missing"):
                registry.verify(version)
        else:
            registry.verify(version)
    assert registry.previous("m") == 3
    verify(registry.ledger)
    assert collect(registry, keep=MONTH) == Collected((), 0, 0)


def test_young_versions_stay(registry: Registry, clock: Clock) -> None:
    for name in "abc":
        _register(registry, name)
    clock.move(29)
    assert collect(registry, keep=MONTH) == Collected((), 0, 0)
    clock.move(2)
    assert _dropped(collect(registry, keep=MONTH)) == [1, 2]


def test_what_an_unfinished_run_made_stays_until_it_ends(registry: Registry, clock: Clock) -> None:
    _begin(registry, "R1")
    _register(registry, "a", run="R1")
    _register(registry, "b")  # stages another
    claimed = claims.claim(registry.ledger, "R1", "a.b", owner="h:1", host="h")
    assert isinstance(claimed, Claim)
    evidence = registry.blobs.put(b"evidence")
    said = Outcome(verdict=Verdict.PASS, reason="so", blobs={"evidence": evidence})
    claims.finish(registry.ledger, claimed, said, 0.1, "key")
    clock.move(31)
    assert collect(registry, keep=MONTH) == Collected((), 0, 0)
    runs.end(registry.ledger, "R1", State.FINISHED, Verdict.PASS, None)
    assert _dropped(collect(registry, keep=MONTH)) == [1]
    assert not registry.blobs.has(evidence)
    assert claims.reusable(registry.ledger, "key") is None  # no promise without its blobs


def test_what_a_verdict_was_drawn_from_stays(registry: Registry, clock: Clock) -> None:
    _begin(registry, "R1")
    claimed = claims.claim(registry.ledger, "R1", "a.b", owner="h:1", host="h")
    assert isinstance(claimed, Claim)
    names = ("answers", "distribution", "slices", "shadow")
    blobs = {name: registry.blobs.put(name.encode()) for name in names}
    said = Outcome(verdict=Verdict.PASS, reason="so", blobs=blobs)
    claims.finish(registry.ledger, claimed, said, 0.1, None)
    runs.end(registry.ledger, "R1", State.FINISHED, Verdict.PASS, None)
    clock.move(31)
    assert collect(registry, keep=MONTH) == Collected((), 0, 0)


def test_a_blob_in_the_making_is_not_taken(registry: Registry, clock: Clock) -> None:
    """A running step keeps blobs before it is recorded; a day is enough for any of them."""
    digest = registry.blobs.put(b"being registered")
    part = registry.blobs.folder / "part" / "left"
    part.write_bytes(b"half")
    clock.move(0.9)
    assert collect(registry, keep=timedelta(0)) == Collected((), 0, 0)
    old = (clock() - timedelta(days=1.1)).timestamp()
    os.utime(part, (old, old))
    assert collect(registry, keep=timedelta(0)) == Collected((), 1, 4)
    assert registry.blobs.has(digest)
    clock.move(0.2)
    assert collect(registry, keep=timedelta(0)).blobs == 1
    assert not registry.blobs.has(digest)


def test_a_collected_version_that_is_made_again_is_whole_again(
    registry: Registry, clock: Clock
) -> None:
    first = _register(registry, "a")
    _register(registry, "b")
    clock.move(31)
    assert _dropped(collect(registry, keep=MONTH)) == [1]
    again = _register(registry, "a")
    assert (again.version, again.digest) == (1, first.digest)
    assert registry.version("m", 1).collected is None
    registry.verify(registry.version("m", 1))
    verify(registry.ledger)


def test_blobs_that_two_versions_share_stay(registry: Registry, clock: Clock) -> None:
    files = {"model.onnx": registry.blobs.put(b"the same")}
    for seed in (1, 2):
        registry.register("m", {"seed": seed, "files": files}, label="l", run="R0", by="t")
    clock.move(31)
    collected = collect(registry, keep=MONTH)
    assert (_dropped(collected), collected.blobs) == ([1], 0)
    registry.verify(registry.version("m", 2))


def test_what_another_machine_puts_into_production_meanwhile_stays(
    registry: Registry, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcde":
        _register(registry, name)
    _promote(registry, 1, 2, 3, 4, 5)
    clock.move(31)
    looked = collecting._needed

    def needed(registry: Registry) -> set[tuple[str, int]]:
        found = looked(registry)
        monkeypatch.undo()
        _promote(registry, 1)
        return found

    monkeypatch.setattr(collecting, "_needed", needed)
    assert _dropped(collect(registry, keep=MONTH)) == [2, 3]
    registry.verify(registry.version("m", 1))


def test_what_was_collected_meanwhile_is_not_put_into_production(
    registry: Registry, clock: Clock
) -> None:
    for name in "abcde":
        _register(registry, name)
    _promote(registry, 1, 2, 3, 4, 5)
    clock.move(31)
    assert _dropped(collect(registry, keep=MONTH)) == [1, 2]
    with pytest.raises(StoreError, match="the files of m version 1 were collected"):
        _promote(registry, 1)
    assert registry.resolve("m", "production") == registry.version("m", 5)
