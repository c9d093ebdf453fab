"""A piece of an hour of one version's traffic, and which hours the log has. Loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.traffic import files

if TYPE_CHECKING:
    from pathlib import Path

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a version answered in ``[since, until)``, which lies within one hour, UTC."""

    model: str
    version: int
    since: datetime
    until: datetime

    @property
    def hour(self) -> datetime:
        """The hour's begin."""
        return begin_of_hour(self.since)


def begin_of_hour(time: datetime) -> datetime:
    """The full hour in which a time lies."""
    return time.replace(minute=0, second=0, microsecond=0)


def hours_of(traffic: Path, model: str, version: int) -> list[datetime]:
    """The hours in which files of a version's log were begun, in order.

    A few rows from just before the end of an hour may stand in the file of the next one, and the
    other way round: :func:`counted` looks at the neighbours too.
    """
    folder = files.version_folder(traffic, model, version)
    return sorted({files.hour_of(file) for file in files.listed(folder)})


def oldest(traffic: Path, model: str) -> datetime | None:
    """The oldest hour of which a file of any version of a model is kept."""
    begun = (hours_of(traffic, model, version) for version in files.versions(traffic, model))
    return min((hours[0] for hours in begun if hours), default=None)
