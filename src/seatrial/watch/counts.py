"""The counts of an hour as a small document: on the edges and values of a version's profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile

_SUMS = ("nulls", "nans", "infinities", "other")


def document(rows: int, columns: Sequence[ColumnProfile]) -> dict[str, Any]:
    """What was counted; edges and values stand in the profile."""
    return {
        "rows": rows,
        "columns": {
            each.name: {
                **{key: getattr(each, key) for key in _SUMS},
                "counts": list(each.counts),
            }
            for each in columns
        },
    }


def columns_of(document: Mapping[str, Any], reference: Profile) -> list[ColumnProfile]:
    """The columns of such a document, on the shapes of the profile that they were counted on.

    Ends, means and deviations were not kept.
    """
    found = []
    for name, told in document["columns"].items():
        known = reference.column(name)
        if known is not None and len(known.counts) == len(told["counts"]):
            sums = {key: told[key] for key in _SUMS}
            none = {"n": 0, "minimum": None, "maximum": None, "mean": None, "deviation": None}
            found.append(replace(known, counts=tuple(told["counts"]), **{**sums, **none}))
    return found
