"""The live view of a project, as it is drawn on a terminal: words first, marks and colours beside.

Every text that a person wrote is shown as it is: nothing in it steers the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from seatrial.cli._options import minute
from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from seatrial.gateway.scraped import Which
    from seatrial.report.evidence_now import Seen, Standing
    from seatrial.serve.pulse import Beat
    from seatrial.serve.throughput import Throughput

T = TypeVar("T")

STYLES = {
    "pass": ("✓", "green"),
    "fail": ("✗", "bold red"),
    "inconclusive": ("?", "yellow"),
    "skip": ("-", "cyan"),
    "waiting": ("…", "yellow"),
    "not reached": ("·", "dim"),
}
"""How a word is marked and coloured. Without the mark and the colour it says the same."""
MOST = 6
"""So many runs, tests, notes or questions are shown; of more, the rest is counted."""
_BAR = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is drawn. ``runs`` are documents of runs under way, ``notes`` lines for people.

    ``status`` is the document of ``seatrial status``; ``more`` gateways live that were not asked.
    """

    at: datetime
    folder: str
    status: Mapping[str, Sequence[Mapping[str, Any]]]
    beats: Sequence[Beat]
    more: int
    traffic: Mapping[Which, Throughput]
    evidence: Sequence[Standing]
    runs: Sequence[Mapping[str, Any]]
    notes: Sequence[str]


def drawn(now: Now) -> RenderableType:
    """The whole view, what matters most first: a terminal that is too small shows the beginning."""
    return Group(
        _head(now),
        *_serving(now),
        *_part("runs under way", now.runs, lambda run: _run(run, now.at)),
        *_part("evidence", now.evidence, lambda each: _standing(each, now.at)),
        *_part("waits for a person", now.status["reviews"], lambda item: _review(item, now.at)),
        *_part("notes", now.notes, lambda said: [_text(said)]),
    )


def stopped(at: datetime, folder: str, what: str) -> RenderableType:
    """What is drawn instead while the project cannot be read."""
    head = _text(f"{folder} · {at:%Y-%m-%d %H:%M:%S} UTC · q ends")
    return Group(head, *(_text(line, "bold red") for line in what.splitlines()))


def _head(now: Now) -> RenderableType:
    return _text(f"{now.folder} · {now.at:%Y-%m-%d %H:%M:%S} UTC · q ends", "bold")


def _part(
    title: str, of: Sequence[T], lines: Callable[[T], Iterable[RenderableType]]
) -> Iterator[RenderableType]:
    """A title and what belongs to it; nothing where there is nothing."""
    if not of:
        return
    yield Rule(Text(title), align="left", characters="-", style="dim")
    for each in of[:MOST]:
        yield from lines(each)
    if of[MOST:]:
        yield _text(f"… and {len(of) - MOST} more", "dim")


