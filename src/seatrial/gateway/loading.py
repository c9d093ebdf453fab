"""What a worker has loaded: the versions that the supervisor wants, opened and proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.errors import FormError, SeatrialError
from seatrial.gateway.apart import Apart
from seatrial.inference.pickled import Pickled
from seatrial.inference.served import Served
from seatrial.traffic import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.gateway.counts import Book, Counts
    from seatrial.ledger.blobs import Blobs


@dataclass(frozen=True, slots=True)
class Ready:
    """A version that can answer, the head of its records, and its counts.

    ``apart`` is where it is asked when it may take long, as a pickled one may.
    """

    served: Served
    head: bytes
    counts: Counts
    apart: Apart | None


@dataclass(frozen=True, slots=True)
class Offered:
    """A model as this worker can serve it. ``index`` is its place on the switch."""

    name: str
    index: int
    most_bytes: int
    versions: Mapping[int, Ready]


@dataclass(frozen=True, slots=True)
class Refused:
    """A version that cannot be served here.

    ``refused`` when it does not answer as it was registered, ``failed`` when something was in
    the way of finding out.
    """

    model: str
    version: int
    kind: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """For the worker's cell."""
        return {
            "model": self.model,
            "version": self.version,
            "kind": self.kind,
            "reason": self.reason,
        }


def load(
    wanted: Mapping[str, Any], had: Mapping[str, Offered], blobs: Blobs, book: Book
) -> tuple[dict[str, Offered], list[Refused]]:
    """Every wanted version, opened; those that stand already stay the same objects."""
    offered: dict[str, Offered] = {}
    refused: list[Refused] = []
    for model in wanted["models"]:
        name = model["name"]
        before = had[name].versions if name in had else {}
        versions: dict[int, Ready] = {}
        for each in model["versions"]:
            standing = before.get(each["version"])
            if standing is not None and standing.served.digest == each["digest"]:
                versions[each["version"]] = standing
                continue
            found = opened(name, each["version"], each["digest"], blobs, book)
            if isinstance(found, Refused):
                refused.append(found)
            else:
                versions[each["version"]] = found
        most = int(model["settings"]["max_body_mb"] * (1 << 20))
        offered[name] = Offered(name, model["index"], most, versions)
    return offered, refused


def opened(model: str, version: int, digest: str, blobs: Blobs, book: Book) -> Ready | Refused:
    """Verify, open, warm up, prove by the golden rows."""
    try:
        served = Served.open(model, version, digest, blobs.get)
        served.prove()
    except FormError as error:
        return Refused(model, version, "refused", sentence(error.mistakes))
    except SeatrialError as error:
        return Refused(model, version, "failed", sentence(error.mistakes))
    except Exception as error:  # noqa: BLE001 - whatever a model does, the others are served
        return Refused(model, version, "failed", f"{type(error).__name__}: {error}"[:500])
    apart = Apart() if isinstance(served.columns, Pickled) else None
    return Ready(served, record.head(model, version, digest), book.of(model, version), apart)


def sentence(mistakes: Iterable[object]) -> str:
    """Mistakes on one line."""
    return "; ".join(" ".join(str(mistake).split()) for mistake in mistakes)[:500]
