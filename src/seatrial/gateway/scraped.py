"""What does a gateway count, asked over HTTP? The other end of ``telemetry.py``."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError
from seatrial.gateway.counts import BOUNDS_US, Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT_S = 0.3
"""For the connection, and for each part of the answer."""

LONGEST = 4 << 20
"""Bytes of an answer: some hundred versions that were ever asked."""

_LINE = re.compile(r"(\w+)\{(.*)\} ([0-9.e+]+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_COUNTERS = {
    "seatrial_requests_total": "requests",
    "seatrial_rows_total": "rows",
    "seatrial_errors_total": "errors",
    "seatrial_faults_total": "faults",
}
_BUCKET = "seatrial_request_seconds_bucket"

Which = tuple[str, int]
"""A model and the number of a version; 0 are earlier ones, of which there are too many."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """What a gateway had counted of each version since it started, at ``at_s`` of a clock."""

    at_s: float
    counts: Mapping[Which, Counts]


def scrape(host: str, port: int, timeout_s: float = TIMEOUT_S) -> Scraped:
    """Ask a gateway; :class:`PassingError` when it gives no answer that can be read."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/metrics", headers={"Connection": "close"})
        response = connection.getresponse()
        if response.status != 200:  # noqa: PLR2004 - OK
            raise _silent(host, port, f"it answers with status {response.status}")
        body = response.read(LONGEST + 1)
        if len(body) > LONGEST:
            raise _silent(host, port, f"it answers with more than {LONGEST >> 20} MB")
        return Scraped(time.monotonic(), counts_of(body.decode()))
    except TimeoutError as error:
        raise _silent(host, port, f"no answer within {timeout_s:g} s") from error
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        raise _silent(host, port, str(error) or type(error).__name__) from error
    finally:
        connection.close()


def counts_of(text: str) -> dict[Which, Counts]:
    """The counts of each version in what ``telemetry.text`` writes; ValueError if it is not that.

    >>> text = '''seatrial_requests_total{model="a",version="2"} 12
    ... seatrial_request_seconds_bucket{model="a",version="2",le="0.0001"} 3
    ... seatrial_request_seconds_bucket{model="a",version="2",le="+Inf"} 12'''
    >>> counted = counts_of(text)["a", 2]
    >>> counted.requests, counted.buckets[0], sum(counted.buckets)
    (12, 3, 12)
    """
    found: dict[Which, Counts] = {}
    below: dict[Which, int] = {}
    for name, labels, value in _series(text):
        which = (labels["model"], int(labels["version"].replace("earlier", "0")))
        counts = found.setdefault(which, Counts())
        if name == _BUCKET:
            counts.buckets[_place(labels["le"])] = value - below.get(which, 0)
            below[which] = value
        else:
            setattr(counts, _COUNTERS[name], value)
    return found


def _series(text: str) -> Iterator[tuple[str, dict[str, str], int]]:
    """Every number that is wanted."""
    for line in text.splitlines():
        if line.startswith((*_COUNTERS, _BUCKET)) and (found := _LINE.fullmatch(line)):
            name, labels, value = found.groups()
            quoted = {key: _unquoted(text) for key, text in _LABEL.findall(labels)}
            yield name, quoted, int(float(value))


def _place(end: str) -> int:
    """The bin of which this is the upper end, in seconds."""
    return len(BOUNDS_US) if end == "+Inf" else BOUNDS_US.index(round(float(end) * 1e6))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


def _silent(host: str, port: int, why: str) -> PassingError:
    return PassingError(Mistake(why, where=f"gateway {host}:{port}", fix="look again in a moment"))
