"""Has the candidate seen the rows that shall judge it, and how worn are they?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.leakage.order_in_time import early_rows
from seatrial.data.leakage.shared_keys import shared_keys
from seatrial.data.leakage.shared_rows import shared_rows
from seatrial.evidence.reuse import flattery
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.registry import holdouts
from seatrial.tasks import roles_of
from seatrial.tasks._candidate import candidate, production, same_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.data.table import Table
    from seatrial.outcome import Measure
    from seatrial.pipeline import Pipeline
    from seatrial.tasks import Context, Scope

NOTABLE = 0.01
"""From this share of rows on it is told that they are trained on, though no more than by chance."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One way in which the model has seen the rows: a sentence, with examples, and if it fails."""

    reason: str
    finding: Finding
    fails: bool


def demanded(scope: Scope, dataset: str) -> Iterator[str]:
    """What is demanded of the rows, for the plan."""
    leakage = scope.pipeline.leakage
    warned = [word for word in ("rows", "time") if getattr(leakage, word) == "warn"]
    yield f"no rows of {dataset} were trained on, beyond chance, and no key is on both sides"
    if leakage.time != "ignore":
        yield f"where both datasets declare `time`: {dataset} lies after the end of training"
    if warned:
        yield f"by `leakage:`, only told and not refused: {', '.join(warned)}"


def seen(context: Context, dataset: str) -> tuple[Seen, ...]:
    """All that the candidate has seen of a dataset, the worst first."""
    training = context.table(str(context.fact("trained_on")))
    evaluation = context.table(dataset)
    pipeline = context.scope.pipeline
    found = [
        *_keys(training, evaluation),
        *_rows(pipeline, training, evaluation),
        *_time(pipeline, training, evaluation),
    ]
    return tuple(sorted(found, key=lambda each: not each.fails))


def refusal(found: Iterable[Seen]) -> Outcome | None:
    """The verdict when something fails, with all that was found; ``None`` when nothing does."""
    every = tuple(found)
    reasons = [each.reason for each in every if each.fails]
    if not reasons:
        return None
    return Outcome(
        verdict=Verdict.FAIL,
        reason="; ".join(reasons),
        findings=tuple(each.finding for each in every),
    )


def use(context: Context, dataset: str) -> dict[str, object]:
    """The facts of an outcome that judged the candidate: who records it counts the use.

    None for the model that is in production already: nothing is decided about it.
    """
    mine, serving = candidate(context), production(context)
    if serving is not None and same_model(context, mine, serving):
        return {}
    table = context.table(dataset)
    stated = {"dataset": table.dataset.name, "fingerprint": table.fingerprint}
    return {holdouts.FACT: {**stated, "version": mine.version}}


def worn(context: Context, dataset: str, measure: Measure) -> Iterator[Finding]:
    """That the rows have judged so many candidates that the best looks better than it is."""
    table, mine = context.table(dataset), candidate(context)
    known = holdouts.uses(context.registry.ledger, mine.model)
    judged = {each.version for each in known if each.fingerprint == table.fingerprint}
    count = len(judged | {mine.version})
    if count < context.scope.pipeline.leakage.uses:
        return
    by_chance = ""
    if count > 1 and measure.low is not None and measure.high is not None:
        more = flattery(count, measure.low, measure.high)
        by_chance = f"the best of {count} equal models looks better by about {more:.2g} by chance; "
    many = f"{count} decision{'s' * (count != 1)}"
    yield Finding(
        what=f"{table.dataset.name} has been used for {many}: it is no longer unseen",
        where=f"dataset {table.dataset.name}",
        hint=f"{by_chance}judge on rows that no candidate was judged on",
    )


def _keys(training: Table, evaluation: Table) -> Iterator[Seen]:
    shared = shared_keys(training, evaluation)
    if shared is None or not shared.values:
        return
    names = f"{evaluation.dataset.name!r} and {training.dataset.name!r}"
    values = f"{shared.values} value{'' if shared.values == 1 else 's'}"
    examples = [
        f"{text!r} (row {theirs}, in training row {ours})" for text, theirs, ours in shared.examples
    ]
    yield Seen(
        f"{names} share {values} of the key {shared.key!r}",
        Finding(
            what=f"{shared.rows} of {evaluation.rows} rows are about a {shared.key} that was"
            f" trained on, such as {', '.join(examples)}",
            where=f"dataset {evaluation.dataset.name}, column {shared.key}",
            hint="split by the key, so that all rows of one are on the same side",
        ),
        fails=True,
    )


def _rows(pipeline: Pipeline, training: Table, evaluation: Table) -> Iterator[Seen]:
    names = tuple(column.name for column in roles_of(pipeline, training).features)
    leak = shared_rows(training, evaluation, names)
    where = f"dataset {evaluation.dataset.name}"
    if leak.refused:
        rows = [f"row {theirs} is training row {ours}" for theirs, ours in leak.examples]
        what = f"{leak.shared} of {leak.evaluation_rows} rows were trained on: {', '.join(rows)}"
        hint = f"judge on rows that are not in {training.dataset.name}"
        fails = pipeline.leakage.rows == "fail"
        yield Seen(leak.reason, Finding(what=what, where=where, hint=hint), fails)
    elif leak.shared >= NOTABLE * leak.evaluation_rows:
        hint = "if a row is about one thing that should be on one side only, declare its `key:`"
        yield Seen(leak.reason, Finding(what=leak.reason, where=where, hint=hint), fails=False)


def _time(pipeline: Pipeline, training: Table, evaluation: Table) -> Iterator[Seen]:
    policy = pipeline.leakage.time
    early = early_rows(training, evaluation) if policy != "ignore" else None
    if early is None or not early.rows:
        return
    share = f"{early.rows} of {early.of} rows of {evaluation.dataset.name!r}"
    said = f"{share} are not after the end of {training.dataset.name!r} ({early.newest})"
    yield Seen(
        said,
        Finding(
            what=f"{said}: " + ", ".join(f"row {row} is of {time}" for row, time in early.examples),
            where=f"dataset {evaluation.dataset.name}, column {evaluation.dataset.time}",
            hint="judge on later rows: a model that knows what came after them is not tested;"
            " a random split on purpose says `leakage: {time: warn}`",
        ),
        fails=policy == "fail",
    )
