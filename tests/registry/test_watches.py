"""A promotion is watched from its own transaction on; what ended a watch stands in the ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from seatrial.ledger.verify import verify
from seatrial.registry import watches
from seatrial.registry.policy import Policy
from seatrial.registry.registry import Move, Registry
from seatrial.registry.watches import BY_WATCH, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.registry.watches import Watch

    from .conftest import Clock

POLICY = Policy(degradation_margin=0.05, metric="accuracy", hours=48).to_json()


def _move(
    registry: Registry,
    version: int,
    event: str = "promote",
    by: str = "run R",
    policy: Mapping[str, object] | None = POLICY,
    model: str = "m",
) -> list[str]:
    """Move production; the kinds of the events that this appended."""
    before = len(list(registry.ledger.events()))
    registry.move(_wanted(registry, version, event, by, model), policy)
    return [event.kind for event in registry.ledger.events()][before:]


def _wanted(registry: Registry, version: int, event: str, by: str, model: str = "m") -> Move:
    at = registry.channel(model, "production")
    return Move(
        model=model,
        channel="production",
        version=version,
        expect=at.revision if at else 0,
        event=event,
        by=by,
        reason="why",
    )


def _current(registry: Registry, model: str = "m") -> Watch:
    found = watches.current(registry.ledger, model)
    assert found is not None
    return found


def test_what_replaces_a_version_is_watched_in_the_same_transaction(registry: Registry) -> None:
    assert _move(registry, 1) == ["channel_moved", "policy_installed"]
    assert watches.current(registry.ledger, "m") is None
    assert _move(registry, 2) == ["channel_moved", "policy_installed", "watch_opened"]
    moved, _, opened = [*registry.ledger.events()][-3:]
    watch = _current(registry)
    assert (watch.version, watch.against, watch.state) == (2, 1, State.WATCHING)
    assert watch.opened == moved.at == opened.at
    assert datetime.fromisoformat(watch.until) - datetime.fromisoformat(watch.opened) == timedelta(
        hours=48
    )
    assert opened.body["watch"] == watch.id == f"m-{moved.seq}"
    assert (watch.closed, watch.reason) == (None, None)


def test_it_goes_by_the_policy_of_its_day(registry: Registry) -> None:
    _move(registry, 1)
    _move(registry, 2, policy={**POLICY, "hours": 2, "degradation_margin": 0.01})
    registry.install_policy("m", {**POLICY, "hours": 99})
    watch = _current(registry)
    assert Policy.from_json(watch.policy).degradation_margin == 0.01
    assert datetime.fromisoformat(watch.until) - datetime.fromisoformat(watch.opened) == timedelta(
        hours=2
    )
    _move(registry, 3, policy=None)  # by hand: by what is in force
    assert _current(registry).policy["hours"] == 99


def test_what_was_seen_of_two_versions_is_not_held_against_two_others(registry: Registry) -> None:
    """How often they differ offline is known of those that a run has compared."""
    _move(registry, 1)
    _move(registry, 2, policy={**POLICY, "disagreement": 0.01})
    assert _current(registry).policy["disagreement"] == 0.01
    _move(registry, 3, policy=None)
    assert _current(registry).policy == {**POLICY, "disagreement": None}


def test_a_policy_that_an_older_seatrial_wrote_will_do(registry: Registry) -> None:
    _move(registry, 1)
    _move(registry, 2, policy={"previous_version": "retained", "degradation_margin": 0.05})
    policy = Policy.from_json(_current(registry).policy)
    assert (policy.hours, policy.metric) == (48, None)


@pytest.mark.parametrize(
    ("version", "event", "policy"),
    [
        (1, "rollback", POLICY),
        (3, "rollback", POLICY),  # to a version that never served
        (2, "promote", POLICY),  # the same again
    ],
)
def test_what_replaces_nothing_by_promotion_is_not_watched(
    registry: Registry, version: int, event: str, policy: Mapping[str, object]
) -> None:
    _move(registry, 1)
    _move(registry, 2)
    _move(registry, version, event, policy=policy)
    assert watches.current(registry.ledger, "m") is None
    assert len(list(registry.ledger.events("watch_opened"))) == 1


def test_without_a_policy_nothing_is_watched(registry: Registry) -> None:
    for version in (1, 2):
        _move(registry, version, policy=None)
    assert watches.under_way(registry.ledger) == []


def test_staging_opens_and_ends_no_watch(registry: Registry) -> None:
    _move(registry, 1)
    _move(registry, 2)
    watch = _current(registry)
    for version in (3, 4):
        staged = registry.channel("m", "staging")
        registry.move(
            Move(
                model="m",
                channel="staging",
                version=version,
                expect=staged.revision if staged else 0,
                event="promote",
                by="t",
                reason="r",
            )
        )
    assert watches.under_way(registry.ledger) == [watch]


@pytest.mark.parametrize("event", ["promote", "rollback"])
def test_a_move_by_hand_ends_the_watch(registry: Registry, event: str) -> None:
    _move(registry, 1)
    _move(registry, 2)
    first = _current(registry)
    kinds = _move(registry, 3, event, by="ada", policy=None)
    assert kinds == ["channel_moved", "watch_closed", *["watch_opened"] * (event == "promote")]
    ended = watches.latest(registry.ledger, "m", 2)
    assert ended is not None
    assert (ended.id, ended.state) == (first.id, State.SUPERSEDED)
    assert ended.reason == "production moved to version 3"
    assert ended.closed is not None
    if event == "promote":
        assert (_current(registry).version, _current(registry).against) == (3, 2)


def test_models_are_watched_apart(registry: Registry) -> None:
    for model in "mn":
        for version in (1, 2):
            _move(registry, version, model=model)
    _move(registry, 3, model="n")
    assert [(w.model, w.version) for w in watches.under_way(registry.ledger)] == [
        ("m", 2),
        ("n", 3),
    ]


def test_an_error_on_the_way_leaves_neither(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    _move(registry, 1)
    _move(registry, 2)
    head, watch = registry.ledger.head(), _current(registry)

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        registry.move(_wanted(registry, 3, "promote", "run R"), POLICY, broken)
    with monkeypatch.context() as patched:
        patched.setattr(watches, "open_watch", broken)
        with pytest.raises(OSError, match="No space"):
            _move(registry, 3)
    assert registry.ledger.head() == head
    assert watches.under_way(registry.ledger) == [watch]
    at = registry.channel("m", "production")
    assert at is not None
    assert at.version == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from seatrial.registry import watches
from seatrial.registry.project import open_project
from seatrial.registry.registry import Move
from seatrial.workspace import at

opened = watches.open_watch

def killed(*given):
    opened(*given)
    os.kill(os.getpid(), signal.SIGKILL)

watches.open_watch = killed
registry = open_project(at(Path(sys.argv[1]))).registry
registry.move(Move(model="m", channel="production", version=2, expect=1, event="promote",
                   by="run R", reason="why"))
"""


