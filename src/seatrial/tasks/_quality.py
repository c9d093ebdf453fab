"""Is the candidate as good as production on real requests? By labels, where they have arrived."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial import metrics
from seatrial.evidence import power
from seatrial.evidence.paired import compare
from seatrial.evidence.smoke import RAREST
from seatrial.metrics import Predictions
from seatrial.outcome import Direction, Measure, Verdict
from seatrial.registry.opened import opened, signature_of
from seatrial.tasks._bounds import proven

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature
    from seatrial.metrics import Metric
    from seatrial.registry.registry import Version
    from seatrial.tasks import Context
    from seatrial.tasks._offline import Offline
    from seatrial.traffic.pairing import Pairs


@dataclass(frozen=True, slots=True)
class Quality:
    """The measure, what to say of it, and the paired rows as a file (empty without any)."""

    measure: Measure
    said: str
    kept: bytes = b""


@dataclass(frozen=True, slots=True)
class Window:
    """The requests that count: ``share_percent`` of what ``serving`` answered in [since, until)."""

    candidate: Version
    serving: Version
    share_percent: float
    since: datetime
    until: datetime


def quality(
    context: Context, window: Window, offline: Offline, disagreement: Measure | None
) -> Quality:
    """By paired labels; else proven by ``disagreement``; else skipped: the offline test stands."""
    metric = metrics.get(offline.metric)
    mine, theirs = (
        signature_of(context.registry, each) for each in (window.candidate, window.serving)
    )
    unpaired = _unpaired(context, mine, theirs)
    pairs = None if unpaired else _pairs(context, window)
    if pairs is None or not pairs.rows:
        why = unpaired or "no labels came"
        return _without_labels(_skipped(metric, offline.margin), disagreement, metric, why)
    ours = Predictions(pairs.other.label, pairs.other.probabilities, mine.classes)
    served = Predictions(pairs.serving.label, pairs.serving.probabilities, theirs.classes)
    known = (
        pairs.other.finite & pairs.serving.finite
    )  # what is not a number is an error, counted as such
    labels, ours, served = pairs.labels[known], ours.rows(known), served.rows(known)
    seed = context.scope.pipeline.seed
    judged = _by_labels(offline, labels, ours, served, disagreement, seed=seed)
    return replace(judged, kept=_file(labels, ours, served))


def _by_labels(
    offline: Offline,
    labels: NDArray[Any],
    ours: Predictions,
    served: Predictions,
    disagreement: Measure | None,
    *,
    seed: int,
) -> Quality:
    """Paired; labels that are too few to prove anything do not decide, or none would be better."""
    metric, margin = metrics.get(offline.metric), offline.margin
    few = _too_few(metric, labels, served)
    if few:
        return _without_labels(_skipped(metric, margin), disagreement, metric, few)
    measure = compare(metric, labels, ours, served, margin, seed=seed)
    nothing = power.provable(measure.n, offline.disagreement_margin) is None
    if measure.verdict is Verdict.INCONCLUSIVE and nothing:
        few = f"{measure.n} labelled rows are too few to prove a margin of {margin:g}"
        skipped = replace(measure, verdict=Verdict.SKIP)
        return _without_labels(skipped, disagreement, metric, few)
    if measure.verdict is Verdict.INCONCLUSIVE and _proven(disagreement, metric, margin):
        return _without_labels(measure, disagreement, metric, "the labels alone do not settle it")
    value = measure.value or 0.0
    word = "worse" if value > 0 else "better"
    bound = proven(measure, ".3g")
    said = f"{metric.name} {abs(value):.3g} {word} on {measure.n} labelled rows"
    return Quality(measure, f"{said} ({bound}margin {margin:g})")


def _without_labels(
    measure: Measure, disagreement: Measure | None, metric: Metric, why: str
) -> Quality:
    """No label is needed where so few answers differ that it could not matter."""
    if disagreement is None or not _proven(disagreement, metric, measure.limit):
        return Quality(measure, f"quality: {why}; the offline comparison stands")
    proven = replace(
        measure,
        value=None,
        low=None,
        high=disagreement.high,
        n=disagreement.n,
        verdict=Verdict.PASS,
    )
    return Quality(
        proven,
        f"at most {disagreement.high:.3g} of the answers differ, so {metric.name} is at most that"
        f" much worse (margin {measure.limit:g}); {why}",
    )


def _proven(disagreement: Measure | None, metric: Metric, margin: float | None) -> bool:
    """Whether the share of differing answers bounds the loss: it does for a share of hits."""
    if disagreement is None or disagreement.high is None or margin is None:
        return False
    return metric.method == "count" and disagreement.high <= margin


def _skipped(metric: Metric, margin: float) -> Measure:
    return Measure(
        name=f"degradation.{metric.name}", value=None, limit=margin, direction=Direction.AT_MOST
    )


def _unpaired(context: Context, mine: Signature, theirs: Signature) -> str:
    """Why a label could not be paired, whatever came; empty when it could."""
    asked = {each.name for each in theirs.inputs}
    absent = [each.name for each in mine.inputs if each.name not in asked]
    if absent:
        return f"labels cannot be paired: requests do not hold {', '.join(absent)}"
    redacted = [n.name for n in mine.inputs if n.name in context.scope.pipeline.serving.redact]
    if redacted:
        return f"labels cannot be paired: {', '.join(redacted)} is never logged"
    return ""


def _pairs(context: Context, window: Window) -> Pairs:
    from seatrial.traffic.pairing import pair  # noqa: PLC0415 - loads pyarrow

    model = opened(context.registry, window.candidate)
    return pair(
        context.workspace.traffic,
        window.serving.model,
        window.serving.version,
        model,
        window.since,
        window.until,
    )


def _too_few(metric: Metric, labels: NDArray[Any], serving: Predictions) -> str:
    """Why the metric cannot be computed on these rows; empty when it can."""
    if not len(labels):
        return "no labelled row has two answers"
    if metric.method == "count" or not serving.classes:
        return ""
    rarest = min(int((labels == label).sum()) for label in serving.classes)
    if rarest >= RAREST:
        return ""
    return (
        f"the rarest class has {rarest} of {len(labels)} labelled rows,"
        f" and {metric.name} needs {RAREST}"
    )


def _file(labels: NDArray[Any], ours: Predictions, served: Predictions) -> bytes:
    """The paired rows as ``.npz``: labels, and both answers."""
    columns = {"labels": labels}
    for name, answers in (("candidate", ours), ("production", served)):
        columns[f"{name}.label"] = answers.label
        if answers.probabilities is not None:
            columns[f"{name}.probabilities"] = answers.probabilities
    # as text: an array of objects would be pickled
    texts = {k: v.astype(str) if v.dtype == object else v for k, v in columns.items()}
    kept = io.BytesIO()
    np.savez_compressed(kept, allow_pickle=False, **texts)
    return kept.getvalue()