def _serving(now: Now) -> Iterator[RenderableType]:
    """Who serves, and how much it does."""
    models = now.status["models"]
    if not models:
        yield _text("no model yet; `seatrial run pipeline.yaml` delivers the first")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("model", overflow="fold")
    for name in ("production", "since (UTC)"):
        table.add_column(name, no_wrap=True)
    for name in ("requests/s", "errors", "p50", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why", overflow="ellipsis", no_wrap=True, ratio=1)
    for model in models[:MOST]:
        staged = f" (staged: {model['staging']})" if model["staging"] else ""
        table.add_row(
            _text(model["name"]),
            _text(f"{model['production'] or 'nothing'}{staged}"),
            _text(minute(model["since"]) if model["since"] else "-"),
            *_doing(now, model),
            _text(model["why"] or "-", "dim"),
        )
    yield table
    if models[MOST:]:
        yield _text(f"… and {len(models) - MOST} more", "dim")
    yield from _gateways(now)


def _doing(now: Now, model: Mapping[str, Any]) -> tuple[Text, ...]:
    """Its traffic, of all gateways that answered together."""
    did = now.traffic.get((model["name"], model["production"]))
    if did is None:
        return (_text("-"),) * 4
    return (
        _text(f"{did.per_s:.1f}" if did.per_s < 100 else f"{did.per_s:.0f}"),  # noqa: PLR2004
        _text(f"{did.errors_percent:.2g} %", "bold red" if did.errors_percent else ""),
        *(_text("-" if ms is None else f"{ms:.3g} ms") for ms in (did.p50_ms, did.p99_ms)),
    )


def _gateways(now: Now) -> Iterator[RenderableType]:
    """Whom the numbers come from; who is away is said."""
    if not now.beats:
        yield _text("no gateway is running: `seatrial serve` starts one", "yellow")
    for beat in now.beats:
        if beat.trouble:
            said = f"gateway {beat.gateway.address} is away: {beat.trouble}"
            yield _text(said, "bold red")
        elif beat.looks is None or beat.looks[0] == beat.looks[1]:
            yield _text(f"gateway {beat.gateway.address}: counting", "dim")
    if now.more:
        yield _text(f"{now.more} more gateways are not in these numbers", "dim")


def _run(run: Mapping[str, Any], at: datetime) -> Iterator[RenderableType]:
    """One run: its stages in a line, and where it stands."""
    yield _text(f"{run['run']} · {run['pipeline']}", "bold")
    line = Text("  ")
    for place, stage in enumerate(run["stages"]):
        line.append(" > " if place else "")
        word = _word(stage)
        mark, style = STYLES.get(word, ("", ""))
        shown = printable(f"{stage['name']} {word}")
        line.append(f"{mark} {shown}".strip(), style)
    yield line
    for stage in run["stages"]:
        for task in stage["tasks"]:
            if task["state"] == "waiting":
                until = f", {_left(task['waiting_until'], at)}" if task["waiting_until"] else ""
                reason = f": {task['reason']}" if task["reason"] else ""
                yield _text(f"  {stage['name']}.{task['task']} waits{reason}{until}", "yellow")
    for error in run["errors"][:1]:
        yield _text(f"  {error}", "bold red")


def _word(stage: Mapping[str, Any]) -> str:
    if stage["verdict"]:
        return str(stage["verdict"])
    reached = any(task["state"] != "not_reached" for task in stage["tasks"])
    return "waiting" if reached else "not reached"


def _standing(each: Standing, at: datetime) -> Iterator[RenderableType]:
    yield _text(
        f"{each.model} version {each.version} beside {each.against} · {each.kind}"
        f" {_left(each.until, at)} · {each.said}",
        "bold",
    )
    for seen in each.seen:
        yield _bar(seen)


def _bar(seen: Seen) -> RenderableType:
    """A number with its bounds and limit; and how near it is to what would end it."""
    measure = seen.measure
    share, what = seen.towards, "of what a rollback needs"
    if share is None and measure.value is not None and measure.limit:
        share, what = min(1.0, max(0.0, measure.value / measure.limit)), "of what is allowed"
    line = _text(f"  {measure.name} {_number(measure.value)}")
    if measure.low is not None and measure.high is not None:
        line.append(f" ({_number(measure.low)} … {_number(measure.high)})")
    line.append(f", limit {_number(measure.limit)}, {measure.verdict}  ")
    if share is not None:
        full = round(share * _BAR)
        style = "red" if share >= 1 else "yellow" if share >= 0.5 else "green"  # noqa: PLR2004
        line.append("█" * full, style)
        line.append("░" * (_BAR - full), "dim")
        line.append(f" {100 * share:.0f} % {what}")
    return line


def _review(item: Mapping[str, Any], at: datetime) -> Iterator[RenderableType]:
    yield _text(f"{item['id']} · {_left(item['due'], at)}, else: {item['on_timeout']}", "yellow")
    yield _text(f"  {item['question']}")


def _left(until: str, at: datetime) -> str:
    """How long something lasts.

    >>> _left("2026-11-26T14:05:00+00:00", datetime.fromisoformat("2026-11-26T12:00:00+00:00"))
    'until 2026-11-26 14:05 UTC (in 2 h 05 min)'
    """
    minutes = int((datetime.fromisoformat(until) - at).total_seconds() / 60)
    left = f"in {minutes // 60} h {minutes % 60:02d} min" if minutes > 0 else "now"
    return f"until {minute(until)} UTC ({left})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _text(said: str, style: str = "") -> Text:
    return Text(printable(said), style=style, overflow="fold")
