"""Looks after everything that was promoted: turn by turn, it looks, decides, acts and keeps."""

from __future__ import annotations

import functools
import operator
import os
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from seatrial import pipeline as settings
from seatrial.errors import SeatrialError
from seatrial.registry import watches
from seatrial.registry.policy import Policy
from seatrial.registry.registry import PRODUCTION
from seatrial.registry.trails import Evidence
from seatrial.review.deadlines import tend
from seatrial.watch import turnstile
from seatrial.watch.act import act, ask_about, brakes_of
from seatrial.watch.decide import Brakes, Known, decide, harmed
from seatrial.watch.followed import Followed
from seatrial.watch.needless import close_needless
from seatrial.watch.place import place_of
from seatrial.watch.sampling import Sampling
from seatrial.watch.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from seatrial.registry.project import Project
    from seatrial.registry.registry import Channel
    from seatrial.registry.watches import Watch
    from seatrial.watch import Gauge
    from seatrial.watch.act import Done
    from seatrial.watch.decide import Action

LOOK_S = 0.1
"""How soon a label that is in the log is seen."""

SECOND_S = 1.0
"""How often the gateway's counts are read, answers are drawn, and what was seen is kept."""

TEND_S = 10.0
"""How often questions to people are looked at: their deadlines are hours."""

TROUBLE_S = 0.5
"""How soon it tries again when the ledger could not be read or written."""


