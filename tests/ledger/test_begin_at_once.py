"""Several want to begin the same pipeline in the same moment."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import SupersededError
from seatrial.ledger import firings, runs
from seatrial.ledger.beginnings import Beginning, begin_for
from seatrial.ledger.firings import Turn
from seatrial.ledger.overlaps import Asked, Held
from seatrial.ledger.runs import State
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.workspace import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Clock

MANY = 6
AT = datetime(2026, 1, 1, 2, tzinfo=UTC)


def at_once(
    place: Path | str, clock: Clock, asked: list[Asked], time: datetime | None = None
) -> list[str]:
    """What each is told: ``begun``, ``resumed``, ``held`` or ``late``, and the run."""
    ready = Barrier(len(asked))

    def one(number: int) -> str:
        mine = asked[number]
        driver = {"engine": mine.engine, "once": mine.once}
        beginning = Beginning(
            identity=new_id(),
            pipeline="p",
            key="k",
            model="m",
            request={"file": "f", "text": "", "changes": [], **driver},
            steps=["check.probe"],
            turn=None if time is None else Turn(time, f"{mine.engine} {mine.once}"),
        )
        with closing(Ledger(place, clock)) as ledger:
            ready.wait()
            try:
                begun = begin_for(ledger, beginning, mine)
            except SupersededError:
                return "late"
        if isinstance(begun, Held):
            return f"held {begun.run}"
        return f"{'resumed' if begun[1] else 'begun'} {begun[0].id}"

    with ThreadPoolExecutor(MANY) as threads:
        return list(threads.map(one, range(len(asked))))


def of_engines(policy: str, *, adopt: bool = False) -> list[Asked]:
    return [
        Asked(policy=policy, engine="airflow", once=str(number), adopt=adopt)
        for number in range(MANY)
    ]


def words(told: list[str]) -> Counter[str]:
    return Counter(each.partition(" ")[0] for each in told)


@pytest.mark.parametrize("policy", ["skip", "queue", "replace"])
def test_for_one_run_of_an_engine_there_is_one_run(
    ledger: Ledger, place: Path | str, clock: Clock, policy: str
) -> None:
    told = at_once(place, clock, [Asked(policy=policy, engine="airflow", once="one")] * MANY, AT)
    assert words(told) == {"begun": 1, "resumed": MANY - 1}
    (run,) = runs.latest(ledger)
    assert {each.partition(" ")[2] for each in told} == {run.id}
    (noted,) = firings.latest(ledger, "p")
    assert (noted.run, noted.by) == (run.id, "airflow one")
    verify(ledger)


@pytest.mark.parametrize("policy", ["skip", "queue"])
def test_of_several_runs_of_an_engine_one_begins(
    ledger: Ledger, place: Path | str, clock: Clock, policy: str
) -> None:
    told = at_once(place, clock, of_engines(policy, adopt=True))
    assert words(told) == {"begun": 1, "held": MANY - 1}
    assert len(runs.latest(ledger)) == 1


def test_of_several_that_replace_each_other_one_is_left(
    ledger: Ledger, place: Path | str, clock: Clock
) -> None:
    told = at_once(place, clock, of_engines("replace"))
    assert words(told) == {"begun": MANY}
    assert len(runs.unfinished(ledger)) == 1
    assert Counter(run.state for run in runs.latest(ledger))[State.SUPERSEDED] == MANY - 1


@pytest.mark.parametrize("policy", ["skip", "queue", "replace"])
def test_of_a_scheduled_time_there_is_one_run_whoever_wants_it(
    ledger: Ledger, place: Path | str, clock: Clock, policy: str
) -> None:
    told = at_once(place, clock, of_engines(policy), AT)
    assert words(told) == {"begun": 1, "late": MANY - 1}
    (run,) = runs.latest(ledger)
    (noted,) = firings.latest(ledger, "p")
    assert noted.run == run.id
