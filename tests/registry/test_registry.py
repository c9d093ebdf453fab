"""Versions are numbered once, and channels move only from where they were looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import StoreError, UsageError
from seatrial.ledger.verify import verify
from seatrial.registry import registry as registry_module
from seatrial.registry.registry import Move, MovedError, Registry, Version

if TYPE_CHECKING:
    from .conftest import Clock


def _register(registry: Registry, name: str, model: str = "m", run: str = "R1") -> Version:
    files = {"model.onnx": registry.blobs.put(f"model {name}".encode())}
    manifest = {"name": name, "files": files}
    return registry.register(model, manifest, label="model_v{version}", run=run, by="run R1")


def _promotion(version: int, expect: int, once: str | None = None, event: str = "promote") -> Move:
    return Move(
        model="m",
        channel="production",
        version=version,
        expect=expect,
        event=event,
        by="ada",
        reason=f"because {version}",
        once=once,
    )


def test_versions_count_from_one_in_each_model(registry: Registry) -> None:
    made = [_register(registry, name) for name in "abc"] + [_register(registry, "a", model="n")]
    assert [(v.model, v.version, v.label) for v in made] == [
        ("m", 1, "model_v1"),
        ("m", 2, "model_v2"),
        ("m", 3, "model_v3"),
        ("n", 1, "model_v1"),
    ]
    assert registry.versions() == made
    assert registry.versions("n") == made[3:]
    assert registry.models() == ["m", "n"]
    assert registry.version("m", 2) == made[1]
    assert registry.manifest(made[1])["name"] == "b"
    assert registry.file(made[1], "model.onnx") == b"model b"


def test_the_same_manifest_is_the_same_version(registry: Registry) -> None:
    first = _register(registry, "a")
    head = registry.ledger.head()
    assert _register(registry, "a", run="R2") == first
    assert registry.ledger.head() == head


def test_an_unknown_version_names_the_known_ones(registry: Registry) -> None:
    with pytest.raises(UsageError, match="m has no version 1"):
        registry.version("m", 1)
    _register(registry, "a")
    _register(registry, "b")
    with pytest.raises(UsageError, match="versions: 1, 2"):
        registry.version("m", 3)


def test_registering_stages_the_version(registry: Registry) -> None:
    assert registry.channel("m", "staging") is None
    for revision, (name, version) in enumerate((("a", 1), ("b", 2), ("a", 1)), start=1):
        _register(registry, name)
        staged = registry.channel("m", "staging")
        assert staged
        assert (staged.version, staged.revision) == (version, revision)
    assert registry.channel("m", "production") is None
    assert registry.history() == []


def test_a_move_from_elsewhere_changes_nothing(registry: Registry) -> None:
    _register(registry, "a")
    registry.move(_promotion(1, expect=0))
    head = registry.ledger.head()
    for expect in (0, 2):
        with pytest.raises(MovedError, match=r"moved meanwhile \(to version 1\)"):
            registry.move(_promotion(1, expect), {"degradation_margin": 1})
    assert (registry.ledger.head(), registry.policy("m")) == (head, None)


def test_what_was_asked_once_happens_once(registry: Registry) -> None:
    for _ in range(3):
        registry.move(
            _promotion(1, expect=0, once="R1/deploy.promote"), {"degradation_margin": 0.05}
        )
    channel = registry.channel("m", "production")
    assert channel
    assert (channel.revision, len(registry.history())) == (1, 1)
    registry.move(_promotion(2, expect=1, once="R2/deploy.promote"))
    registry.move(_promotion(1, expect=0, once="R1/deploy.promote"))  # an old echo
    assert registry.channel("m", "production") == registry.channels()[0]
    assert registry.channels()[0].version == 2


def test_the_policy_comes_with_the_move_or_neither(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.move(_promotion(1, expect=0), {"degradation_margin": 0.05})
    head = registry.ledger.head()

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(registry_module, "_install", broken)
        with pytest.raises(OSError, match="No space"):
            registry.move(_promotion(2, expect=1), {"degradation_margin": 0.9})
    channel = registry.channel("m", "production")
    assert channel
    assert (channel.version, channel.revision, registry.ledger.head()) == (1, 1, head)
    assert registry.policy("m") == {"degradation_margin": 0.05}
    registry.move(_promotion(2, expect=1), {"degradation_margin": 0.9})
    assert registry.policy("m") == {"degradation_margin": 0.9}


def test_the_same_policy_again_is_no_event(registry: Registry) -> None:
    assert registry.policy("m") is None
    for margin in (0.05, 0.05, 0.1):
        registry.install_policy("m", {"degradation_margin": margin})
    assert len(list(registry.ledger.events("policy_installed"))) == 2
    assert registry.policy("m") == {"degradation_margin": 0.1}


def test_previous_is_the_last_other_version_that_served(registry: Registry) -> None:
    assert registry.previous("m") is None
    for expect, (version, previous) in enumerate([(1, None), (2, 1), (1, 2), (3, 1), (3, 1)]):
        registry.move(_promotion(version, expect))
        assert registry.previous("m") == previous


def test_history_says_who_was_in_production_when_and_why(registry: Registry, clock: Clock) -> None:
    first = clock().isoformat()
    _register(registry, "a")
    registry.move(_promotion(1, expect=0))
    clock.move(1)
    _register(registry, "b")
    registry.move(_promotion(2, expect=1))
    registry.move(_promotion(1, expect=2, event="rollback"))
    moves = registry.history()
    assert [(m["event"], m["version"], m["reason"]) for m in moves] == [
        ("promote", 1, "because 1"),
        ("promote", 2, "because 2"),
        ("rollback", 1, "because 1"),
    ]
    assert [m["at"] for m in moves] == [first, clock().isoformat(), clock().isoformat()]
    assert {m["by"] for m in moves} == {"ada"}
    assert registry.history("m") == moves
    assert registry.history("n") == []


def test_a_damaged_blob_names_its_version(registry: Registry) -> None:
    _register(registry, "a")
    version = _register(registry, "b")
    registry.verify(version)
    path = registry.blobs.path(str(registry.manifest(version)["files"]["model.onnx"]))  # type: ignore[index]
    path.write_bytes(b"model c")
    for look in (registry.verify, lambda v: registry.file(v, "model.onnx")):
        with pytest.raises(StoreError, match="a blob of m version 2 no longer matches") as raised:
            look(version)
        assert raised.value.exit_code == 5
    registry.verify(registry.version("m", 1))


def test_a_damaged_manifest_names_its_version(registry: Registry) -> None:
    version = _register(registry, "a")
    path = registry.blobs.path(version.digest)
    path.write_bytes(path.read_bytes().replace(b"model.onnx", b"other.onnx"))
    with pytest.raises(StoreError, match="a blob of m version 1 no longer matches"):
        registry.manifest(version)
    path.unlink()
    with pytest.raises(StoreError, match="a blob of m version 1 is missing"):
        registry.verify(version)


RACER = """
import json, sys
from pathlib import Path
from seatrial.registry.project import open_project
from seatrial.registry.registry import Move, MovedError
from seatrial.workspace import at

