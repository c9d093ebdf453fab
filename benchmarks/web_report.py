"""A page of fifty columns, from the files to the HTML: fresh processes in turn, imports included.

`seatrial validate DATA --against BASELINE -o page.html` beside a page of drift by Evidently on the
same rows, and a page of one dataset by ydata-profiling, each with its defaults. Every column moved,
so that every one is drawn by all. whylogs is not measured: one peer that compares and one that
describes are enough to see the scale.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from data_peers import PEERS
from measuring import ROOT, SEATRIAL, Figure, cost, environment
from web import wide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS = {1_000: 3, 10_000: 3, 100_000: 1}
"""By rows; a round of the largest takes half a minute."""

DRAWN_FROM = 10_000
LIMIT_S = 1.0
LIMIT_BYTES = 300_000
MOVED = 1
"""The exit code of a check that fails, as it must here."""

_PEERS = Path(__file__).parent / "web" / "peers"


@dataclass(slots=True)
class Page:
    """What a page took, each time, and its bytes; ``stages`` are what its program told."""

    took_s: list[float] = field(default_factory=list)
    stages: list[Mapping[str, float]] = field(default_factory=list)
    size: int = 0

    @property
    def wall_s(self) -> float:
        """The median."""
        return statistics.median(self.took_s)


def figures() -> list[Figure]:
    """By rows; then drawing alone, and the other page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {rows: _rows(folder, rows) for rows in ROUNDS}
        drawn = _drawn(folder)
        ydata = _ydata(folder)
    return [
        *(_beside(rows, *pages) for rows, pages in found.items()),
        _sizes(found),
        _alone(drawn),
        _profile(ydata, found[DRAWN_FROM][0]),
    ]


def _rows(folder: Path, rows: int) -> tuple[Page, Page, float]:
    """Ours, Evidently's, and the seconds of the profile that ours is held against."""
    reference = wide.write(folder / f"reference_{rows}.parquet", rows, 1, moved=False)
    now = wide.write(_now(folder, rows), rows, 2, moved=True)
    baseline = folder / f"baseline_{rows}.json"
    profiled = cost([*SEATRIAL, "profile", str(reference), "-o", str(baseline)]).wall_s
    output = folder / "page.html"
    ours = [*SEATRIAL, "validate", str(now), "--against", str(baseline), "-o", str(output)]
    python = environment("evidently", PEERS["evidently"])
    theirs = [str(python), str(_PEERS / "evidently_report.py"), str(reference), str(now)]
    pages = Page(), Page()
    _once(ours, output, Page(), ends=MOVED)
    for _ in range(ROUNDS[rows]):
        _once(ours, output, pages[0], ends=MOVED)
        stages = _once([*theirs, str(output)], output, pages[1])
        pages[1].stages.append(json.loads(stages))
    return *pages, profiled


def _once(command: Sequence[str], output: Path, page: Page, ends: int = 0) -> str:
    """Its last line."""
    output.unlink(missing_ok=True)
    began = time.perf_counter()
    ended = subprocess.run(command, cwd=output.parent, capture_output=True, text=True, check=False)
    page.took_s.append(time.perf_counter() - began)
    if ended.returncode != ends:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()[-800:]}")
    page.size = output.stat().st_size
    return ended.stdout.strip().splitlines()[-1]


def _drawn(folder: Path) -> Mapping[str, float]:
    """What drawing alone took in a process that had done nothing before."""
    baseline, document = folder / f"baseline_{DRAWN_FROM}.json", folder / "document.json"
    words = ["validate", str(_now(folder, DRAWN_FROM)), "--against", str(baseline), "--json"]
    with document.open("w", encoding="utf-8") as said:
        subprocess.run([*SEATRIAL, *words], stdout=said, check=False)
    draw = [sys.executable, "-m", "web.drawn", str(document)]
    here = ROOT / "benchmarks"
    ended = subprocess.run(draw, cwd=here, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(ended.stdout)
    return told


def _ydata(folder: Path) -> Page:
    python, output = environment("ydata", PEERS["ydata"]), folder / "page.html"
    words = [str(python), str(_PEERS / "ydata_report.py"), str(_now(folder, DRAWN_FROM))]
    page = Page()
    page.stages.append(json.loads(_once([*words, str(output)], output, page)))
    return page


def _now(folder: Path, rows: int) -> Path:
    return folder / f"now_{rows}.parquet"


def _beside(rows: int, ours: Page, theirs: Page, profiled_s: float) -> Figure:
    return Figure(
        name=f"a page of {wide.COLUMNS} columns, {rows} rows",
        value=ours.wall_s,
        unit="s",
        goal=f"under {LIMIT_S:g} s",
        met=ours.wall_s < LIMIT_S,
        detail=(
            f"all of the process, checks included; Evidently {theirs.wall_s:.1f} s"
            f" ({_stages(theirs)}), {theirs.wall_s / ours.wall_s:.0f} x;"
            f" the baseline before took {profiled_s:.2f} s, once; {_times(ours)}"
        ),
    )


def _sizes(found: Mapping[int, tuple[Page, Page, float]]) -> Figure:
    ours = max(page.size for page, _, _ in found.values())
    theirs = max(page.size for _, page, _ in found.values())
    return Figure(
        name=f"bytes of a page of {wide.COLUMNS} columns, each of them drawn",
        value=ours / 1000,
        unit="kB",
        goal=f"under {LIMIT_BYTES / 1000:g} kB",
        met=ours < LIMIT_BYTES,
        detail=f"the most of {len(found)} sizes; Evidently {theirs / 1e6:.2f} MB,"
        f" {theirs / ours:.0f} x ({PEERS['evidently'][0]})",
    )


def _alone(drawn: Mapping[str, float]) -> Figure:
    return Figure(
        name=f"drawing a page of {wide.COLUMNS} columns alone",
        value=1000 * drawn["first_s"],
        unit="ms",
        detail=f"the first of a process; {1000 * drawn['again_s']:.0f} ms once it has drawn one",
    )


def _profile(ydata: Page, ours: Page) -> Figure:
    return Figure(
        name=f"a page of {wide.COLUMNS} columns by ydata-profiling, minimal, {DRAWN_FROM} rows",
        value=ydata.wall_s,
        unit="s",
        detail=(
            f"{_stages(ydata)}; {ydata.size / 1e6:.2f} MB beside {ours.size / 1000:.0f} kB;"
            f" of one dataset, nothing is compared; {_times(ydata)} ({PEERS['ydata'][0]})"
        ),
    )


def _stages(page: Page) -> str:
    names = page.stages[0]
    middles = {each: statistics.median(told[each] for told in page.stages) for each in names}
    return ", ".join(f"{each.removesuffix('_s')} {s:.1f} s" for each, s in middles.items())


def _times(page: Page) -> str:
    count = len(page.took_s)
    return "measured once" if count == 1 else f"median of {count}"
