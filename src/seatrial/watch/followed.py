"""What is known of one watched version so far, from its labels and from its answers alone?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, StoreError
from seatrial.evidence.agreement import differing
from seatrial.registry.policy import Policy
from seatrial.registry.rules import BUCKETS, Rules
from seatrial.registry.trails import Evidence, judged
from seatrial.traffic.following import Following
from seatrial.watch.pairing import paired
from seatrial.watch.versions import answered, open_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.evidence.watching import Judged
    from seatrial.inference.served import Served
    from seatrial.registry.project import Project
    from seatrial.registry.watches import Watch
    from seatrial.watch.pairing import Pairs
    from seatrial.watch.sampling import Drawn


@dataclass(slots=True)
class Followed:
    """One watch at one place. ``others`` is what other places have seen.

    ``unkept`` says that more was seen than was kept.
    """

    watch: Watch
    policy: Policy
    rules: Rules
    evidence: Evidence
    following: Following | None
    serving: Served
    before: Served | None
    unpaired: str
    unscored: int = 0
    others: Evidence | None = None
    unkept: bool = False

    @classmethod
    def open(cls, project: Project, watch: Watch, kept: Mapping[str, Any] | None) -> Followed:
        """Go on from what was ``kept``, or begin; StoreError when the version cannot be read.

        When the version before cannot be read, nothing can be compared: then only the guardrails
        act, and the watch says why.
        """
        policy = Policy.from_json(watch.policy)
        serving = open_version(project, watch.model, watch.version)
        rules = Rules.of(policy, len(serving.signature.classes))
        before, unpaired = None, rules.unpaired
        try:
            before = open_version(project, watch.model, watch.against)
        except (StoreError, FormError) as error:
            unpaired = f"version {watch.against} cannot be read: {error.mistakes[0].what}"
        traffic, since = project.workspace.traffic, datetime.fromisoformat(watch.opened)
        told = kept or {}
        following = None
        if before is not None and rules.loss is not None:
            following = Following(
                traffic,
                watch.model,
                watch.version,
                serving.signature,
                before.signature,
                since,
                told.get("following"),
            )
        return cls(
            watch=watch,
            policy=policy,
            rules=rules,
            evidence=Evidence.from_json(told["evidence"]) if kept else Evidence.empty(rules),
            following=following,
            serving=serving,
            before=before,
            unpaired=unpaired,
            unscored=int(told.get("unscored", 0)),
        )

    def turn(self, now: datetime) -> bool:
        """Count the labels that have come; whether there were any."""
        if self.following is None or self.before is None or self.rules.loss is None:
            return False
        matched = self.following.turn(now)
        if matched.absent:
            names = ", ".join(matched.absent)
            self.unpaired = f"version {self.watch.against} reads {names}, which is not logged"
        if not matched.rows:
            return False
        self.unkept = True
        self._count(paired(matched, self.rules.loss, self.serving.signature, self.before))
        return True

    def _count(self, pairs: Pairs) -> None:
        self.unscored += pairs.unscored
        bucket = self._buckets(pairs.time_us)
        if self.evidence.quality is not None and len(pairs.d):
            self.evidence.quality.add(pairs.d, bucket)
        if self.evidence.promised is not None and len(pairs.d):
            self.evidence.promised.add(pairs.own, bucket)

    def beside(self, drawn: Drawn) -> NDArray[np.bool_]:
        """Let the version before answer drawn rows too: [n] where its answer is broken as well."""
        theirs = None if self.before is None else answered(self.before.columns, drawn.features)
        if theirs is None:
            return np.zeros(len(drawn.time_us), dtype=np.bool_)
        if self.evidence.differing is not None:
            variance = self.policy.variance or 0.0
            apart = differing(drawn.answer, theirs, variance=variance)
            self.evidence.differing.add(apart, self._buckets(drawn.time_us))
            self.unkept = True
        return ~theirs.finite

    def _buckets(self, time_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """The span of the watch in which each request was answered."""
        opened_us = datetime.fromisoformat(self.watch.opened).timestamp() * 1e6
        span_us = self.policy.hours * 3600e6 / BUCKETS
        span = (time_us - opened_us) / span_us
        return np.asarray(np.clip(span, 0, BUCKETS - 1), dtype=np.int64)

    @property
    def coverage_percent(self) -> float:
        """How much of what was answered has got a label."""
        if self.following is None or not self.following.counts.logged:
            return 0.0
        return 100 * self.following.counts.matched / self.following.counts.logged

    def judged(self) -> dict[str, Judged | None]:
        """What all places together have seen, by what is asked."""
        return judged(self.seen, self.rules, self.policy, unpaired=self.unpaired)

    @property
    def seen(self) -> Evidence:
        """What all places together have seen."""
        return self.evidence + self.others if self.others is not None else self.evidence

    def state(self) -> dict[str, Any]:
        """What must be kept in order to go on exactly here."""
        return {
            "evidence": self.evidence.to_json(),
            "following": self.following.state() if self.following else None,
            "unscored": self.unscored,
        }

    def forget(self) -> None:
        """The watch is over: remove what lies beside the log."""
        if self.following is not None:
            self.following.forget()

    def told(self) -> dict[str, Any]:
        """All that a decision is drawn from, for the blob that is kept of it."""
        said = {
            name: asdict(each) if each is not None else None for name, each in self.judged().items()
        }
        return {
            "watch": self.watch.id,
            "model": self.watch.model,
            "version": self.watch.version,
            "against": self.watch.against,
            "opened": self.watch.opened,
            "policy": dict(self.watch.policy),
            "trails": self.seen.to_json(),
            "judged": said,
            "labels": asdict(self.following.counts) if self.following else None,
            "coverage_percent": self.coverage_percent,
            "unscored": self.unscored,
            "unpaired": self.unpaired,
        }

    @property
    def labels(self) -> int:
        """Labelled rows so far."""
        return self.following.counts.matched if self.following else 0

    @property
    def until(self) -> datetime:
        """When the watch ends, as it was said last."""
        return datetime.fromisoformat(self.watch.until)

    @property
    def first_deadline(self) -> datetime:
        """When the watch ends if its labels suffice."""
        return datetime.fromisoformat(self.watch.opened) + timedelta(hours=self.policy.hours)

    @property
    def last_deadline(self) -> datetime:
        """When it ends whatever they say."""
        return datetime.fromisoformat(self.watch.opened) + timedelta(hours=self.policy.max_hours)
