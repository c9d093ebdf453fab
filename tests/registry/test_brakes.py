"""What must not be promoted by itself stays so until a person says otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.ledger.verify import verify
from seatrial.registry import brakes
from seatrial.registry.collect import collect

if TYPE_CHECKING:
    from seatrial.registry.registry import Registry, Version

    from .conftest import Clock


def _register(registry: Registry, name: str, model: str = "m") -> Version:
    files = {"model.onnx": registry.blobs.put(f"model {name}".encode())}
    return registry.register(
        model, {"name": name, "files": files}, label="l{version}", run="R", by="t"
    )


def _quarantine(registry: Registry, digest: str, reason: str = "bad", model: str = "m") -> None:
    registry.ledger.write(lambda t: brakes.quarantine(t, model, 2, digest, reason))


def test_a_quarantine_is_said_once_and_the_first_reason_stands(
    registry: Registry, clock: Clock
) -> None:
    since = clock().isoformat()
    _quarantine(registry, "sha256:aa")
    head = registry.ledger.head()
    clock.move(1)
    _quarantine(registry, "sha256:aa", "worse")
    assert registry.ledger.head() == head
    found = brakes.quarantined(registry.ledger, "m", "sha256:aa")
    assert found is not None
    assert (found.version, found.since, found.reason) == (2, since, "bad")
    assert brakes.quarantined(registry.ledger, "m", "sha256:bb") is None
    assert brakes.quarantined(registry.ledger, "n", "sha256:aa") is None


def test_a_quarantine_is_lifted_by_somebody_for_a_reason(registry: Registry) -> None:
    _quarantine(registry, "sha256:aa")
    lifted = [
        registry.ledger.write(lambda t: brakes.lift(t, "m", "sha256:aa", "ada", "labels were bad"))
        for _ in range(2)
    ]
    assert lifted == [True, False]
    (event,) = registry.ledger.events("quarantine_lifted")
    assert event.body == {
        "model": "m", "digest": "sha256:aa", "by": "ada", "reason": "labels were bad",
    }  # fmt: skip
    assert brakes.quarantined(registry.ledger, "m", "sha256:aa") is None
    _quarantine(registry, "sha256:aa", "again")  # it may come back
    assert [each.reason for each in brakes.all_quarantined(registry.ledger)] == ["again"]
    verify(registry.ledger)


def test_a_freeze_holds_one_model_until_it_is_ended(registry: Registry, clock: Clock) -> None:
    since = clock().isoformat()
    freeze = [
        registry.ledger.write(lambda t, r=reason: brakes.freeze(t, "m", r))  # type: ignore[misc]
        for reason in ("two rollbacks", "three")
    ]
    assert freeze == [True, False]
    found = brakes.frozen(registry.ledger, "m")
    assert found is not None
    assert (found.since, found.reason) == (since, "two rollbacks")
    assert brakes.frozen(registry.ledger, "n") is None
    assert brakes.all_frozen(registry.ledger) == [found]
    thawed = [
        registry.ledger.write(lambda t: brakes.thaw(t, "m", "ada", "the feed is whole again"))
        for _ in range(2)
    ]
    assert thawed == [True, False]
    assert brakes.frozen(registry.ledger, "m") is None
    assert [e.kind for e in registry.ledger.events()] == ["model_frozen", "model_thawed"]


def test_what_is_in_quarantine_is_kept_to_be_looked_at(registry: Registry, clock: Clock) -> None:
    made = [_register(registry, name) for name in "abcd"]
    other = _register(registry, "b", model="n")  # the same bytes, of another model
    _register(registry, "z", model="n")
    files = registry.manifest(made[1])["files"]
    _quarantine(registry, files["model.onnx"])  # type: ignore[index]
    clock.move(400)
    dropped = collect(registry, timedelta(days=30)).versions
    assert [(v.model, v.version) for v in dropped] == [("m", 1), ("m", 3), (other.model, 1)]
    registry.verify(registry.version("m", 2))
    registry.ledger.write(
        lambda t: brakes.lift(t, "m", files["model.onnx"], "ada", "was not it")  # type: ignore[index]
    )
    assert [v.version for v in collect(registry, timedelta(days=30)).versions] == [2]
