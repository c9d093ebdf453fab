"""Is the chain whole, and do the tables still say what the events say?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from seatrial.errors import Mistake, StoreError
from seatrial.ledger.store import GENESIS, MANY, canonical, events_in, link
from seatrial.ledger.tables import (
    CHANNEL,
    DRIFT,
    EVENT,
    FREEZE,
    HOLDOUT,
    MOVE,
    POLICY,
    QUARANTINE,
    REVIEW,
    RUN,
    STEP,
    TOKEN,
    VERSION,
    WATCH,
)
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.store import Ledger, Stored

_Rows: TypeAlias = dict[Any, Any]
"""Content by key, as one table holds it."""


def verify(ledger: Ledger, anchored: str | None = None) -> tuple[int, str]:
    """Number of events and the head's hash; :class:`StoreError` names the first broken place.

    ``anchored`` is a head noted earlier: were the tail cut since, it is no longer in the chain.
    """
    # One look at one moment: others may write meanwhile.
    with ledger.read() as connection:
        seq, head, seen = _followed(ledger, connection, anchored)
        tables, folded = _tables(connection), _folded(ledger, connection)
    if not seen:
        raise StoreError(
            Mistake(
                f"the head {anchored} is not in the chain of {seq} events: its tail was cut",
                where=ledger.where,
                fix="restore the ledger from a backup that has this head",
            )
        )
    for name, rows in tables.items():
        if rows != folded[name]:
            raise StoreError(_broken(ledger, f"table {name!r} differs from the events"))
    return seq, head


def _followed(
    ledger: Ledger, connection: sa.Connection, anchored: str | None
) -> tuple[int, str, bool]:
    """The chain from link to link: its length, its head, and whether the anchor is in it."""
    seq, head, seen = 0, GENESIS, anchored in {None, GENESIS}
    chain = sa.select(EVENT).order_by(EVENT.c.seq).execution_options(yield_per=MANY)
    with connection.execute(chain) as events:
        for row in events:
            seq += 1
            expected = link(seq, row.at, row.kind, row.body, head)
            if (row.seq, row.prev, row.hash) != (seq, head, expected):
                raise StoreError(_broken(ledger, f"event {row.seq} ({row.kind}, {row.at})"))
            head = row.hash
            seen = seen or head == anchored
    return seq, head, seen


def _tables(connection: sa.Connection) -> dict[str, _Rows]:
    """What the tables say."""
    return {
        "version": {
            (r.model, r.version): (r.digest, r.label, r.run, r.created)
            for r in connection.execute(sa.select(VERSION))
        },
        "move": {
            r.seq: (r.at, *(getattr(r, k) for k in _MOVED))
            for r in connection.execute(sa.select(MOVE))
        },
        "channel": {
            (r.model, r.channel): (r.version, r.revision, r.since, r.reason)
            for r in connection.execute(sa.select(CHANNEL))
        },
        "policy": {r.model: r.body for r in connection.execute(sa.select(POLICY))},
        "run": {
            r.id: (r.state, r.verdict, r.ended)
            for r in connection.execute(sa.select(RUN).where(RUN.c.ended.is_not(None)))
        },
        "step": {
            (r.run, r.address): r.outcome
            for r in connection.execute(sa.select(STEP).where(STEP.c.outcome.is_not(None)))
        },
        "review": {
            r.id: tuple(getattr(r, k) for k in _REVIEWED)
            for r in connection.execute(sa.select(REVIEW))
        },
        "watch": {
            r.id: tuple(getattr(r, k) for k in _WATCHED)
            for r in connection.execute(sa.select(WATCH))
        },
        "quarantine": {
            (r.model, r.digest): (r.version, r.since, r.reason)
            for r in connection.execute(sa.select(QUARANTINE))
        },
        "freeze": {r.model: (r.since, r.reason) for r in connection.execute(sa.select(FREEZE))},
        "holdout": {
            (r.fingerprint, r.run): (r.model, r.version, r.dataset, r.at)
            for r in connection.execute(sa.select(HOLDOUT))
        },
        "drift": {
            (r.model, r.version, r.hour): (r.at, r.verdict, r.body)
            for r in connection.execute(sa.select(DRIFT))
        },
        "token": {
            r.id: tuple(getattr(r, k) for k in _ADMITTED)
            for r in connection.execute(sa.select(TOKEN))
        },
    }


def _folded(ledger: Ledger, connection: sa.Connection) -> dict[str, _Rows]:
    """The rows that the events, read from the first to the last, amount to."""
    rows: dict[str, _Rows] = {name: {} for name in _TABLES}
    coming = 1
    try:
        for event in events_in(connection):
            _fold(rows, event)
            coming += 1
    except (LookupError, TypeError, ValueError) as error:
        # whoever can write to the table can also compute a hash
        raise StoreError(_broken(ledger, f"event {coming} says what cannot be")) from error
    return rows


def _fold(rows: dict[str, _Rows], event: Stored) -> None:
    """What one event changes in the rows."""
    body: Mapping[str, Any] = event.body
    match event.kind:
        case "version_registered":
            content = (body["digest"], body["label"], body["run"], event.at)
            rows["version"][body["model"], body["version"]] = content
        case "channel_moved":
            rows["move"][event.seq] = (event.at, *(body[k] for k in _MOVED))
            place = (body["model"], body["channel"])
            revision = rows["channel"].get(place, (0, 0))[1] + 1
            rows["channel"][place] = (body["version"], revision, event.at, body["reason"])
        case "policy_installed":
            rows["policy"][body["model"]] = canonical(body["policy"])
        case "run_ended":
            rows["run"][body["run"]] = (body["state"], body["verdict"], event.at)
        case "step_finished":
            rows["step"][body["run"], body["step"]] = canonical(body["outcome"])
        case "step_asked_again":
            del rows["step"][body["run"], body["step"]]
        case "run_resumed":
            _ask_again(rows["step"], body["run"])
        case "holdout_used":
            content = (*(body[k] for k in ("model", "version", "dataset")), event.at)
            rows["holdout"][body["fingerprint"], body["run"]] = content
        case _:
            _fold_review(rows["review"], event)
            _fold_watch(rows, event)
            _fold_drift(rows["drift"], event)
            _fold_token(rows["token"], event)


def _fold_drift(hours: _Rows, event: Stored) -> None:
    """An hour of traffic is judged once."""
    body: Mapping[str, Any] = event.body
    if event.kind == "traffic_judged":
        place = (body["model"], body["version"], body["hour"])
        hours[place] = (event.at, body["verdict"], canonical(body["body"]))


def _fold_token(tokens: _Rows, event: Stored) -> None:
    """A token is made once and revoked at most once; when it was used, no event says."""
    body: Mapping[str, Any] = event.body
    if event.kind == "token_created":
        said = (*(body[k] for k in _MADE), event.at)
        tokens[body["token"]] = (*said, None)
    elif event.kind == "token_revoked":
        tokens[body["token"]] = (*tokens[body["token"]][: len(_MADE) + 1], event.at)


def _fold_watch(rows: dict[str, _Rows], event: Stored) -> None:
    """A watch is opened once and ends once; a quarantine and a freeze come and go."""
    body: Mapping[str, Any] = event.body
    match event.kind:
        case "watch_opened":
            about = (body["model"], body["version"], body["against"], canonical(body["policy"]))
            ends = (event.at, body["until"], "watching", None, None)
            rows["watch"][body["watch"]] = (*about, *ends)
        case "watch_extended":
            known = rows["watch"][body["watch"]]
            rows["watch"][body["watch"]] = (*known[:5], body["until"], *known[6:8], body["reason"])
        case "watch_closed":
            known = rows["watch"][body["watch"]][:6]
            ended = (body["state"], event.at, body["reason"])
            rows["watch"][body["watch"]] = (*known, *ended)
        case "version_quarantined":
            content = (body["version"], event.at, body["reason"])
            rows["quarantine"][body["model"], body["digest"]] = content
        case "quarantine_lifted":
            del rows["quarantine"][body["model"], body["digest"]]
        case "model_frozen":
            rows["freeze"][body["model"]] = (event.at, body["reason"])
        case "model_thawed":
            del rows["freeze"][body["model"]]


def _fold_review(reviews: _Rows, event: Stored) -> None:
    """The queue of exceptions: an item is opened once, and leaves once."""
    body: Mapping[str, Any] = event.body
    if event.kind == "review_opened":
        asked = (*(body[k] for k in _ASKED), canonical(body["body"]), event.at, body["due"])
        reviews[body["review"]] = (*asked, "open", None, None, None)
    elif event.kind in _LEFT:
        status = body.get("status", _LEFT[event.kind])
        asked = reviews[body["review"]][: -len(_LEAVING)]
        reviews[body["review"]] = (*asked, status, event.at, body.get("by"), body["reason"])


def _ask_again(steps: _Rows, run: str) -> None:
    """A run that is resumed forgets what could not be said (``runs.begin``)."""
    for place in [place for place in steps if place[0] == run]:
        if json.loads(steps[place])["verdict"] == Verdict.INCONCLUSIVE:
            del steps[place]


_TABLES = (
    "version", "move", "channel", "policy", "run", "step", "review", "watch", "quarantine",
    "freeze", "holdout", "drift", "token",
)  # fmt: skip

_MADE = ("name", "role", "hash", "by", "expires")
_ADMITTED = (*_MADE, "created", "revoked")

_WATCHED = (
    "model", "version", "against", "policy", "opened", "until", "state", "closed", "reason",
)  # fmt: skip

_ASKED = ("kind", "subject", "evidence")
_LEAVING = ("status", "decided", "by", "reason")
_REVIEWED = (*_ASKED, "body", "created", "due", *_LEAVING)
_LEFT = {"review_decided": "", "review_expired": "expired", "review_closed": "resolved"}
"""The events by which an item leaves, and its status then; a decision says it itself."""

_MOVED = ("event", "model", "channel", "version", "previous", "by", "reason")


def _broken(ledger: Ledger, what: str) -> Mistake:
    return Mistake(
        f"the ledger was edited: {what}",
        where=ledger.where,
        fix="restore the ledger from a backup; do not trust what it says since then",
    )
