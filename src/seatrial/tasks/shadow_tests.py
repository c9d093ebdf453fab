"""How does the candidate answer production's traffic?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from seatrial.errors import Mistake, StoreError
from seatrial.outcome import Outcome, Verdict
from seatrial.tasks import Context, Scope, Task
from seatrial.tasks._candidate import candidate, demand_register, production, same_model

if TYPE_CHECKING:
    from collections.abc import Iterable


class ShadowTests(Task, frozen=True, kw_only=True):
    """Parameters of ``shadow_tests``."""

    traffic_percentage: Annotated[float, Meta(gt=0, le=100)]
    duration_hours: Annotated[float, Meta(gt=0)]

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is a candidate."""
        return demand_register(scope)

    def demands(self, scope: Scope) -> Iterable[str]:
        """Traffic of a production model."""
        del scope
        yield (
            f"{self.traffic_percentage:g} % of live traffic for {self.duration_hours:g} hours,"
            " once a model is in production; skipped for a first version"
        )

    def run(self, context: Context) -> Outcome:
        """Skip without a rival; else the traffic of a running gateway is needed."""
        serving = production(context)
        if serving is None:
            return Outcome(
                verdict=Verdict.SKIP, reason="nothing is in production yet, so there is no traffic"
            )
        mine = candidate(context)
        if same_model(context, mine, serving):
            return Outcome(
                verdict=Verdict.SKIP, reason=f"this is the model in production ({serving})"
            )
        raise StoreError(
            Mistake(
                f"{serving} is in production, but no gateway is running: there is no traffic"
                f" to shadow {mine} on",
                where=f"{context.scope.entry.place} ({context.scope.entry.address})",
                fix="run the same command again once a gateway serves: it resumes at this step;"
                " or decide by hand: seatrial promote"
                f" {mine.model} {mine.version} --reason …",
            )
        )