registry = open_project(at(Path(sys.argv[1]))).registry
version, tries = int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
won = []
for _ in range(tries):
    seen = registry.channel("m", "production")
    expect = seen.revision if seen else 0
    try:
        registry.move(Move(model="m", channel="production", version=version, expect=expect,
                           event="promote", by=sys.argv[2], reason="race"),
                      {"by": version, "degradation_margin": 0.05})
    except MovedError:
        continue
    won.append(expect)
print(json.dumps(won))
"""


@pytest.mark.slow
def test_two_processes_racing_1000_promotions_never_move_twice(registry: Registry) -> None:
    folder = str(registry.ledger.file.parent.parent)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, folder, version, "500"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for version in ("1", "2")
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        print(file=racer.stdin, flush=True)
    won: Counter[int] = Counter()
    for racer in racers:
        won.update(json.loads(racer.communicate(timeout=120)[0]))
        assert racer.returncode == 0
    moves, channel = registry.history("m"), registry.channel("m", "production")
    assert channel
    assert max(won.values()) == 1, "two moves from the same revision"
    assert sorted(won) == list(range(len(moves)))
    assert channel.revision == len(moves) == len(list(registry.ledger.events("channel_moved")))
    assert len({move["version"] for move in moves}) == 2
    assert (channel.version, registry.policy("m")) == (
        moves[-1]["version"],
        {"by": moves[-1]["version"], "degradation_margin": 0.05},
    )
    assert len(moves) < 1000, "they never met: the race proves nothing"
    verify(registry.ledger)
