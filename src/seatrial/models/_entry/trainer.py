"""An entry point as a trainer: the project's function runs in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.models._entry import apart, code, found, kept
from seatrial.models._entry.request import Request
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.errors import Mistake
    from seatrial.inference.signature import Signature
    from seatrial.models import Training
    from seatrial.models._entry.kept import Kept

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """``module:function`` of the project in ``folder``, and the limits within which it runs."""

    entrypoint: str
    folder: Path
    timeout_s: float
    memory_mb: int | None = None
    trusts_pickle: bool = False

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """What is wrong with the entry point; ``hyperparameters`` are the function's business."""
        del hyperparameters, problem
        told = found.mistakes(self.entrypoint, self.folder)
        return [replace(each, where=each.where or where) for each in told]

    def fit(self, training: Training) -> Kept:
        """Run it; FileError with what the project's code did wrong."""
        folder = self.folder.resolve()
        ask = Request(
            training=training,
            entrypoint=self.entrypoint,
            folder=folder,
            where=found.line_of(self.entrypoint, folder) or self.entrypoint,
            memory_mb=self.memory_mb,
            trusts_pickle=self.trusts_pickle,
        )
        before = code.stamps(folder)
        fitted = apart.made(ask, self.timeout_s)
        changed = _changed(before, code.stamps(folder))
        return replace(fitted, findings=(*fitted.findings, *changed))

    def restore(self, native: bytes, signature: Signature) -> Kept:
        """What ``native`` wrote, without running any code."""
        return kept.restore(native, signature)


def _changed(
    before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]
) -> tuple[Finding, ...]:
    """Files of the project that are others, or elsewhere, after a training."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if not names:
        return ()
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))
    return (
        Finding(
            what=f"files of the project changed while it trained: {shown}",
            where=names[0],
            hint="a training that changes its project cannot be repeated: write to the current"
            " folder, which is a scratch folder, and return the model",
        ),
    )
