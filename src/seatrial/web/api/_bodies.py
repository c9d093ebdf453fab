"""What is sent to the API and what may be asked of it, each as one form."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from seatrial.ledger.runs import STANDS
from seatrial.web.forms import LONGEST_REASON

MOST = 200
USUAL = 50
"""Rows of a page: at most, and where nobody says."""

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_REASON,
        pattern=r"^[^\x00]*[^\s\x00][^\x00]*$",
        description="Why; it stands in the history, with the name of the token",
    ),
]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Revision = Annotated[
    int,
    Meta(
        ge=0,
        le=2**31 - 1,
        description="production.revision of the model as you saw it (0: nothing was in production);"
        " when it was moved since, nothing is done",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=MOST, description="Rows of a page")]
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]

Before = Annotated[
    str,
    Meta(pattern=r"^[0-9A-Za-z]{1,64}$", description="The last row of the page before"),
]
Stands = Annotated[
    str,
    Meta(
        description="A verdict, or the state of what has none yet",
        extra_json_schema={"enum": [*STANDS]},
    ),
]

Which = Annotated[
    str,
    Meta(
        pattern="^([0-9]{1,9}|[a-z_]{1,64})$",
        description="A version: its number, or a channel such as production",
    ),
]

Margin = Annotated[
    float,
    Meta(
        gt=0,
        le=1e9,
        description="How much worse the first may be by the primary metric: gives a verdict",
    ),
]


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """A change, and its reason."""

    reason: Reason


class Rollback(Struct, frozen=True, forbid_unknown_fields=True):
    """To which version production goes back: without ``version`` to the one before.

    One of ``version`` and ``expect`` is needed, so that the same request twice moves once.
    """

    reason: Reason
    version: Number | UnsetType = UNSET
    expect: Revision | UnsetType = UNSET


class Promotion(Struct, frozen=True, forbid_unknown_fields=True):
    """Which version is put into production: without ``version`` the one that is staged.

    ``lift_quarantine`` does so although it was rolled back by itself.
    """

    reason: Reason
    version: Number | UnsetType = UNSET
    expect: Revision | UnsetType = UNSET
    lift_quarantine: bool = False


class Labelled(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of a row: one of the classes, or null when nobody can judge it."""

    id: Word
    label: Annotated[str, Meta(max_length=1000)] | int | None
    row: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class Labels(Struct, frozen=True, forbid_unknown_fields=True):
    """All are taken, or none; an empty list has rows drawn where none waits for a label."""

    labels: Annotated[list[Labelled], Meta(max_length=1000)]


class WhichRuns(Struct, frozen=True, forbid_unknown_fields=True):
    """Runs of a pipeline, or that stand so, before a run."""

    pipeline: Word | UnsetType = UNSET
    stands: Stands | UnsetType = UNSET
    before: Before | UnsetType = UNSET
    limit: Limit = USUAL


class WhichReviews(Struct, frozen=True, forbid_unknown_fields=True):
    """Open questions, the one that is due first first; with ``all`` every one, newest first."""

    all: bool = False
    before: Before | UnsetType = UNSET
    limit: Limit = USUAL


class WhichForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The form of a report, where ``Accept`` does not say it."""

    form: Literal["html", "md", "xml", "json"] | UnsetType = UNSET


class WhichTwo(Struct, frozen=True, forbid_unknown_fields=True):
    """Two versions, each by its number or the channel that points at it."""

    first: Which
    second: Which
    margin: Margin | UnsetType = UNSET
