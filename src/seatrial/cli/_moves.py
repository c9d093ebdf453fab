"""Moving production by hand: verified, recorded, and only from what one has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.cli._options import actor
from seatrial.errors import Mistake, UsageError, nearest

if TYPE_CHECKING:
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Channel


def production_of(opened: Project, model: str) -> Channel | None:
    """What serves; :class:`UsageError` for a model that nobody registered."""
    known = sorted({version.model for version in opened.registry.versions()})
    if model not in known:
        raise UsageError(
            Mistake(
                f"no model {model!r} in this project",
                nearest=nearest(model, known),
                fix="`seatrial models` lists them",
            )
        )
    return opened.registry.channel(model, "production")


def move_by_hand(opened: Project, model: str, number: int, event: str, reason: str) -> str:
    """Move production to a whole version; a sentence that says what happened."""
    from seatrial.registry.registry import PRODUCTION, Move

    if not reason.strip():
        raise UsageError(Mistake("a reason is needed", fix="--reason 'why, for those who read it'"))
    serving = production_of(opened, model)
    version = opened.registry.version(model, number)
    if serving and serving.version == number:
        return f"{version} is in production already; nothing was changed"
    opened.registry.verify(version)
    opened.registry.move(
        Move(
            model=model,
            channel=PRODUCTION,
            version=number,
            expect=serving.revision if serving else 0,
            event=event,
            by=actor(),
            reason=reason,
        )
    )
    return f"{version} is in production (was: {serving.version if serving else 'nothing'})"
