"""How fast the candidate answers, and what it needs: the part that several tests share.

A task takes the words ``latency``, ``throughput``, ``memory_mb`` and ``size_mb``, makes a
:class:`Speed` of them, yields ``demanded(speed)`` among its demands, and adds what
:func:`measured` found to its own measures and findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evaluation.speed.limits import Latency, Speed, Throughput, demanded

if TYPE_CHECKING:
    from seatrial.evaluation.labelled import Labelled
    from seatrial.outcome import Finding, Measure
    from seatrial.tasks import Context

__all__ = ["Latency", "Speed", "Throughput", "demanded", "measured"]


def measured(
    context: Context, speed: Speed, rows: Labelled
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """Latency, throughput, memory and size of the candidate, beside production where there is one.

    On the features of ``rows``, as the gateway would answer them. A limit that is not met is a
    measure that fails; a candidate that does not answer is a finding and a measure that fails.
    StoreError when production does not answer, or a blob is damaged.
    """
    from seatrial.evaluation.speed.measuring import measure  # noqa: PLC0415 - loads numpy
    from seatrial.tasks._candidate import candidate, production, same_model  # noqa: PLC0415

    mine, serving = candidate(context), production(context)
    if serving is not None and same_model(context, mine, serving):
        serving = None
    return measure(context.registry, mine, serving, rows, speed, seed=context.scope.pipeline.seed)
