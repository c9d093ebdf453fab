"""Are these numbers probabilities?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.models._ready_onnx.around import Around

ROUNDED = 1e-3
"""How far sums may be off: a float16 keeps three digits."""


_QUANTISED = ("QLinear", "QuantizeLinear")


def demand_probabilities(around: Around, table: NDArray[Any], name: str) -> None:
    """Refuse an output that holds no probabilities, and say what it looks like.

    ``table`` is ``[n, classes]``, or ``[n]`` or ``[n, 1]`` for the greater of two classes. Rows
    that are not finite say nothing.
    """
    each = table.reshape(len(table), -1).astype(np.float64)
    each = each[np.isfinite(each).all(axis=1)]
    if not len(each):
        what = f"the file's output {name!r} is not finite for any row tried"
        raise around.wrong(what, "look at it with a row of your own data")
    single = each.shape[1] == 1
    least, most = each.min(), each.max()
    if least < -ROUNDED or most > 1 + ROUNDED:
        span = f"the file's output {name!r} goes from {least:.3g} to {most:.3g}"
        if not single and most <= ROUNDED and _near_one(np.exp(each)):
            fix = "leave the logarithm out before exporting (in PyTorch, softmax for log_softmax)"
            raise around.wrong(f"{span}: this looks like logarithms of probabilities", fix)
        add = "a sigmoid" if single else "a softmax"
        fix = f"add {add} before exporting (not to training, if the loss has its own)"
        raise around.wrong(f"{span}: this looks like logits, not probabilities", fix)
    if not single and not _near_one(each):
        sums = each.sum(axis=1)
        what = f"the file's output {name!r} sums to {sums.min():.3g} up to {sums.max():.3g} a row,"
        fix = "end in one softmax, or divide each row by its sum, before exporting"
        if any(node.op_type.startswith(_QUANTISED) for node in around.graph.node):
            fix = "keep its end in float32: quantise with op_types_to_quantize=['MatMul', 'Conv']"
        raise around.wrong(f"{what} where probabilities sum to one", fix)


def _near_one(table: NDArray[np.float64]) -> bool:
    return bool((np.abs(table.sum(axis=1) - 1) <= ROUNDED).all())
