"""The tables of the ledger. ``event`` is the truth; every other table could be folded from it."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

EVENT = sa.Table(
    "event",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("prev", sa.String, nullable=False),
    sa.Column("hash", sa.String, nullable=False),
)

RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("pipeline", sa.String, nullable=False, index=True),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("verdict", sa.String),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("ended", sa.String),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("pinned", sa.Integer),
    sa.Column("pinned_revision", sa.Integer, nullable=False),
    sa.Column("production_after", sa.Integer),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("errors", sa.Text, nullable=False),
)

STEP = sa.Table(
    "step",
    METADATA,
    sa.Column("run", sa.String, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("address", sa.String, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("owner", sa.String),
    sa.Column("host", sa.String),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("lease_until", sa.String),
    sa.Column("due", sa.String),
    sa.Column("reason", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("seconds", sa.Float),
)

REUSE = sa.Table(
    "reuse",
    METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
)

VERSION = sa.Table(
    "version",
    METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("label", sa.String, nullable=False),
    sa.Column("run", sa.String),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("collected", sa.String),
    sa.UniqueConstraint("model", "digest"),
)

CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("channel", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("since", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

MOVE = sa.Table(
    "move",
    METADATA,
    sa.Column("seq", sa.Integer, sa.ForeignKey("event.seq"), primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False, index=True),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("once", sa.String, unique=True),
)

POLICY = sa.Table(
    "policy",
    METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

GATEWAY = sa.Table(
    "gateway",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("workers", sa.Integer, nullable=False),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("seen", sa.String, nullable=False),
    sa.Column("left", sa.String),
)

READINESS = sa.Table(
    "readiness",
    METADATA,
    sa.Column("gateway", sa.String, sa.ForeignKey("gateway.id"), primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("at", sa.String, nullable=False),
)

SHADOW = sa.Table(
    "shadow",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("run", sa.String, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("against", sa.Integer, nullable=False),
    sa.Column("share_percent", sa.Float, nullable=False),
    sa.Column("opened", sa.String, nullable=False),
    sa.Column("until", sa.String, nullable=False),
    sa.Column("closed", sa.String),
    sa.Column("spec", sa.Text, nullable=False),
)

TALLY = sa.Table(
    "tally",
    METADATA,
    sa.Column("shadow", sa.String, sa.ForeignKey("shadow.id"), primary_key=True),
    sa.Column("gateway", sa.String, primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

FIRING = sa.Table(
    "firing",
    METADATA,
    sa.Column("pipeline", sa.String, primary_key=True),
    sa.Column("time", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("run", sa.String),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("reason", sa.Text),
)

WATCH = sa.Table(
    "watch",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("model", sa.String, nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("against", sa.Integer),
    sa.Column("opened", sa.String, nullable=False),
    sa.Column("until", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("closed", sa.String),
    sa.Column("reason", sa.Text),
    sa.Column("policy", sa.Text, nullable=False),
)

TRAIL = sa.Table(
    "trail",
    METADATA,
    sa.Column("watch", sa.String, sa.ForeignKey("watch.id"), primary_key=True),
    sa.Column("replica", sa.String, primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

QUARANTINE = sa.Table(
    "quarantine",
    METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("since", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

FREEZE = sa.Table(
    "freeze",
    METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("since", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

REVIEW = sa.Table(
    "review",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False, index=True),
    sa.Column("evidence", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created", sa.String, nullable=False),
    sa.Column("due", sa.String, nullable=False),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("decided", sa.String),
    sa.Column("by", sa.String),
    sa.Column("reason", sa.Text),
)

MESSAGE = sa.Table(
    "message",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False, unique=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("model", sa.String),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("message", sa.String, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("channel", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", sa.String),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("error", sa.Text),
)

HOLDOUT = sa.Table(
    "holdout",
    METADATA,
    sa.Column("fingerprint", sa.String, primary_key=True),
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("dataset", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)

DRIFT = sa.Table(
    "drift",
    METADATA,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("hour", sa.String, primary_key=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

FIRST = (EVENT, RUN, STEP, REUSE, VERSION, CHANNEL, MOVE, POLICY)
"""The tables of migration step 1."""

SECOND = (GATEWAY, READINESS, SHADOW, TALLY, FIRING)
"""The tables of migration step 2: serving, shadow tests and schedules."""

THIRD = (WATCH, TRAIL, QUARANTINE, FREEZE, REVIEW, MESSAGE, DELIVERY)
"""The tables of migration step 3: watches and what they lead to, reviews, messages."""

FOURTH = (HOLDOUT, DRIFT)
"""The tables of migration step 4: uses of held-out data, drift of the traffic by the hour."""

GUARDS = (
    """CREATE TRIGGER event_no_update BEFORE UPDATE ON event
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    """CREATE TRIGGER event_no_delete BEFORE DELETE ON event
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    # INSERT OR REPLACE deletes without firing the DELETE trigger, so old places are refused too.
    """CREATE TRIGGER event_no_replace BEFORE INSERT ON event
       WHEN NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM event)
       BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
)