@dataclass(slots=True)
class Watcher:
    """One gateway's watcher. Only the one that has the project's lock compares labels."""

    project: Project
    gauge: Gauge
    log: Callable[..., None]
    monotonic: Callable[[], float] = time.monotonic
    trouble: str = ""
    """What is in the way now; empty when nothing is."""
    _gate: turnstile.Gate = field(default_factory=turnstile.Gate)
    _followed: dict[str, Followed] = field(default_factory=dict)
    """By model."""
    _standing: dict[str, Standing] = field(default_factory=dict)
    _stamp: object = None
    _serving: Mapping[str, Channel] = field(default_factory=dict)
    _brakes: Mapping[str, Brakes] = field(default_factory=dict)
    _due_s: dict[str, float] = field(default_factory=dict)
    _place: str = ""
    """The log that it counts; empty until it is known."""

    def turn(self) -> float:
        """Do what is due; the seconds until the next turn."""
        try:
            self._turn(self.monotonic())
        except SeatrialError as error:
            # loud, and again at once: a rollback may be waiting for this
            said = str(error)
            if said != self.trouble:
                self.log("watch_in_trouble", error=said)
            self.trouble = said
            return TROUBLE_S
        if self.trouble:
            self.log("watch_recovered")
            self.trouble = ""
        return LOOK_S

    def told(self) -> dict[str, Any]:
        """What the board shows."""
        return {
            "pid": os.getpid(),
            "beat_us": time.time_ns() // 1000,
            "trouble": self.trouble,
            "watches": [
                {
                    "model": each.watch.model,
                    "version": each.watch.version,
                    "labels": each.labels,
                    "coverage_percent": each.coverage_percent,
                }
                for each in self._followed.values()
            ],
        }

    def end(self) -> None:
        """Keep what was seen; what cannot be kept is read from the log again."""
        for error in self._each(self._unkept(), self._keep):
            self.log("not_kept", error=str(error))
        self._gate.leave()

    def _turn(self, now_s: float) -> None:
        second = self._due("second", SECOND_S, now_s)
        if second:
            self.gauge.look()
            self._gate.enter(self.project.workspace.home)
        met = self._refresh()
        met += self._each(self._followed, partial(self._count, second=second))
        if second:
            met += self._each(self._serving, partial(self._guard, now_s=now_s))
            met += self._each(self._unkept(), self._keep)
        if self._gate.inside and self._due("tend", TEND_S, now_s):
            close_needless(self.project)
            tend(self.project.ledger, self.project.workspace.clock())
        if met:
            raise met[0]

    def _each(self, models: Iterable[str], do: Callable[[str], None]) -> Iterator[SeatrialError]:
        """What was met: the trouble of one model must not keep others from being watched."""
        for model in [*models]:
            try:
                do(model)
            except SeatrialError as error:
                yield error

    def _count(self, model: str, *, second: bool) -> None:
        """Count the labels that have come, and decide."""
        followed = self._followed[model]
        came = followed.turn(self.project.machine_clock())
        if came or second:
            self._decide(followed)

    def _due(self, what: str, every_s: float, now_s: float) -> bool:
        if now_s < self._due_s.get(what, 0.0):
            return False
        self._due_s[what] = now_s + every_s
        return True

    def _refresh(self) -> list[SeatrialError]:
        """Read what serves and what is watched, when the ledger has changed or the lock was got."""
        stamp = (self.project.ledger.stamp(), self._gate.inside)
        if stamp == self._stamp:
            return []
        registry = self.project.registry
        self._serving = {c.model: c for c in registry.channels() if c.channel == PRODUCTION}
        self._brakes = {model: brakes_of(self.project, model) for model in self._serving}
        for model, channel in self._serving.items():
            standing = self._standing.get(model)
            if standing is None or standing.version != channel.version:
                self._standing[model] = self._stand(channel)
        lasting = {w.model: w for w in watches.under_way(self.project.ledger)}
        for model in [*self._followed]:
            if model not in lasting or not _same(lasting[model], self._followed[model].watch):
                self._followed.pop(model).forget()
        met = [*self._each(lasting if self._gate.inside else (), partial(self._take_up, lasting))]
        self._stamp = None if met else stamp
        return met

    def _take_up(self, lasting: Mapping[str, Watch], model: str) -> None:
        known, watch = self._followed.get(model), lasting[model]
        if known is None:
            self._followed[model] = self._follow(watch)
            return
        known.watch = watch  # it may have been extended, and others may have seen more
        known.others = self._seen_elsewhere(watches.trails(self.project.ledger, watch.id))

    def _follow(self, watch: Watch) -> Followed:
        if not self._place:
            workspace = self.project.workspace
            self._place = place_of(workspace.traffic, workspace.ids)
        kept = watches.trails(self.project.ledger, watch.id)
        followed = Followed.open(self.project, watch, kept.get(self._place))
        followed.others = self._seen_elsewhere(kept)
        self.log(
            "following", watch=watch.id, against=watch.against, labels=followed.labels,
            unpaired=followed.unpaired,
        )  # fmt: skip
        return followed

    def _seen_elsewhere(self, kept: Mapping[str, Mapping[str, Any]]) -> Evidence | None:
        """What the watchers of other machines have kept, and earlier logs of this one."""
        found = [
            Evidence.from_json(each["evidence"]) for p, each in kept.items() if p != self._place
        ]
        return functools.reduce(operator.add, found) if found else None

    def _stand(self, channel: Channel) -> Standing:
        registry, traffic = self.project.registry, self.project.workspace.traffic
        policy = registry.policy(channel.model)
        said = Policy.from_json(policy) if policy else settings.Watch()
        return Standing.begin(
            self.gauge,
            channel.model,
            channel.version,
            registry.previous(channel.model),
            said.errors_percent,
            Sampling(traffic, channel.model, channel.version, seed=channel.revision),
        )

    def _guard(self, model: str, *, now_s: float) -> None:
        """What needs no statistics: act when something is wrong with what serves."""
        followed, standing = self._followed.get(model), self._standing[model]
        newest = max(self._serving.values(), key=lambda channel: channel.since).model == model
        harm = standing.look(self.project, self.gauge, now_s, followed, newest=newest)
        if not harm:
            return
        action = harmed(standing.version, harm, "guardrail", self._brakes[model])
        watch = watches.latest(self.project.ledger, model, standing.version)
        if watch is None:
            self._tell(ask_about(self.project, model, standing.version, action))
            return
        evidence = followed.told() if followed is not None else {"watch": watch.id}
        self._act(watch, action, {**evidence, "guardrail": harm})

    def _decide(self, followed: Followed) -> None:
        """What the labels and the time say."""
        judged = followed.judged()
        known = Known(
            now=self.project.workspace.clock(),
            version=followed.watch.version,
            first_deadline=followed.first_deadline,
            last_deadline=followed.last_deadline,
            until=followed.until,
            quality=judged["quality"],
            unpaired=followed.unpaired,
            coverage_percent=followed.coverage_percent,
            promised=judged["promised"],
            differing=judged["differing"],
            brakes=self._brakes[followed.watch.model],
        )
        for action in decide(known, followed.policy):
            self._act(followed.watch, action, followed.told())

    def _act(self, watch: Watch, action: Action, evidence: Mapping[str, Any]) -> None:
        self._tell(act(self.project, watch, action, evidence))

    def _tell(self, done: Done | None) -> None:
        if done is not None:
            self.log(done.what, model=done.model, version=done.version, to=done.to, why=done.reason)

    def _unkept(self) -> list[str]:
        return [model for model, followed in self._followed.items() if followed.unkept]

    def _keep(self, model: str) -> None:
        """Write what was seen since it was written last: so much need not be counted again."""
        followed = self._followed[model]
        state, watch = followed.state(), followed.watch.id
        self.project.ledger.write(lambda t: watches.save(t, watch, self._place, state))
        followed.unkept = False


def _same(one: Watch, other: Watch) -> bool:
    """A ledger that was restored from a backup may give a place in the chain away once more."""
    return (one.id, one.opened) == (other.id, other.opened)
