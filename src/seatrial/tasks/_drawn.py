"""What is kept of the answers to the evaluation rows, so that they can be drawn without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.tasks._candidate import candidate

if TYPE_CHECKING:
    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Predictions
    from seatrial.tasks import Context
    from seatrial.tasks._compared import Beside

BLOB = "answers"


def kept(context: Context, rows: Labelled, mine: Predictions, serving: Beside) -> dict[str, str]:
    """The blob ``answers`` of an outcome: counts of what candidate and production answered.

    Production is left out where one of its answers is no finite number: it cannot be binned.
    """
    from seatrial.evidence.drawn import drawn, written  # noqa: PLC0415 - for the judging
    from seatrial.inference.answer import Answer  # noqa: PLC0415 - likewise

    other = None
    if serving.version is not None and serving.answers is not None:
        answers = serving.answers
        if Answer(answers.label, answers.probabilities).finite.all():
            other = (serving.version.version, answers)
    found = drawn(
        rows.labels,
        (candidate(context).version, mine),
        other,
        dataset=rows.dataset,
        fingerprint=context.table(rows.dataset).fingerprint,
    )
    return {BLOB: context.blobs.put(written(found))}
