"""When to go back by itself, and to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from seatrial.outcome import Outcome, Verdict
from seatrial.registry import watches
from seatrial.registry.registry import PRODUCTION
from seatrial.tasks import Context, Scope, Task
from seatrial.tasks._policy import number, stage_policy
from seatrial.tasks._watching import check_watch, demands, does

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.errors import Mistake


class RollbackPlan(Task, frozen=True, kw_only=True):
    """Parameters of ``rollback_plan``. The threshold reads ``degradation > NUMBER``."""

    auto_rollback_threshold: Annotated[str, Meta(examples=["degradation > 0.05"])]
    previous_version: Literal["retained"] = "retained"

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The threshold reads as it must, and its number makes sense."""
        margin = number(self.auto_rollback_threshold)
        if margin is None or margin <= 0:
            yield scope.mistake(
                f"cannot read the threshold {self.auto_rollback_threshold!r}",
                "auto_rollback_threshold",
                nearest="degradation > 0.05",
                fix="write `degradation > NUMBER` with a number above 0",
            )
        else:
            yield from check_watch(scope)
        others = [a for a, task in scope.same_stage() if isinstance(task, RollbackPlan)]
        if others[0] != scope.entry.address:
            yield scope.mistake(
                "a stage has one rollback_plan", "auto_rollback_threshold", fix="remove one"
            )

    def demands(self, scope: Scope) -> Iterable[str]:
        """What the policy keeps, and what the watch does near its margin."""
        yield "installed in the promoting transaction; the previous version is kept loadable"
        yield from demands(scope)

    def run(self, context: Context) -> Outcome:
        """See that the policy is in force and that what it would return to is whole."""
        registry, model = context.registry, context.run.model
        serving = registry.channel(model, PRODUCTION)
        if serving is None:
            return Outcome(verdict=Verdict.SKIP, reason="nothing is in production")
        policy = stage_policy(context)
        if policy is None:  # check() has refused a file whose threshold does not read
            return Outcome(verdict=Verdict.INCONCLUSIVE, reason="the stage states no policy")
        registry.install_policy(model, policy)
        previous = registry.previous(model)
        if previous is None:
            kept = "no previous version to return to yet"
        else:
            registry.verify(registry.version(model, previous))
            kept = f"version {previous} is kept and whole"
        watch = watches.current(registry.ledger, model)
        watched = ""
        if watch is not None:
            margin, rule = policy["degradation_margin"], policy["rule"]
            lines = does(margin, rule, policy["min_labels"])
            until = watch.until[:16].replace("T", " ")
            watched = "; ".join([f"; watched until {until} UTC", *lines])
        return Outcome(
            verdict=Verdict.PASS,
            reason=f"rolls back at {self.auto_rollback_threshold}; {kept}{watched}",
            facts={"policy": dict(policy)},
        )
