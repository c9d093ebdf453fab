"""What a report says of production stays true, however late somebody reads it."""

from __future__ import annotations

import pytest

from seatrial.ledger.runs import Run, State
from seatrial.report.account import Account
from seatrial.report.headline import production

OTHERS = ", which this run did not move (it began with: version 2)."
ENDED = "2026-03-01T02:00:00+00:00"


def _account(before: int | None, after: int | None, made: int | None, ended: str | None) -> Account:
    run = Run(
        id="R1",
        pipeline="p",
        key="k",
        state=State.FINISHED if ended else State.RUNNING,
        verdict=None,
        started=ENDED,
        ended=ended,
        model="m",
        pinned=before,
        pinned_revision=0,
        production_after=after,
        request={},
        errors=(),
    )
    document = {
        "production": {"before": before, "after": after},
        "model": None if made is None else {"name": "m", "version": made},
    }
    return Account(run=run, document=document, asked=(), seed=None)


@pytest.mark.parametrize(
    ("before", "after", "made", "ended", "said"),
    [
        (None, 1, 1, ENDED, "Version 1 was put into production (before: nothing)."),
        (1, 2, 2, None, "Version 2 was put into production (before: version 1)."),
        (2, 2, 3, ENDED, "Production stayed at version 2."),
        (2, 2, None, None, "Production stays so far at version 2."),
        (None, None, 1, ENDED, "Nothing was in production when it ended."),
        (None, None, None, None, "Nothing is in production so far."),
        (2, 4, 3, ENDED, f"Version 4 was in production when it ended{OTHERS}"),
        (2, 4, 3, None, f"Version 4 is in production so far{OTHERS}"),
    ],
)
def test_nothing_is_said_to_be_so_now(
    before: int | None, after: int | None, made: int | None, ended: str | None, said: str
) -> None:
    assert production(_account(before, after, made, ended)) == said
