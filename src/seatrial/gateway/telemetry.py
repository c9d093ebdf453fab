"""The gateway's metrics in Prometheus' text format, from what its processes wrote on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.gateway.cells import Cells
from seatrial.gateway.counts import BOUNDS_US, Book, Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.gateway.board import Board

KIND = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, object], ...]
Values = list[tuple[Labels, float]]
Series = tuple[str, str, str, Values]


def text(board: Board, workers: int) -> str:
    """All metrics; those of several workers are added up."""
    cells = Cells(workers)
    told = [board.read(cell) or {} for cell in cells.of_workers]
    books = [Book.from_json(each["counts"]) for each in told if "counts" in each]
    _, wanted = board.wanted()
    shadows = [each for cell in cells.shadows if (each := board.read(cell))]
    lines: list[str] = []
    for name, kind, about, values in (
        *_requests(books),
        *_serving(wanted, board),
        *_workers(told),
        *_log(board.read(cells.writer) or {}),
        *_shadows(shadows),
        *_watches(board.read(cells.watcher) or {}),
    ):
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{_labels(labels)} {value:.17g}" for labels, value in values]
    lines += _latency(_together(books))
    return "\n".join(lines) + "\n"


def _requests(books: list[Book]) -> Iterator[Series]:
    versions = _together(books)
    for name, about, key in (
        ("seatrial_requests_total", "Inference requests that were answered.", "requests"),
        ("seatrial_rows_total", "Rows that were predicted.", "rows"),
        ("seatrial_errors_total", "Inference requests that got an error.", "errors"),
        ("seatrial_faults_total", "Errors that were the version's own.", "faults"),
    ):
        values = [(_of(*which), float(getattr(c, key))) for which, c in versions.items()]
        yield name, "counter", about, values
    refused: dict[str, int] = {}
    for book in books:
        for model, count in book.refused.items():
            refused[model] = refused.get(model, 0) + count
    counted: Values = [((("model", model),), float(count)) for model, count in refused.items()]
    about = "Requests that were refused before a version saw them."
    yield "seatrial_refused_total", "counter", about, counted


def _together(books: list[Book]) -> dict[tuple[str, int], Counts]:
    """The workers' counts of each version, added up."""
    versions: dict[tuple[str, int], Counts] = {}
    for book in books:
        for which, counts in book.versions.items():
            versions.setdefault(which, Counts()).add(counts)
    return versions


def _latency(versions: Mapping[tuple[str, int], Counts]) -> list[str]:
    name = "seatrial_request_seconds"
    about = "Time from the request's headers to its answer, in the worker."
    lines = [f"# HELP {name} {about}", f"# TYPE {name} histogram"]
    for which, counts in versions.items():
        labels, below = _of(*which), 0
        for bound, count in zip((*BOUNDS_US, None), counts.buckets, strict=True):
            below += count
            end = "+Inf" if bound is None else f"{bound / 1e6:g}"
            lines.append(f"{name}_bucket{_labels((*labels, ('le', end)))} {below}")
        lines.append(f"{name}_sum{_labels(labels)} {counts.sum_us / 1e6:.17g}")
        lines.append(f"{name}_count{_labels(labels)} {counts.requests}")
    return lines


def _serving(wanted: Mapping[str, Any], board: Board) -> Iterator[Series]:
    models = wanted.get("models", [])
    values: Values = [((("model", m["name"]),), float(board.active[m["index"]])) for m in models]
    yield "seatrial_production_version", "gauge", "The version that answers; 0 is none.", values


def _workers(told: list[dict[str, Any]]) -> Iterator[Series]:
    up: Values = [
        ((("worker", n),), float(bool(each.get("ready")))) for n, each in enumerate(told, 1)
    ]
    yield "seatrial_worker_ready", "gauge", "Whether a worker answers requests.", up
    records = sum(each.get("records", 0) for each in told)
    too_big = sum(each.get("too_big", 0) for each in told)
    yield "seatrial_records_total", "counter", "Records for log and shadow.", [((), records)]
    about = "Records that were too big for log and shadow."
    yield "seatrial_records_too_big_total", "counter", about, [((), too_big)]


_LOG = (
    ("written", "counter", "seatrial_log_written_total", "Records in the traffic log."),
    ("unwritten", "counter", "seatrial_log_unwritten_total", "Records the disk did not take."),
    ("lost", "counter", "seatrial_log_lost_total", "Records overwritten before they were read."),
    ("labels", "counter", "seatrial_labels_total", "Labels that came back."),
    ("lag", "gauge", "seatrial_log_lag_records", "Records that are not yet in the log."),
)


def _log(writer: Mapping[str, Any]) -> Iterator[Series]:
    for key, kind, name, about in _LOG:
        if key in writer:
            yield name, kind, about, [((), float(writer[key]))]
    about = "Share of the last day's logged predictions that have a label."
    values: Values = []
    for model, coverage in writer.get("coverage", {}).items():
        if coverage.get("predictions"):
            share = coverage["labelled"] / coverage["predictions"]
            values.append(((("model", model),), share))
    yield "seatrial_label_coverage", "gauge", about, values


_SHADOW = (
    ("requests", "counter", "Requests of production while the shadow test lasts."),
    ("sampled", "counter", "Requests that were drawn for the candidate."),
    ("reached", "counter", "Requests that the candidate answered or failed."),
    ("errors", "counter", "Requests that the candidate failed."),
    ("lost", "counter", "Requests overwritten before the shadow read them."),
    ("late", "counter", "Requests that the candidate reached late."),
)


def _shadows(shadows: list[dict[str, Any]]) -> Iterator[Series]:
    for key, kind, about in _SHADOW:
        values = [(_test(each), float(each["tally"].get(key, 0))) for each in shadows]
        yield f"seatrial_shadow_{key}_total", kind, about, values
    about = "Share of production's requests that the candidate reached."
    shares = [
        (_test(each), each["tally"]["reached"] / each["tally"]["requests"])
        for each in shadows
        if each["tally"].get("requests")
    ]
    yield "seatrial_shadow_share", "gauge", about, shares
    lags = [(_test(each), float(each.get("lag", 0))) for each in shadows]
    yield "seatrial_shadow_lag_records", "gauge", "Records the shadow has not seen yet.", lags


def _watches(watcher: Mapping[str, Any]) -> Iterator[Series]:
    watches = watcher.get("watches", [])
    labels: Values = [(_of(w["model"], w["version"]), float(w["labels"])) for w in watches]
    yield "seatrial_watch_labels", "gauge", "Labelled rows that the watch has counted.", labels
    shares: Values = [(_of(w["model"], w["version"]), w["coverage_percent"] / 100) for w in watches]
    about = "Share of the watched version's answers that have a label."
    yield "seatrial_watch_coverage", "gauge", about, shares
    about = "Whether something keeps the watch from its work: 1, see the log."
    yield "seatrial_watch_trouble", "gauge", about, [((), float(bool(watcher.get("trouble"))))]


def _test(shadow: Mapping[str, Any]) -> Labels:
    return (("shadow", shadow["shadow"]),)


def _of(model: str, version: int) -> Labels:
    return (("model", model), ("version", version or "earlier"))


def _labels(labels: Labels) -> str:
    quoted = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels)
    return f"{{{quoted}}}" if quoted else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
