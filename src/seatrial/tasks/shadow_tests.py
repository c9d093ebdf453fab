"""How does the candidate answer production's traffic?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from seatrial.errors import FileError, FormError, Mistake, StoreError
from seatrial.evidence.agreement import Tally
from seatrial.evidence.course import Course, together
from seatrial.evidence.shadowing import Limits
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.registry import gateways, shadows, standing
from seatrial.registry.gateways import READY
from seatrial.registry.registry import PRODUCTION
from seatrial.registry.standing import await_so
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._bounds import named_metric
from seatrial.tasks._candidate import candidate, demand_register, production, same_model
from seatrial.tasks._offline import DEFAULT_MARGIN, Offline, margin_of, no_margin, offline
from seatrial.tasks._quality import Window
from seatrial.tasks._refused import refused
from seatrial.tasks._shadow_verdict import again, judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.registry.registry import Version
    from seatrial.registry.shadows import Shadow

LAST_REPORT_S = 3.0
"""How long gateways may take to report once more after the end; they do so every second."""


class ShadowTests(Task, frozen=True, kw_only=True):
    """Parameters of ``shadow_tests``. ``margin`` is in units of the metric."""

    traffic_percentage: Annotated[float, Meta(gt=0, le=100)]
    duration_hours: Annotated[float, Meta(gt=0)]
    source: Literal["live", "recorded"] = "live"
    dataset: str = "validation_data"
    metric: str | None = None
    margin: Annotated[float, Meta(gt=0)] | None = None
    errors_percent: Annotated[float, Meta(ge=0, le=100)] = 1

    @property
    def limits(self) -> Limits:
        """What the candidate may do."""
        return Limits(errors=self.errors_percent / 100)

    def inputs(self, scope: Scope) -> Iterable[Input]:
        """The evaluation rows: on them both versions are compared before any request."""
        del scope
        return (Input(self.dataset, labelled=True),)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is a candidate, a margin, and a log that holds what the candidate reads."""
        yield from demand_register(scope)
        yield from check_dataset(scope, self.dataset, "dataset")
        try:
            metric = named_metric(scope, self.metric)
        except FileError as error:
            for mistake in error.mistakes:
                yield scope.mistake(
                    mistake.what, "metric", nearest=mistake.nearest, fix=mistake.fix
                )
            return
        if metric and not metric.bounded and margin_of(scope, self.margin) is None:
            yield no_margin(scope, metric.name)
        redacted = _redacted(scope, self.dataset)
        if redacted and self.source == "recorded":
            yield scope.mistake(
                f"`source: recorded` needs columns that are never recorded: {', '.join(redacted)}",
                "source",
                fix="use `source: live`, or take them out of `serving: {redact: …}`",
            )

    def demands(self, scope: Scope) -> Iterable[str]:
        """Share, time, and every limit."""
        limits, margin = self.limits, margin_of(scope, self.margin) or DEFAULT_MARGIN
        traffic = (
            "live traffic for" if self.source == "live" else "the recorded traffic of the last"
        )
        yield (
            f"{self.traffic_percentage:g} % of {traffic} {self.duration_hours:g} hours,"
            " once a model is in production; skipped for a first version"
        )
        yield f"at least {limits.achieved_share:g} of that share was compared"
        yield f"at most {self.errors_percent:g} % errors, NaN included (upper 95 % bound)"
        yield (
            f"p95 of the service time at most {limits.times:g} times production's"
            f" or {limits.plus_ms:g} ms more"
        )
        yield (
            f"answers differ from production's at most {margin:g} more often than on {self.dataset}"
        )
        redacted = _redacted(scope, self.dataset)
        if redacted:
            yield (
                f"{', '.join(redacted)} is never logged: labels cannot be paired, so a model that"
                " reads it is judged without them"
            )
        else:
            yield f"where labels arrive: at most {margin:g} worse than production on these requests"
        yield "how many requests come is unknown; too few are inconclusive"

    def run(self, context: Context) -> Outcome | Wait:
        """Skip without a rival; else open the test and wait for its end, or look at the log."""
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
        if self.source == "recorded":
            return self._on_record(context, mine, serving)
        return self._live(context, mine, serving)

    def _live(self, context: Context, mine: Version, serving: Version) -> Outcome | Wait:
        ledger, clock = context.registry.ledger, context.workspace.clock
        shadow = shadows.get(ledger, _identity(context))
        if _moved(context):
            if shadow is not None:
                shadows.close(ledger, shadow.id)
            return _moved_on(serving)
        if shadow is None:
            # what a gateway has refused by now will not be promoted: no 48 hours for it
            ready = standing.of(ledger, context.workspace.home, mine.model, mine.version, READY)
            if (stopped := refused(mine, ready)) is not None:
                return stopped
            shadow = self._open(context, mine, serving)
        until = datetime.fromisoformat(shadow.until)
        if clock() < until:
            return Wait(until=until, reason=_waits(context, shadow))
        tally, course = _collected(context, shadow)
        since = datetime.fromisoformat(shadow.opened)
        window = Window(mine, serving, shadow.share_percent, since, until)
        return judged(context, window, tally, Offline(**shadow.spec), self.limits, course)

    def _open(self, context: Context, mine: Version, serving: Version) -> Shadow:
        """Only where there is traffic, and only once it is known what to expect of it."""
        if not gateways.live(context.registry.ledger, context.workspace.home):
            raise StoreError(_no_gateway(context, mine, serving))
        expected = offline(context, self.dataset, self.metric, self.margin, mine, serving)
        return shadows.open_shadow(
            context.registry.ledger,
            shadows.Wish(
                id=_identity(context),
                run=context.run.id,
                model=mine.model,
                version=mine.version,
                against=serving.version,
                share_percent=self.traffic_percentage,
                lasts_s=self.duration_hours * 3600,
                spec=asdict(expected),
            ),
        )

    def _on_record(self, context: Context, mine: Version, serving: Version) -> Outcome:
        """The same rule over the log of production's last hours, in this process."""
        from seatrial.tasks._recorded import Scored  # noqa: PLC0415 - loads pyarrow
        from seatrial.traffic.recorded import recorded  # noqa: PLC0415
        from seatrial.traffic.sampling import sampled  # noqa: PLC0415

        if _moved(context):
            return _moved_on(serving)
        until = context.workspace.clock()
        since = until - timedelta(hours=self.duration_hours)
        expected = offline(context, self.dataset, self.metric, self.margin, mine, serving)
        scored = Scored.open(context.registry, mine, serving, expected.variance)
        share = self.traffic_percentage
        tally, course = scored.tally(
            recorded(context.workspace.traffic, serving.model, serving.version, since, until),
            lambda identity: sampled(identity, share),
        )
        if not tally.seen:
            return Outcome(
                verdict=Verdict.INCONCLUSIVE,
                reason=f"no request to {serving} was recorded in the last"
                f" {self.duration_hours:g} hours",
                findings=(again(context, "record traffic first: `seatrial serve`"),),
            )
        window = Window(mine, serving, self.traffic_percentage, since, until)
        return judged(context, window, tally, expected, self.limits, course)


