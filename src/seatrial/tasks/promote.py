"""Deliver: move production to the run's version."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from seatrial.errors import Mistake, StoreError
from seatrial.notify.outbox import Message, post
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.registry import standing
from seatrial.registry.gateways import READY, SERVING
from seatrial.registry.registry import PRODUCTION, STAGING, Move, MovedError
from seatrial.tasks import Context, Scope, Task
from seatrial.tasks._brakes import held_back
from seatrial.tasks._candidate import candidate, demand_register, production, same_model
from seatrial.tasks._policy import stage_margin, stage_policy
from seatrial.tasks._refused import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.ledger.store import Transaction
    from seatrial.outcome import Wait
    from seatrial.registry.registry import Version
    from seatrial.registry.standing import Standing


class Promote(Task, frozen=True, kw_only=True):
    """Parameters of ``promote``: from which channel to which."""

    source: Literal["staging"] = "staging"
    target: Literal["production"] = "production"

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is a version to promote."""
        return demand_register(scope)

    def demands(self, scope: Scope) -> Iterable[str]:
        """A bound that passed on held-out rows, and nobody else's move in between."""
        yield "a bound on held-out rows passed in this run"
        yield "staging is still this run's version, production is still what it was at the start"
        yield f"every live gateway has prepared it (within {standing.READY_S:g} s); a refusal fails"
        if not any(
            getattr(task, "performance_threshold", None) is not None
            and type(task).__name__ in {"IntegrationTests", "PerformanceTests"}
            for _, task in scope.earlier()
        ):
            yield (
                "WILL BE INCONCLUSIVE: no earlier integration_tests or performance_tests has a"
                " performance_threshold"
            )
        watch = scope.pipeline.watch
        if stage_margin(scope) is None:
            yield "no rollback_plan in this stage: nothing will be rolled back by itself"
        yield (
            "waits while the version in production is being watched, and for"
            f" {watch.cool_down_hours:g} hours after a rollback by itself"
        )

    def run(self, context: Context) -> Outcome | Wait:
        """One compare-and-swap, with the rollback policy in the same transaction."""
        registry, model = context.registry, context.run.model
        version, serving = candidate(context), production(context)
        if registry.made(context.once):
            # whoever made it was killed before it could say so: nothing is in its own way
            return _delivered(context, version, serving)
        unfit = _unproven(context) or _overtaken(context)
        if unfit is not None:
            return unfit
        registry.verify(version)
        if serving is not None and same_model(context, version, serving):
            return Outcome(
                verdict=Verdict.PASS,
                reason=f"{serving} is this very model and stays in production",
                facts={"promoted": False},
            )
        if serving is not None:
            registry.verify(serving)  # what rollback would return to must be whole
        # staging again: another run may have registered while gateways prepared this one
        stopped = (
            _moved_on(context, version)
            or held_back(context, version)
            or _not_prepared(context, version)
            or _moved_on(context, version)
        )
        if stopped is not None:
            return stopped
        move = Move(
            model=model,
            channel=PRODUCTION,
            version=version.version,
            expect=context.run.pinned_revision,
            event="promote",
            by=f"run {context.run.id}",
            reason=_why(context),
            once=context.once,
        )
        try:
            registry.move(move, stage_policy(context), partial(_tell, move))
        except MovedError as error:
            return _another_serves(error.mistakes[0].what)
        return _delivered(context, version, serving)


def _tell(move: Move, transaction: Transaction) -> None:
    """Whoever wants to know is told, once it has happened."""
    told = Message(
        kind="promoted",
        key=f"promoted/{move.once}",
        model=move.model,
        text=f"{move.model} version {move.version} is in production: {move.reason}",
        data={"version": move.version, "by": move.by, "reason": move.reason},
    )
    post(transaction, told)


def _unproven(context: Context) -> Outcome | None:
    """Refuse what no held-out rows speak for."""
    if context.fact("held_out_bound") is not None:
        return None
    return Outcome(
        verdict=Verdict.INCONCLUSIVE,
        reason="no bound on held-out rows passed in this run, so nothing proves the model",
        findings=(
            Finding(
                what="promote needs evidence from rows the model never saw",
                where=context.scope.entry.address,
                hint="add `integration_tests: {performance_threshold: …}` to the file",
            ),
        ),
    )


