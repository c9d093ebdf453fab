"""Does a copy that another process opens from the kept files answer the same?"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError
from seatrial.evaluation.behaviour.asking import Refusal, ask, count, part, spread_out
from seatrial.evaluation.behaviour.found import Fault, Found, counted, skipped
from seatrial.inference import golden
from seatrial.inference.opening import model_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

ROWS = 100
TIMEOUT_S = 120.0
"""How long the other process may take; it takes half a second."""

CHILD = "seatrial.evaluation.behaviour._reopened"


@dataclass(frozen=True, slots=True)
class Kept:
    """A version's files by name, and what gives the verified bytes of a digest.

    ``trust`` is what the version's manifest says under that name.
    """

    files: Mapping[str, str]
    read: Callable[[str], bytes]
    whose: str
    trust: object = None


@contextmanager
def reopening(kept: Kept, model: Answers, features: Features) -> Iterator[Callable[[], Found]]:
    """Start the other process on up to 100 rows; what is yielded waits for it and compares.

    So it opens its copy while the other checks run here. StoreError when the kept files cannot
    be read, or the process says nothing in time; what it says is told.
    """
    rows = _answered(model, features)
    if not rows:
        yield lambda: skipped("save_and_load")
        return
    digest = model_digest(kept.files, kept.whose)
    name = next(name for name, each in kept.files.items() if each == digest)
    with tempfile.TemporaryDirectory(prefix="seatrial-") as scratch:
        folder = Path(scratch)
        (folder / "model").write_bytes(kept.read(digest))
        (folder / "golden.json").write_bytes(golden.written(model, rows, rows_at_once=0))
        request = {
            "files": {name: digest},
            "signature": model.signature.to_json(),
            "whose": kept.whose,
            "trust": kept.trust,
        }
        (folder / "request.json").write_text(json.dumps(request))
        # -P: not the modules of the folder that the command was typed in
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", CHILD, scratch],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with child:
            try:
                yield lambda: _compared(child, count(rows))
            finally:
                child.kill()


def _answered(model: Answers, features: Features) -> Features:
    """Rows that are answered by numbers: what is NaN here is told elsewhere, and equals nothing."""
    some = part(features, spread_out(count(features), ROWS))
    answer = ask(model, some)
    if isinstance(answer, Refusal) or not answer.finite.any():
        return {}
    return part(some, answer.finite)


def _compared(child: subprocess.Popen[str], rows: int) -> Found:
    try:
        told, errors = child.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        what = f"a copy of the model in another process said nothing for {TIMEOUT_S:g} s"
        raise StoreError(Mistake(what, fix="is the machine overloaded? run again")) from None
    if child.returncode:
        said = (errors.strip().splitlines() or [f"it ended with status {child.returncode}"])[-1]
        what = f"a copy that another process opened does not answer: {said.strip()[:200]}"
        return counted("save_and_load", rows, rows, [Fault(what=what, refused=True)])
    proof = json.loads(told)
    bad = max(proof["outside"], proof["label_flips"], min(proof["order_changes"], rows))
    if not bad:
        return counted("save_and_load", 0, rows)
    what = (
        f"a copy that another process opened answers {bad} of {rows} rows otherwise"
        f" (by up to {proof['largest_difference']:.3g}, {proof['label_flips']} labels flipped)"
    )
    hint = "does the model remember what it was asked, or read something beside its file?"
    return counted("save_and_load", bad, rows, [Fault(what=what, hint=hint)])
