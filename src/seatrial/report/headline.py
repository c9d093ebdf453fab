"""A run in one sentence: how it stands, why, and what that means for production."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.ledger.runs import State
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.report.account import Account

_SHORT = timedelta(minutes=10)

_WORDS = {"pass": "passed", "skip": "did not apply", None: "not reached"}


@dataclass(frozen=True, slots=True)
class Headline:
    """Plain texts. ``state`` is one or two words, ``meaning`` what they mean, ``why`` the reason.

    ``about`` is the task that they are about, where there is one.
    """

    state: str
    meaning: str
    why: str
    about: str | None = None


def headline(account: Account) -> Headline:
    """How a run stands."""
    run = account.run
    errors = "; ".join(error.partition("\n")[0] for error in run.errors)
    match run.state:
        case State.RUNNING:
            return Headline("under way", "no verdict yet", _counted(account))
        case State.WAITING:
            address, task = _first(account, "state", "waiting")
            due = minute(task["waiting_until"])
            meaning = f"it goes on after {due} UTC" if due else "it goes on later"
            return Headline("waiting", meaning, task["reason"] or "", address)
        case State.STOPPED:
            return Headline("stopped", "something is in the way, which is no verdict", errors)
        case State.CANCELLED | State.SUPERSEDED:
            return Headline(run.state.value, "it ended without a verdict", errors)
        case State.FINISHED | State.REVIEW:
            return _judged(account, errors)


def _judged(account: Account, errors: str) -> Headline:
    """All its steps have spoken, or what it reads could not be used."""
    run = account.run
    if run.verdict is None:
        return Headline("no verdict", "what it reads cannot be used", errors)
    if run.verdict is Verdict.PASS:
        return Headline("passed", "no evidence of harm", _counted(account))
    address, task = _first(account, "verdict", run.verdict)
    if run.verdict is Verdict.FAIL:
        return Headline("failed", "evidence of harm", task["reason"] or "", address)
    state = "inconclusive, in review" if run.state is State.REVIEW else "inconclusive"
    return Headline(state, "the data cannot say", task["reason"] or "", address)


def production(account: Account) -> str:
    """What served when the run ended, or serves so far, in a sentence that stays true."""
    before, after = (account.document["production"][key] for key in ("before", "after"))
    was = "nothing" if before is None else f"version {before}"
    if after is None and account.run.state in {State.CANCELLED, State.SUPERSEDED}:
        return f"When it began, {was} was in production."
    ended, model = bool(account.run.ended), account.document["model"]
    stood = "was in production when it ended" if ended else "is in production so far"
    if after is None:
        return f"Nothing {stood}."
    if before == after:
        return f"Production {'stayed' if ended else 'stays so far'} at version {after}."
    if model is not None and model["version"] == after:
        return f"Version {after} was put into production (before: {was})."
    return f"Version {after} {stood}, which this run did not move (it began with: {was})."


def minute(at: str | None) -> str:
    """An ISO time, to the minute; of none, an empty text."""
    return at[:16].replace("T", " ") if at else ""


def ends(since: str, until: str) -> tuple[str, str]:
    """Two ISO times, to the minute; to the second where less than ten minutes lie between them.

    >>> ends("2026-11-26T17:01:11+00:00", "2026-11-26T17:01:26+00:00")
    ('2026-11-26 17:01:11', '2026-11-26 17:01:26')
    """
    took = datetime.fromisoformat(until) - datetime.fromisoformat(since)
    if took >= _SHORT:
        return minute(since), minute(until)
    return since[:19].replace("T", " "), until[:19].replace("T", " ")


def _first(account: Account, key: str, value: str) -> tuple[str, Mapping[str, Any]]:
    """The first task of which that is so; the last of all where it is so of none."""
    tasks = list(account.tasks)
    return next((each for each in tasks if each[1][key] == value), tasks[-1])


def _counted(account: Account) -> str:
    """``9 tasks: 7 passed, 2 did not apply``."""
    counts = Counter(task["verdict"] for _, task in account.tasks)
    every = sum(counts.values())
    parts = [f"{counts[verdict]} {word}" for verdict, word in _WORDS.items() if counts[verdict]]
    return f"{every} task{'s' * (every != 1)}: {', '.join(parts)}"
