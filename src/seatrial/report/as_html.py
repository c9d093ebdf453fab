"""A run as one page of HTML: a file that loads nothing, at most 300 KB whatever the run holds."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from seatrial.ledger.runs import State
from seatrial.report.headline import headline, minute, production
from seatrial.report.section import Badge, Note
from seatrial.report.sections import sections
from seatrial.report.sized import sized
from seatrial.report.stages import stages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.report.account import Account
    from seatrial.report.section import Part
    from seatrial.report.sections import Sources


def as_html(sources: Sources) -> str:
    """The report."""
    account = sources.account
    return sized(
        title=f"{account.run.pipeline}: run {account.run.id}",
        badge=Badge(headline(account).state),
        lead=lead(account),
        parts=(*_errors(account), stages(account)),
        sections=sections(sources),
        foot=_foot(sources),
    )


def lead(account: Account) -> tuple[str, str]:
    """How a run stands and why, and what serves, a sentence each."""
    told = headline(account)
    about = f" {told.about}" if told.about else ""
    why = f"{':' * bool(about)} {told.why}." if told.why else ""
    return f"{told.state.capitalize()}: {told.meaning}.{about}{why}", production(account)


def _errors(account: Account) -> Iterator[Part]:
    """What stopped it; of a run that somebody ended, the first sentence has said it."""
    if account.run.state not in {State.CANCELLED, State.SUPERSEDED}:
        yield from (Note(each) for each in account.document["errors"])


def _foot(sources: Sources) -> str:
    """What made the page, and from what: enough to see whether two pages tell of one ledger."""
    run, ledger = sources.account.run, sources.project.ledger
    now = minute(sources.project.workspace.clock().isoformat())
    made = f"seatrial {version('seatrial')} · run {run.id} · drawn {now} UTC"
    return f"{made} · ledger head {ledger.head()}"
