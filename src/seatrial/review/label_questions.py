"""Which questions can labels answer: about which two versions, which requests, by which rule?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from seatrial.errors import Mistake, SeatrialError, UsageError
from seatrial.evidence.watching import Rule
from seatrial.inference.signature import Signature
from seatrial.outcome import Verdict
from seatrial.registry import watches
from seatrial.registry.policy import Policy
from seatrial.review.items import Item, Status
from seatrial.review.run_decisions import GATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.evidence.watching import Mode
    from seatrial.registry.project import Project

OF_A_WATCH = ("watch_inconclusive", "disagreement")
"""The kinds that ask whether the version in production is as good as the one before."""

METRIC = "accuracy"
"""Versions that answer alike are equally good in this one: only so are few labels enough."""

ANSWERED = ("disagreement", f"degradation.{METRIC}")
"""The measures of a shadow test that labels of differing answers settle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whether version ``new`` is as good as ``old``, on requests that ``served`` answered.

    The requests of ``[since, until)`` count; without ``until`` all since. ``classes`` are those of
    both versions. ``rule`` judges what the labels say.
    """

    model: str
    new: int
    old: int
    served: int
    since: datetime
    until: datetime | None
    rule: Rule
    classes: tuple[int | str, ...]

    @property
    def other(self) -> int:
        """The version that did not answer these requests, and is asked now."""
        return self.old if self.served == self.new else self.new


def question_of(project: Project, item: Item) -> Asked:
    """What an item asks; :class:`UsageError` when labels cannot answer it, or nobody asks it."""
    if item.status is not Status.OPEN:
        raise UsageError(gone(item))
    if item.kind in OF_A_WATCH:
        return _of_watch(project, item)
    if item.kind == GATE:
        return _of_shadow_test(project, item)
    raise UsageError(_other_kind(item, f"a question of the kind {item.kind}"))


def labels_settle(project: Project, item: Item) -> bool:
    """Whether labels can answer an item; what is in the way is told by :func:`question_of`."""
    try:
        question_of(project, item)
    except SeatrialError:
        return False
    return True


def gone(item: Item) -> Mistake:
    """It needs no label any more."""
    return Mistake(
        f"item {item.id} has left the queue: {item.settled}",
        where=item.subject,
        fix="`seatrial reviews` shows what is open",
    )


def _of_watch(project: Project, item: Item) -> Asked:
    """By the rule and the margin of the watch that asks."""
    about = cast("Mapping[str, Any]", item.asked.evidence)
    model, new, old = str(about["model"]), int(about["version"]), int(about["against"])
    watch = watches.latest(project.ledger, model, new)
    if watch is None or watch.id != about["watch"]:
        raise UsageError(
            Mistake(
                f"version {new} has been promoted anew since this was asked",
                where=f"item {item.id}",
                fix=f"seatrial reject {item.id} --reason …",
            )
        )
    policy = Policy.from_json(watch.policy)
    return Asked(
        model=model,
        new=new,
        old=old,
        served=new,
        since=datetime.fromisoformat(watch.opened),
        until=None,
        rule=_rule(item, policy.metric, policy.degradation_margin, policy.rule, policy.min_labels),
        classes=_classes(project, item, model, (old, new)),
    )


def _of_shadow_test(project: Project, item: Item) -> Asked:
    """By the margin of the test, all of which must be proven to be exceeded: no watch is left."""
    told = cast("Mapping[str, Any]", item.asked.evidence)
    if "shadow" not in told.get("blobs", {}):
        raise UsageError(_other_kind(item, f"{item.asked.step}, for it compared no live answers"))
    open_ = [
        str(each["name"])
        for each in told["measures"]
        if each["verdict"] == Verdict.INCONCLUSIVE and each["name"] not in ANSWERED
    ]
    if open_:
        raise UsageError(_not_by_labels(item, open_))
    kept = project.registry.blobs.get(told["blobs"]["shadow"], of=f"item {item.id}")
    model = str(item.asked.model)
    try:
        test = msgspec.json.decode(kept, type=_Test)
    except msgspec.DecodeError as error:
        what = f"{item.asked.step}, which another release of seatrial kept in a form of its own"
        raise UsageError(_other_kind(item, what)) from error
    new, old = test.candidate, test.production
    return Asked(
        model=model,
        new=new,
        old=old,
        served=old,
        since=test.since,
        until=test.until,
        rule=_rule(item, test.offline.metric, test.offline.margin, "strict", Rule().min_labels),
        classes=_classes(project, item, model, (old, new)),
    )


class _Offline(msgspec.Struct, frozen=True):
    """What was known of both models before the test."""

    metric: str | None
    margin: float


class _Test(msgspec.Struct, frozen=True):
    """What is read of what a shadow test kept."""

    candidate: int
    production: int
    since: datetime
    until: datetime
    offline: _Offline


def _rule(item: Item, metric: str | None, margin: float, mode: str, min_labels: int) -> Rule:
    if metric != METRIC:
        raise UsageError(_not_alike(item, f"{metric or 'no metric'} is judged here"))
    # the order is random, so there is no onset to be found
    return Rule(margin=margin, mode=cast("Mode", mode), buckets=1, min_labels=min_labels)


def _classes(
    project: Project, item: Item, model: str, versions: Sequence[int]
) -> tuple[int | str, ...]:
    found: list[int | str] = []
    for number in versions:
        signature = signature_of(project, model, number)
        if signature.problem != "classes":
            raise UsageError(_not_alike(item, f"version {number} answers numbers"))
        found += signature.classes
    return tuple(dict.fromkeys(found))


def signature_of(project: Project, model: str, number: int) -> Signature:
    """What a version reads and answers."""
    manifest = project.registry.manifest(project.registry.version(model, number))
    return Signature.from_json(cast("dict[str, Any]", manifest["signature"]))


def _other_kind(item: Item, what: str) -> Mistake:
    return Mistake(
        f"labels of requests cannot settle {what}",
        where=f"item {item.id}",
        nearest="shadow tests that are not settled, watch_inconclusive, disagreement",
        fix=f"{item.asked.resolves}; or decide: seatrial {item.asked.options[0]} {item.id}"
        " --reason …",
    )


def _not_by_labels(item: Item, names: Sequence[str]) -> Mistake:
    return Mistake(
        f"labels say nothing of {', '.join(names)}, which is not settled either",
        where=f"item {item.id}",
        fix=f"{item.asked.resolves}; or decide: seatrial approve {item.id} --reason …",
    )


def _not_alike(item: Item, why: str) -> Mistake:
    model = item.asked.model
    return Mistake(
        f"asking only where answers differ needs classes, and {METRIC} as the metric: {why},"
        " so every request would need its label",
        where=f"item {item.id}",
        fix=f"send labels as they come: POST /v2/models/{model}/feedback; a watch counts them, and"
        " so does the next shadow test",
    )
