"""The tables of the ledger. ``event`` is the truth; every other table could be folded from it."""

from __future__ import annotations

import sqlalchemy as sa

from seatrial.ledger.texts import LONG, SHORT

METADATA = sa.MetaData()

EVENT = sa.Table(
    "event",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("kind", SHORT, nullable=False),
    sa.Column("body", LONG, nullable=False),
    sa.Column("prev", SHORT, nullable=False),
    sa.Column("hash", SHORT, nullable=False),
)

sa.Index("event_of_kind", EVENT.c.kind, EVENT.c.seq)

RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("pipeline", SHORT, nullable=False, index=True),
    sa.Column("key", SHORT, nullable=False),
    sa.Column("state", SHORT, nullable=False),
    sa.Column("verdict", SHORT),
    sa.Column("started", SHORT, nullable=False),
    sa.Column("ended", SHORT),
    sa.Column("model", SHORT, nullable=False),
    sa.Column("pinned", sa.Integer),
    sa.Column("pinned_revision", sa.Integer, nullable=False),
    sa.Column("production_after", sa.Integer),
    sa.Column("request", LONG, nullable=False),
    sa.Column("errors", LONG, nullable=False),
)

sa.Index("run_newest", RUN.c.started, RUN.c.id)
sa.Index("run_unfinished", RUN.c.ended)