def _overtaken(context: Context) -> Outcome | None:
    """Refuse at once, and wait for nothing, when production was moved since the run began."""
    now = context.registry.channel(context.run.model, PRODUCTION)
    if now is None or now.revision == context.run.pinned_revision:
        return None
    what = f"production of {now.model} was moved meanwhile (to version {now.version})"
    return _another_serves(what)


def _moved_on(context: Context, version: Version) -> Outcome | None:
    """Refuse to deliver what is no longer staged."""
    staged = context.registry.resolve(version.model, STAGING)
    if staged is not None and staged.version == version.version:
        return None
    return Outcome(
        verdict=Verdict.INCONCLUSIVE,
        reason=f"staging was moved to version {staged.version if staged else '?'} by"
        " another run; this evidence is not about it",
    )


def _another_serves(what: str) -> Outcome:
    return Outcome(
        verdict=Verdict.INCONCLUSIVE,
        reason=f"{what}; run again to compare with what serves now",
    )


def _not_prepared(context: Context, version: Version) -> Outcome | None:
    """Wait for the live gateways: the reason why one refuses, or ``None`` once all are ready."""
    said = _await(context, version, READY, standing.READY_S)
    if said.failed:
        nack = said.failed[0]
        raise StoreError(
            Mistake(
                f"a gateway cannot load {version}: {nack.reason}",
                where=f"gateway {nack.gateway}",
                fix="production was not changed; put that right, then the same command resumes",
            )
        )
    if said.refused:
        return refused(version, said)
    if said.missing:
        raise StoreError(
            Mistake(
                f"{standing.named(said.missing)} has not prepared {version}"
                f" within {standing.READY_S:g} s",
                fix="look at its log, or end it; then the same command resumes."
                " Production was not changed",
            )
        )
    return None


def _delivered(context: Context, version: Version, serving: Version | None) -> Outcome:
    """Production has moved: say who serves it."""
    now = context.registry.channel(version.model, PRODUCTION)
    if now is not None and now.version != version.version:
        return Outcome(
            verdict=Verdict.PASS,
            reason=f"{version} was put into production; version {now.version} serves since:"
            f" {now.reason}",
            facts={"promoted": True},
        )
    said = _await(context, version, SERVING, standing.SERVING_S)
    before = f" (was version {serving.version})" if serving else " (the first)"
    return Outcome(
        verdict=Verdict.PASS,
        reason=f"{version} is in production{before}{standing.served_by(said)}",
        findings=(*_unconfirmed(version, said), *_remarked(said)),
        facts={"promoted": True},
    )


def _unconfirmed(version: Version, said: Standing) -> Iterator[Finding]:
    for gateway in said.missing:
        yield Finding(
            what=f"not confirmed within {standing.SERVING_S:g} s that {version} serves",
            where=str(gateway),
            hint="it may still answer with the version before: look at its log",
        )


def _remarked(said: Standing) -> Iterator[Finding]:
    """Where a machine differs that serves it: nothing that stops it, but it shall be known."""
    for each in said.remarked:
        yield Finding(
            what=str(each.reason),
            where=f"gateway {each.gateway}",
            hint="its golden rows were answered equally there",
        )


def _await(context: Context, version: Version, state: str, within_s: float) -> Standing:
    ledger, home = context.registry.ledger, context.workspace.home
    return standing.wait(ledger, home, version.model, version.version, state, within_s)


def _why(context: Context) -> str:
    """The evidence in one sentence, for the history."""
    said = [
        f"{m.name} {m.value:.4g}"
        for outcome in context.outcomes.values()
        if (bound := outcome.facts.get("held_out_bound"))
        for m in outcome.measures
        if m.value is not None and m.name in {bound, f"degradation.{bound}"}
    ]
    approved = [
        f"{address} approved by {told['by']}: {told['reason']}"
        for address, outcome in context.outcomes.items()
        if isinstance(told := outcome.facts.get("approved"), dict)
    ]
    gates = "no gate failed" if approved else "all gates passed"
    return "; ".join([f"{gates}: {', '.join(dict.fromkeys(said))}", *approved])
