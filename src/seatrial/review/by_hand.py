"""Moving production by hand: verified, recorded, and only from what one has seen."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError, UsageError, nearest
from seatrial.notify.outbox import Message, post
from seatrial.registry import brakes, standing
from seatrial.registry.gateways import READY, SERVING
from seatrial.registry.opened import digest_of
from seatrial.registry.registry import PRODUCTION, STAGING, Move, MovedError
from seatrial.review.items import minute

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Channel, Version
    from seatrial.registry.standing import Standing

PROMOTE = "promote"
ROLLBACK = "rollback"

ROLLBACK_S = 5.0
"""How long a rollback waits for gateways to load the version; then it moves all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of a move: ``version`` is in production, ``was`` is what was before.

    Where nothing ``changed``, it was in production already. ``standing`` is what the live gateways
    say of it, and ``took_ms`` how long after the move they had said so.
    """

    version: Version
    was: int | None
    changed: bool = True
    standing: Standing | None = None
    took_ms: float = 0.0

    @property
    def text(self) -> str:
        """What happened, in a sentence; a line more for each remark of a gateway."""
        if not self.changed:
            return f"{self.version} is in production already; nothing was changed"
        was = "nothing" if self.was is None else self.was
        told = f"{self.version} is in production (was: {was})"
        said = self.standing
        if said is None or not said.live:
            return told
        told += f"{standing.served_by(said)}, {self.took_ms:.0f} ms after the move"
        if said.missing:
            told += f"; not confirmed by {standing.named(said.missing)}"
        remarks = (f"\n{each.reason} (gateway {each.gateway})" for each in said.remarked)
        return "".join([told, *remarks])

    def document(self) -> dict[str, object]:
        """What ``promote --json`` and ``rollback --json`` print."""
        return {"model": self.version.model, "version": self.version.version, "said": self.text}


def production_of(project: Project, model: str) -> Channel | None:
    """What serves; :class:`UsageError` for a model that nobody registered."""
    known = project.registry.models()
    if model not in known:
        raise UsageError(
            Mistake(
                f"no model {model!r} in this project",
                nearest=nearest(model, known),
                fix="`seatrial models` lists them",
            )
        )
    return project.registry.channel(model, PRODUCTION)


def to_promote(project: Project, model: str, number: int | None) -> int:
    """The version that is meant: what is staged where none is named.

    :class:`UsageError` when there is no such model, or nothing is staged.
    """
    production_of(project, model)
    if number is not None:
        return number
    staged = project.registry.channel(model, STAGING)
    if staged is None:
        raise UsageError(Mistake(f"nothing of {model} is staged", fix="name a version"))
    return staged.version


def to_go_back_to(project: Project, model: str, number: int | None) -> int:
    """The version that is meant: the one before where none is named.

    :class:`UsageError` when there is no such model, or none that was in production.
    """
    production_of(project, model)
    if number is None:
        number = project.registry.previous(model)
        if number is None:
            raise UsageError(Mistake(f"{model} has no earlier production version to go back to"))
    elif number not in project.registry.delivered(model):
        raise UsageError(
            Mistake(
                f"version {number} of {model} was never in production",
                fix=f"to deliver it: seatrial promote {model} {number} --reason …",
            )
        )
    return number


def move_by_hand(
    project: Project,
    model: str,
    number: int,
    event: str,
    reason: str,
    *,
    by: str,
    lift: bool = False,
    expect: int | None = None,
) -> Moved:
    """Move production to a whole version.

    ``event`` is :data:`PROMOTE` or :data:`ROLLBACK`. Live gateways load the version first, so that
    the move itself takes milliseconds; one that refuses it stops the move. What is in quarantine
    is only moved to with ``lift``, which ends the quarantine in the same transaction. ``expect``
    is the revision of *production* that ``by`` has seen: :class:`MovedError` when it was moved
    since, even to the very version; ``None`` means what serves now.
    """
    if not reason.strip():
        raise UsageError(Mistake("a reason is needed", fix="--reason 'why, for those who read it'"))
    serving = production_of(project, model)
    revision = serving.revision if serving else 0
    if expect is not None and expect != revision:
        raise MovedError(_moved_meanwhile(model, serving))
    version = project.registry.version(model, number)
    if serving and serving.version == number:
        return Moved(version=version, was=number, changed=False)
    project.registry.verify(version)
    digest = _demand_no_quarantine(project, version, event, lift=lift)
    _prepare(project, version, event, reason, by)
    project.registry.move(
        Move(
            model=model,
            channel=PRODUCTION,
            version=number,
            expect=revision,
            event=event,
            by=by,
            reason=reason,
        ),
        also=partial(_told, version, event, reason, digest, by),
    )
    began = time.monotonic()
    said = standing.wait(
        project.ledger, project.workspace.home, model, number, SERVING, standing.SERVING_S
    )
    return Moved(
        version=version,
        was=serving.version if serving else None,
        standing=said,
        took_ms=(time.monotonic() - began) * 1000,
    )


def _moved_meanwhile(model: str, serving: Channel | None) -> Mistake:
    now = "nothing is in production" if serving is None else _since(serving)
    return Mistake(
        f"production of {model} was moved since you looked: {now}",
        fix="look at the history, then decide anew; nothing was changed",
    )


def _since(serving: Channel) -> str:
    at = minute(serving.since)
    return f"version {serving.version} serves since {at} UTC ({serving.reason})"


def _demand_no_quarantine(project: Project, version: Version, event: str, *, lift: bool) -> str:
    """The digest of the model file; :class:`UsageError` when it was rolled back by itself."""
    digest = digest_of(project.registry, version)
    found = brakes.quarantined(project.ledger, version.model, digest)
    if found is not None and not lift:
        fix = "if you know better, add --lift-quarantine; it is recorded with your reason"
        if event == ROLLBACK:
            fix = f"name another that served: seatrial rollback {version.model} VERSION --reason …"
        raise UsageError(
            Mistake(
                f"{version} is in quarantine since {minute(found.since)} UTC: {found.reason}",
                fix=fix,
            )
        )
    return digest


def _told(
    version: Version, event: str, reason: str, digest: str, by: str, transaction: Transaction
) -> None:
    """What comes with a move by hand: the end of a quarantine, and a message."""
    brakes.lift(transaction, version.model, digest, by, reason)
    kind = "promoted" if event == PROMOTE else "rolled_back"
    text = f"{version} was put into production by {by}: {reason}"
    data = {"version": version.version, "by": by, "reason": reason}
    key = f"{kind}/{version}/{transaction.at}"
    post(transaction, Message(kind=kind, key=key, model=version.model, text=text, data=data))


def _prepare(project: Project, version: Version, event: str, reason: str, by: str) -> None:
    """Have every live gateway load the version; it is staged for that, unless they have it."""
    asked = project.ledger, project.workspace.home, version.model, version.version, READY
    if standing.of(*asked).missing:
        _stage(project, version, reason, by)
    within_s = ROLLBACK_S if event == ROLLBACK else standing.READY_S
    said = standing.wait(*asked, within_s)
    if said.nacks:
        nack = said.nacks[0]
        raise StoreError(
            Mistake(
                f"a gateway cannot serve {version}: {nack.reason}",
                where=f"gateway {nack.gateway}",
                fix="production was not changed; name another version",
            )
        )
    # production does harm when it is rolled back: a gateway that hangs must not keep it there
    if said.missing and event != ROLLBACK:
        raise StoreError(
            Mistake(
                f"{standing.named(said.missing)} has not prepared {version} within {within_s:g} s",
                fix="look at its log, or end it, then try again; production was not changed",
            )
        )


def _stage(project: Project, version: Version, reason: str, by: str) -> None:
    staged = project.registry.channel(version.model, STAGING)
    if staged is not None and staged.version == version.version:
        return
    project.registry.move(
        Move(
            model=version.model,
            channel=STAGING,
            version=version.version,
            expect=staged.revision if staged else 0,
            event="stage",
            by=by,
            reason=reason,
        )
    )