STEP = sa.Table(
    "step",
    METADATA,
    sa.Column("run", SHORT, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("address", SHORT, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", SHORT, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("owner", SHORT),
    sa.Column("host", SHORT),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("lease_until", SHORT),
    sa.Column("due", SHORT),
    sa.Column("reason", LONG),
    sa.Column("outcome", LONG),
    sa.Column("seconds", sa.Float),
)

REUSE = sa.Table(
    "reuse",
    METADATA,
    sa.Column("key", SHORT, primary_key=True),
    sa.Column("outcome", LONG, nullable=False),
)

VERSION = sa.Table(
    "version",
    METADATA,
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", SHORT, nullable=False),
    sa.Column("label", SHORT, nullable=False),
    sa.Column("run", SHORT),
    sa.Column("created", SHORT, nullable=False),
    sa.Column("collected", SHORT),
    sa.UniqueConstraint("model", "digest"),
)

CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("channel", SHORT, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("since", SHORT, nullable=False),
    sa.Column("reason", LONG, nullable=False),
)

MOVE = sa.Table(
    "move",
    METADATA,
    sa.Column("seq", sa.Integer, sa.ForeignKey("event.seq"), primary_key=True),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("event", SHORT, nullable=False),
    sa.Column("model", SHORT, nullable=False, index=True),
    sa.Column("channel", SHORT, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer),
    sa.Column("by", SHORT, nullable=False),
    sa.Column("reason", LONG, nullable=False),
    sa.Column("once", SHORT, unique=True),
)

POLICY = sa.Table(
    "policy",
    METADATA,
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("body", LONG, nullable=False),
)

GATEWAY = sa.Table(
    "gateway",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("host", SHORT, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("address", SHORT, nullable=False),
    sa.Column("workers", sa.Integer, nullable=False),
    sa.Column("started", SHORT, nullable=False),
    sa.Column("seen", SHORT, nullable=False),
    sa.Column("left", SHORT),
    sa.Column("control", SHORT),
)

READINESS = sa.Table(
    "readiness",
    METADATA,
    sa.Column("gateway", SHORT, sa.ForeignKey("gateway.id"), primary_key=True),
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", SHORT, nullable=False),
    sa.Column("state", SHORT, nullable=False),
    sa.Column("reason", LONG),
    sa.Column("at", SHORT, nullable=False),
)

SHADOW = sa.Table(
    "shadow",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("run", SHORT, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("model", SHORT, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("against", sa.Integer, nullable=False),
    sa.Column("share_percent", sa.Float, nullable=False),
    sa.Column("opened", SHORT, nullable=False),
    sa.Column("until", SHORT, nullable=False),
    sa.Column("closed", SHORT),
    sa.Column("spec", LONG, nullable=False),
)

TALLY = sa.Table(
    "tally",
    METADATA,
    sa.Column("shadow", SHORT, sa.ForeignKey("shadow.id"), primary_key=True),
    sa.Column("gateway", SHORT, primary_key=True),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("body", LONG, nullable=False),
)

FIRING = sa.Table(
    "firing",
    METADATA,
    sa.Column("pipeline", SHORT, primary_key=True),
    sa.Column("time", SHORT, primary_key=True),
    sa.Column("state", SHORT, nullable=False),
    sa.Column("run", SHORT),
    sa.Column("by", SHORT, nullable=False),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("reason", LONG),
)

WATCH = sa.Table(
    "watch",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("model", SHORT, nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("against", sa.Integer),
    sa.Column("opened", SHORT, nullable=False),
    sa.Column("until", SHORT, nullable=False),
    sa.Column("state", SHORT, nullable=False),
    sa.Column("closed", SHORT),
    sa.Column("reason", LONG),
    sa.Column("policy", LONG, nullable=False),
)

TRAIL = sa.Table(
    "trail",
    METADATA,
    sa.Column("watch", SHORT, sa.ForeignKey("watch.id"), primary_key=True),
    sa.Column("replica", SHORT, primary_key=True),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("body", LONG, nullable=False),
)

QUARANTINE = sa.Table(
    "quarantine",
    METADATA,
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("digest", SHORT, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("since", SHORT, nullable=False),
    sa.Column("reason", LONG, nullable=False),
)

FREEZE = sa.Table(
    "freeze",
    METADATA,
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("since", SHORT, nullable=False),
    sa.Column("reason", LONG, nullable=False),
)

REVIEW = sa.Table(
    "review",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("kind", SHORT, nullable=False),
    sa.Column("subject", SHORT, nullable=False, index=True),
    sa.Column("evidence", SHORT, nullable=False),
    sa.Column("body", LONG, nullable=False),
    sa.Column("created", SHORT, nullable=False),
    sa.Column("due", SHORT, nullable=False),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("status", SHORT, nullable=False),
    sa.Column("decided", SHORT),
    sa.Column("by", SHORT),
    sa.Column("reason", LONG),
)

MESSAGE = sa.Table(
    "message",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("key", SHORT, nullable=False, unique=True),
    sa.Column("kind", SHORT, nullable=False),
    sa.Column("model", SHORT),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("body", LONG, nullable=False),
)

DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("message", SHORT, sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("channel", SHORT, primary_key=True),
    sa.Column("state", SHORT, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", SHORT),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("error", LONG),
)

HOLDOUT = sa.Table(
    "holdout",
    METADATA,
    sa.Column("fingerprint", SHORT, primary_key=True),
    sa.Column("run", SHORT, primary_key=True),
    sa.Column("model", SHORT, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("dataset", SHORT, nullable=False),
    sa.Column("at", SHORT, nullable=False),
)

DRIFT = sa.Table(
    "drift",
    METADATA,
    sa.Column("model", SHORT, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("hour", SHORT, primary_key=True),
    sa.Column("at", SHORT, nullable=False),
    sa.Column("verdict", SHORT, nullable=False),
    sa.Column("body", LONG, nullable=False),
)

TOKEN = sa.Table(
    "token",
    METADATA,
    sa.Column("id", SHORT, primary_key=True),
    sa.Column("name", SHORT, nullable=False),
    sa.Column("role", SHORT, nullable=False),
    sa.Column("hash", SHORT, nullable=False),
    sa.Column("created", SHORT, nullable=False),
    sa.Column("by", SHORT, nullable=False),
    sa.Column("expires", SHORT),
    sa.Column("revoked", SHORT),
    sa.Column("last_used", SHORT),
)

FIRST = (EVENT, RUN, STEP, REUSE, VERSION, CHANNEL, MOVE, POLICY)
"""The tables of migration step 1."""

SECOND = (GATEWAY, READINESS, SHADOW, TALLY, FIRING)
"""The tables of migration step 2: serving, shadow tests and schedules."""

THIRD = (WATCH, TRAIL, QUARANTINE, FREEZE, REVIEW, MESSAGE, DELIVERY)
"""The tables of migration step 3: watches and what they lead to, reviews, messages."""

FOURTH = (HOLDOUT, DRIFT)
"""The tables of migration step 4: uses of held-out data, drift of the traffic by the hour."""

FIFTH = (TOKEN,)
"""The table of migration step 5: access to the control port. ``GATEWAY.control``, where that port
is, and the indexes of ``RUN`` and ``EVENT`` are its too: with thousands of runs a page asks for
the newest, for those that have not ended, and for events of one kind among a million."""

GUARDS = {
    "sqlite": (
        """CREATE TRIGGER event_no_update BEFORE UPDATE ON event
           BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
        """CREATE TRIGGER event_no_delete BEFORE DELETE ON event
           BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
        # INSERT OR REPLACE deletes without firing the DELETE trigger: old places are refused too.
        """CREATE TRIGGER event_no_replace BEFORE INSERT ON event
           WHEN NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM event)
           BEGIN SELECT RAISE(ABORT, 'events are append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
               RAISE integrity_constraint_violation USING MESSAGE = 'events are append-only';
           END $$""",
        # The table by its full name: whoever inserts may look for `event` elsewhere.
        """CREATE FUNCTION event_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
           DECLARE
               last integer;
           BEGIN
               EXECUTE 'SELECT coalesce(max(seq), 0) FROM '
                   || quote_ident(TG_TABLE_SCHEMA) || '.' || quote_ident(TG_TABLE_NAME) INTO last;
               IF NEW.seq <= last THEN
                   RAISE integrity_constraint_violation USING MESSAGE = 'events are append-only';
               END IF;
               RETURN NEW;
           END $$""",
        """CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON event
           FOR EACH STATEMENT EXECUTE FUNCTION event_refuse()""",
        """CREATE TRIGGER event_no_replace BEFORE INSERT ON event
           FOR EACH ROW EXECUTE FUNCTION event_in_order()""",
    ),
}
"""What refuses a change of events, by the database."""
