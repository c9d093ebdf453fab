"""Which request is each label for? Found at once, or later, or never."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.traffic.keys import together
from seatrial.traffic.matched import Counts
from seatrial.traffic.search import Search
from seatrial.traffic.waiting import NOWHERE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.traffic.answered import Answered
    from seatrial.traffic.credit import Credit
    from seatrial.traffic.keys import Found
    from seatrial.traffic.waiting import Waiting

SOON_S = 2.0
"""How long a request may be under way to the log before its label is looked for in older files."""

WAIT_S = 60.0
"""How long it may be under way at all; then its label is of an unknown request."""

APART_US = 60_000_000
"""How far a request may be dated after its label, for clocks differ."""

EARLIER = timedelta(days=7)
"""How long before the watch files were begun in which labels are still looked for; only in order to
tell those of earlier requests, which are other, from those of none."""


@dataclass(slots=True, eq=False)
class Matching:
    """Labels that wait for the requests that were ``answered``.

    Where a label's request stands is written to it in ``waiting``; whoever reads that row takes it
    out. Labels for none that counts are taken out here; ``tally`` says how many of which kind.
    """

    answered: Answered
    waiting: Waiting
    credit: Credit
    tally: Counts = field(default_factory=Counts)

    _tried: int = 0
    _search: Search | None = None
    _now_us: int = 0

    def match(self, arrived: NDArray[np.uint64], now_us: int, now_s: float) -> None:
        """Match what waits with what is known; ``arrived`` are the keys of new requests."""
        self._now_us = now_us
        if len(self.waiting):
            self._find(arrived)
            self._look_back(now_s)
            self._give_up(now_s)
        if not len(self.waiting):
            self._search = None  # what it was for has been found otherwise

    def count(self, **more: int | np.integer[Any]) -> None:
        """Add to the tally."""
        self.tally += Counts(**{name: int(count) for name, count in more.items()})

    def _find(self, arrived: NDArray[np.uint64]) -> None:
        """Look up new labels among the requests at hand, and older labels among new requests."""
        at = np.searchsorted(self.waiting.serial, self._tried)
        places = np.arange(at, len(self.waiting))
        self._tried = int(self.waiting.serial[-1]) + 1
        if len(arrived) and at:
            older = np.flatnonzero(np.isin(self.waiting.key[:at], arrived))
            places = np.concatenate([older[self.waiting.file[older] == NOWHERE], places])
        if len(places):
            keys = self.answered.keys
            found = keys.find(self.waiting.key[places])
            # What was looked for in all files can have no newer request in one of them.
            looked = self.waiting.looked[places[found.asked]]
            self._decide(places, found.of(looked | (found.time_us >= keys.gap_us)))

    def _look_back(self, now_s: float) -> None:
        """Search older files for what has not been found, as long as there is credit."""
        if self._search is None:
            waits = ~self.waiting.looked & (self.waiting.file == NOWHERE)
            due = waits & (now_s - self.waiting.since_s >= SOON_S)
            if not self.credit.left or not due.any():
                return
            with self.credit.spending():
                self._search = self._begin(self.waiting[due])
        search = self._search
        while self.credit.left:
            with self.credit.spending():
                more = search.step()
                self._learn(search, last=not more)
            if not more:
                self._search = None
                return

    def _begin(self, labels: Waiting) -> Search:
        answered = self.answered
        earliest = answered.begun - EARLIER
        return Search.begin(answered.traffic, answered.model, labels, answered.keys, earliest)

    def _learn(self, search: Search, *, last: bool) -> None:
        """Decide on labels whose request the search has found, or cannot find any more."""
        self.answered.damaged |= search.damaged
        asked = search.settled()
        places = self.waiting.places(search.labels.serial[asked])
        still = places != NOWHERE
        still[still] = self.waiting.file[places[still]] == NOWHERE
        places, asked = places[still], asked[still]
        if len(places):
            self.waiting.looked[places] = last
            lately = self.answered.keys.find(self.waiting.key[places])
            self._decide(places, together([search.found_for(asked), lately]))

    def _give_up(self, now_s: float) -> None:
        """A label whose request came neither soon nor is in an older file is of none.

        Unless clocks differ, and it is for a request that is dated a little later.
        """
        due = np.flatnonzero(self._overdue(now_s))
        if not len(due):
            return
        keys = self.answered.keys
        found = keys.find(self.waiting.key[due])
        # An earlier one may stand in a file that is not at hand: then nobody knows which it is.
        known = self.waiting.told_us[due[found.asked]] >= keys.gap_us
        self._decide(due, found.of(known), APART_US)
        overdue = self._overdue(now_s)
        self.count(unknown=np.count_nonzero(overdue))
        self.waiting = self.waiting[~overdue]

    def _overdue(self, now_s: float) -> NDArray[np.bool_]:
        """Labels that were looked for everywhere, and for long."""
        labels = self.waiting
        long = now_s - labels.since_s >= WAIT_S
        return np.asarray(long & labels.looked & (labels.file == NOWHERE))

    def _decide(self, places: NDArray[np.int64], found: Found, apart_us: int = 0) -> None:
        """Which request is each of these labels for? The newest that was answered before it came.

        ``found.asked`` counts within ``places``. With ``apart_us`` this is the last time: a label
        whose requests were all answered later is for one that was so soon, or is untimely.
        """
        labels, gone = self.waiting, np.zeros(len(self.waiting), np.bool_)
        after_us = found.time_us - labels.told_us[places[found.asked]]
        newest = _newest(found.asked, after_us, apart_us)
        place, file = places[found.asked[newest]], found.file[newest]
        row, time_us = found.row[newest], found.time_us[newest]
        own = (self.answered.keys.version(file) == self.answered.version) & (
            time_us >= self.answered.since_us
        )
        ahead = own & (time_us > self._now_us + APART_US)
        ours = own & ~ahead
        labels.file[place[ours]] = file[ours]
        labels.at[place[ours]] = row[ours]
        gone[place[~ours]] = True
        self.count(other=np.count_nonzero(~own), untimely=np.count_nonzero(ahead))
        if apart_us:
            later = np.setdiff1d(places[found.asked], place)
            gone[later] = True
            self.count(untimely=len(later))
        if gone.any():
            self.waiting = labels[~gone]


def _newest(
    asked: NDArray[np.int64], after_us: NDArray[np.int64], apart_us: int
) -> NDArray[np.int64]:
    """For each label that has any, the place of the newest request that was not after it.

    Where all were, it is the first of those that came at most ``apart_us`` after the label.

    >>> _newest(np.array([0, 0, 0, 1, 1]), np.array([-9, -3, 2, 5, 4]), 7).tolist()
    [1, 4]
    """
    places = np.flatnonzero(after_us <= apart_us)
    distance = np.abs(after_us[places])
    order = places[np.lexsort((distance, after_us[places] > 0, asked[places]))]
    return order[np.append(True, np.diff(asked[order]) != 0)] if len(order) else order
