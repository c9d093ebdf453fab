"""Moving production by hand: verified, recorded, and only from what one has seen."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from seatrial.cli._options import actor, minute
from seatrial.errors import Mistake, StoreError, UsageError, nearest

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Channel, Version

ROLLBACK_S = 5.0
"""How long a rollback waits for gateways to load the version; then it moves all the same."""


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


def move_by_hand(
    opened: Project, model: str, number: int, event: str, reason: str, *, lift: bool = False
) -> str:
    """Move production to a whole version; a sentence that says what happened.

    ``event`` is ``promote`` or ``rollback``. Live gateways load the version first, so that the
    move itself takes milliseconds; one that refuses it stops the move. What is in quarantine is
    only moved to with ``lift``, which ends the quarantine in the same transaction.
    """
    from seatrial.registry import standing
    from seatrial.registry.gateways import SERVING
    from seatrial.registry.registry import PRODUCTION, Move

    if not reason.strip():
        raise UsageError(Mistake("a reason is needed", fix="--reason 'why, for those who read it'"))
    serving = production_of(opened, model)
    version = opened.registry.version(model, number)
    if serving and serving.version == number:
        return f"{version} is in production already; nothing was changed"
    opened.registry.verify(version)
    digest = _demand_no_quarantine(opened, version, event, lift=lift)
    _prepare(opened, version, event, reason)
    opened.registry.move(
        Move(
            model=model,
            channel=PRODUCTION,
            version=number,
            expect=serving.revision if serving else 0,
            event=event,
            by=actor(),
            reason=reason,
        ),
        also=partial(_told, version, event, reason, digest),
    )
    began = time.monotonic()
    said = standing.wait(
        opened.ledger, opened.workspace.home, model, number, SERVING, standing.SERVING_S
    )
    took_ms = (time.monotonic() - began) * 1000
    told = f"{version} is in production (was: {serving.version if serving else 'nothing'})"
    if not said.live:
        return told
    told += f"{standing.served_by(said)}, {took_ms:.0f} ms after the move"
    if said.missing:
        told += f"; not confirmed by {standing.named(said.missing)}"
    return "".join([told, *(f"\n{each.reason} (gateway {each.gateway})" for each in said.remarked)])


def _demand_no_quarantine(opened: Project, version: Version, event: str, *, lift: bool) -> str:
    """The digest of the model file; :class:`UsageError` when it was rolled back by itself."""
    from seatrial.registry import brakes
    from seatrial.registry.opened import digest_of

    digest = digest_of(opened.registry, version)
    found = brakes.quarantined(opened.ledger, version.model, digest)
    if found is not None and not lift:
        fix = "if you know better, add --lift-quarantine; it is recorded with your reason"
        if event == "rollback":
            fix = f"name another that served: seatrial rollback {version.model} VERSION --reason …"
        raise UsageError(
            Mistake(
                f"{version} is in quarantine since {minute(found.since)} UTC: {found.reason}",
                fix=fix,
            )
        )
    return digest


def _told(version: Version, event: str, reason: str, digest: str, transaction: Transaction) -> None:
    """What comes with a move by hand: the end of a quarantine, and a message."""
    from seatrial.notify.outbox import Message, post
    from seatrial.registry import brakes

    brakes.lift(transaction, version.model, digest, actor(), reason)
    kind = "promoted" if event == "promote" else "rolled_back"
    text = f"{version} was put into production by {actor()}: {reason}"
    data = {"version": version.version, "by": actor(), "reason": reason}
    key = f"{kind}/{version}/{transaction.at}"
    post(transaction, Message(kind=kind, key=key, model=version.model, text=text, data=data))


def _prepare(opened: Project, version: Version, event: str, reason: str) -> None:
    """Have every live gateway load the version; it is staged for that, unless they have it."""
    from seatrial.registry import standing
    from seatrial.registry.gateways import READY

    asked = opened.ledger, opened.workspace.home, version.model, version.version, READY
    if standing.of(*asked).missing:
        _stage(opened, version, reason)
    within_s = ROLLBACK_S if event == "rollback" else standing.READY_S
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
    if said.missing and event != "rollback":
        raise StoreError(
            Mistake(
                f"{standing.named(said.missing)} has not prepared {version} within {within_s:g} s",
                fix="look at its log, or end it, then try again; production was not changed",
            )
        )


def _stage(opened: Project, version: Version, reason: str) -> None:
    from seatrial.registry.registry import STAGING, Move

    staged = opened.registry.channel(version.model, STAGING)
    if staged is not None and staged.version == version.version:
        return
    opened.registry.move(
        Move(
            model=version.model,
            channel=STAGING,
            version=version.version,
            expect=staged.revision if staged else 0,
            event="stage",
            by=actor(),
            reason=reason,
        )
    )