def test_a_kill_on_the_way_leaves_neither(registry: Registry) -> None:
    _move(registry, 1)
    head = registry.ledger.head()
    folder = str(registry.ledger.file.parent.parent)
    killed = subprocess.run([sys.executable, "-c", KILLED, folder], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    at = registry.channel("m", "production")
    assert at is not None
    assert (at.version, registry.ledger.head()) == (1, head)
    assert watches.under_way(registry.ledger) == []
    _move(registry, 2)
    assert _current(registry).version == 2
    verify(registry.ledger)


def test_a_watch_ends_once(registry: Registry) -> None:
    _move(registry, 1)
    _move(registry, 2)
    watch = _current(registry).id
    ends = [(State.PASSED, "good"), (State.FAILED, "bad"), (State.PASSED, "good")]
    ended = [
        registry.ledger.write(lambda t, e=end: watches.close(t, watch, *e))  # type: ignore[misc]
        for end in ends
    ]
    assert ended == [True, False, False]
    (closed,) = registry.ledger.events("watch_closed")
    assert (closed.body["state"], closed.body["reason"]) == ("passed", "good")


def test_a_watch_is_only_ever_made_longer(registry: Registry, clock: Clock) -> None:
    _move(registry, 1)
    _move(registry, 2)
    watch = _current(registry)
    until = datetime.fromisoformat(watch.until)
    asked = [until + timedelta(hours=hours) for hours in (1, 1, 0, -5, 2)]
    longer = [
        registry.ledger.write(lambda t, u=each: watches.extend(t, watch.id, u, "few labels"))  # type: ignore[misc]
        for each in asked
    ]
    assert longer == [True, False, False, False, True]
    assert _current(registry).until == asked[-1].isoformat()
    registry.ledger.write(lambda t: watches.close(t, watch.id, State.PASSED, "good"))
    clock.move(9)
    late = until + timedelta(days=99)
    assert not registry.ledger.write(lambda t: watches.extend(t, watch.id, late, "late"))
    assert len(list(registry.ledger.events("watch_extended"))) == 2


def test_only_a_whole_watch_makes_a_version_known_good(registry: Registry, clock: Clock) -> None:
    _move(registry, 1)
    ends = {
        2: State.PASSED,
        3: State.INCONCLUSIVE,
        4: State.FAILED,
        5: State.PASSED,
        6: State.SUPERSEDED,
    }
    for version, state in ends.items():
        _move(registry, version)
        clock.move(1)
        watch = _current(registry).id
        registry.ledger.write(lambda t, w=watch, s=state: watches.close(t, w, s, "so"))  # type: ignore[misc]
    _move(registry, 7)
    with registry.ledger.read() as connection:
        assert watches.known_good(connection, "m") == [5, 2]
        assert watches.known_good(connection, "n") == []


def test_which_rollbacks_a_watch_made(registry: Registry, clock: Clock) -> None:
    _move(registry, 1)
    _move(registry, 1, "rollback", by="watchmaker ada")
    at = []
    for version in (2, 3):
        clock.move(1)
        _move(registry, version)
        _move(registry, 1, "rollback", by=f"{BY_WATCH}m-{version}")
        at.append(clock().isoformat())
    with registry.ledger.read() as connection:
        since = clock() - timedelta(days=1)
        assert watches.rollbacks(connection, "m", since) == at
        assert watches.rollbacks(connection, "m", since - timedelta(days=9)) == at
        assert watches.rollbacks(connection, "m", since + timedelta(seconds=1)) == at[1:]
        assert watches.rollbacks(connection, "n", since) == []
        assert watches.last_event(connection, "m") == "rollback"
        assert watches.last_event(connection, "n") is None
    _move(registry, 4)
    with registry.ledger.read() as connection:
        assert watches.last_event(connection, "m") == "promote"


def test_what_each_place_has_seen_is_kept_once_and_is_no_event(registry: Registry) -> None:
    _move(registry, 1)
    _move(registry, 2)
    watch, head = _current(registry).id, registry.ledger.head()
    for place, n in (("a", 1), ("b", 5), ("a", 2)):
        registry.ledger.write(lambda t, p=place, n=n: watches.save(t, watch, p, {"n": n}))  # type: ignore[misc]
    assert watches.trails(registry.ledger, watch) == {"a": {"n": 2}, "b": {"n": 5}}
    assert registry.ledger.head() == head
