"""When has traffic moved, what is asked then, and how often? Values only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.data.drift.limits import Limits
from seatrial.data.profiles.profile import Profile
from seatrial.data.shape import ColumnProfile
from seatrial.outcome import Verdict
from seatrial.watch.moved import Episode, episode_of, follow, judged, of_day

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = datetime(2026, 11, 24, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVEN = (0.25, 0.25, 0.25, 0.25)
TILTED = (0.85, 0.05, 0.05, 0.05)


def number(name: str, counts: Sequence[float]) -> ColumnProfile:
    whole = tuple(round(count) for count in counts)
    return ColumnProfile(
        name=name, kind="number", type="FLOAT", edges=(1.0, 2.0, 3.0), counts=whole, deviation=1.0
    )


def reference(*names: str, rows: int = 40_000) -> Profile:
    columns = tuple(number(name, [rows / 4] * 4) for name in names)
    return Profile(dataset="training_data", fingerprint="f", rows=rows, columns=columns)


def hour(rows: int, *shares: tuple[float, ...]) -> list[ColumnProfile]:
    return [number(name, [rows * p for p in each]) for name, each in zip("ab", shares, strict=True)]


def test_traffic_like_training_passes_and_tilted_traffic_fails() -> None:
    found = judged(reference("a", "b"), hour(2000, EVEN, TILTED), Limits())
    assert (found.verdict, found.moved) == (Verdict.FAIL, ("b",))
    assert found.columns[0].measure.low > 0.1  # type: ignore[operator]
    assert judged(reference("a", "b"), hour(2000, EVEN, EVEN), Limits()).verdict is Verdict.PASS


def test_few_rows_cannot_say() -> None:
    found = judged(reference("a", "b"), hour(40, EVEN, (0.45, 0.25, 0.15, 0.15)), Limits())
    assert (found.verdict, found.moved) == (Verdict.INCONCLUSIVE, ())
    assert judged(reference("a"), [], Limits()).verdict is Verdict.SKIP


def test_columns_are_those_of_the_check() -> None:
    both = hour(2000, TILTED, TILTED)
    assert judged(reference("a", "b"), both, Limits(exclude=("a",))).moved == ("b",)
    assert judged(reference("a", "b"), both, Limits(columns=("a", "month"))).moved == ("a",)
    lax = Limits(thresholds={"a": 5.0})
    assert judged(reference("a", "b"), both, lax).moved == ("b",)


def test_one_busy_hour_is_no_move() -> None:
    burst = hour(50_000, TILTED, EVEN)
    quiet = [hour(500, EVEN, EVEN) for _ in range(23)]
    found = of_day(reference("a", "b"), [burst, *quiet], Limits())
    assert (found.verdict, found.moved, {*found.alone}) == (Verdict.INCONCLUSIVE, (), {"a"})
    found = of_day(reference("a", "b"), [burst, hour(20_000, TILTED, EVEN), *quiet], Limits())
    assert (found.verdict, found.moved, len(found.alone)) == (Verdict.FAIL, ("a",), 0)
    assert of_day(reference("a", "b"), [burst], Limits()).verdict is Verdict.INCONCLUSIVE


def at(hours: int) -> datetime:
    return BEGIN + hours * HOUR


def test_an_episode_is_asked_about_once_and_ends_after_a_whole_calm_day() -> None:
    first = follow(None, at(0), Verdict.FAIL, ["b"])
    assert first.ask
    assert first.episode == Episode(
        since=at(0).isoformat(), last=at(0).isoformat(), asked=("b",), asked_at=at(0).isoformat()
    )
    episode: Episode | None = first.episode
    for n in range(1, 40):  # it goes on, with fewer columns and the same ones
        step = follow(episode, at(n), Verdict.FAIL, ["b"])
        assert (step.ask, step.over) == (False, False)
        episode = step.episode
    calm = [follow(episode, at(39 + n), Verdict.PASS, []) for n in range(1, 26)]
    assert [step.over for step in calm] == [False] * 23 + [True, True]
    assert calm[-1].episode is None


def test_a_day_that_cannot_say_ends_nothing() -> None:
    episode = follow(None, at(0), Verdict.FAIL, ["b"]).episode
    assert follow(episode, at(48), Verdict.INCONCLUSIVE, []).episode == episode
    assert follow(None, at(48), Verdict.INCONCLUSIVE, []).episode is None


def test_other_columns_are_asked_about_at_most_once_a_day() -> None:
    episode = follow(None, at(0), Verdict.FAIL, ["b"]).episode
    asked = []
    for n in range(1, 60):
        moved = ["b", *"cdefgh"[: n // 4]]
        step = follow(episode, at(n), Verdict.FAIL, moved)
        asked += [n] if step.ask else []
        episode = step.episode
    assert asked == [24]
    assert episode is not None
    assert episode.asked == tuple("bcdefgh")
    assert episode.since == at(0).isoformat()


def test_nobody_is_asked_about_a_version_that_serves_no_more_until_it_does() -> None:
    gone = follow(None, at(0), Verdict.FAIL, ["b"], serves=False)
    assert (gone.ask, gone.episode and gone.episode.asked) == (False, ())
    back = follow(gone.episode, at(1), Verdict.FAIL, ["b"])
    assert back.ask
    assert back.episode is not None
    assert (back.episode.since, back.episode.asked) == (at(0).isoformat(), ("b",))


def test_an_episode_is_read_back() -> None:
    episode = follow(None, at(0), Verdict.FAIL, ["b", "a"]).episode
    assert episode is not None
    document = {key: getattr(episode, key) for key in ("since", "last", "asked", "asked_at")}
    assert episode_of({**document, "asked": ["a", "b"]}) == episode
    assert episode_of(None) is None


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 500, 20_000])
def test_traffic_that_has_not_moved_is_never_asked_about(rows: int) -> None:
    """Looked at every hour: about a month of hours in which nothing moves."""
    random = np.random.default_rng(3)
    profile = reference("a", "b", rows=10_000)
    hours = [
        [
            replace(c, counts=tuple(random.multinomial(rows // 24 + 1, EVEN)))
            for c in profile.columns
        ]
        for _ in range(200)
    ]
    days = [of_day(profile, hours[n : n + 24], Limits()) for n in range(len(hours) - 24)]
    assert [day.moved for day in days if day.moved] == []