def _identity(context: Context) -> str:
    """The test's id; a question that was left open is asked anew, with a test of its own."""
    ledger, address = context.registry.ledger, context.scope.entry.address
    left_open = sum(
        event.body["run"] == context.run.id and event.body["step"] == address
        for event in ledger.events("step_finished")
    )
    return f"{context.once}#{left_open + 1}" if left_open else context.once


def _moved(context: Context) -> bool:
    current = context.registry.channel(context.run.model, PRODUCTION)
    return (current.revision if current else 0) != context.run.pinned_revision


def _moved_on(serving: Version) -> Outcome:
    return Outcome(
        verdict=Verdict.INCONCLUSIVE,
        reason=f"production was moved meanwhile: this test was against {serving}; run again to"
        " compare with what serves now",
    )


def _waits(context: Context, shadow: Shadow) -> str:
    live = gateways.live(context.registry.ledger, context.workspace.home)
    where = f"at {len(live)} gateway{'' if len(live) == 1 else 's'}"
    if not live:
        where = "once a gateway runs again (`seatrial serve`): now none does"
    return (
        f"version {shadow.version} answers {shadow.share_percent:g} % of what version"
        f" {shadow.against} is asked, {where}"
    )


def _collected(context: Context, shadow: Shadow) -> tuple[Tally, Course]:
    """End the test; what all gateways counted, once each that lives has reported again."""
    ledger, home = context.registry.ledger, context.workspace.home
    before = _reported(context, shadow)
    shadows.close(ledger, shadow.id)

    def look() -> bool:
        now = _reported(context, shadow)
        return all(now.get(each.id) != before.get(each.id) for each in gateways.live(ledger, home))

    await_so(look, LAST_REPORT_S)
    told = [each.document for each in shadows.tallies(ledger, shadow.id)]
    courses = (Course.from_json(document.get("course")) for document in told)
    return sum(map(Tally.from_json, told), Tally()), together(courses)


def _reported(context: Context, shadow: Shadow) -> Mapping[str, str]:
    """When each gateway reported last."""
    told = shadows.tallies(context.registry.ledger, shadow.id)
    return {each.gateway: each.at for each in told}


def _redacted(scope: Scope, dataset: str) -> list[str]:
    """Columns that are never logged and that a model may read, as far as the file tells."""
    try:
        declared = scope.dataset(dataset)
    except FormError:
        return []  # told with the dataset
    unread = {declared.target, declared.key, declared.time, *declared.exclude}
    return [name for name in scope.pipeline.serving.redact if name not in unread]


def _no_gateway(context: Context, mine: Version, serving: Version) -> Mistake:
    return Mistake(
        f"{serving} is in production, but no gateway is running: there is no traffic"
        f" to shadow {mine} on",
        where=f"{context.scope.entry.place} ({context.scope.entry.address})",
        fix="start `seatrial serve` (beside another engine with --no-schedules), then go on with"
        " the run, by the same command or by clearing the task; or set"
        f" `source: recorded`; or decide by hand: seatrial promote {mine.model} {mine.version}"
        " --reason …",
    )
