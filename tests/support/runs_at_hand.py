"""Runs that somebody began, without anything that would perform them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.ledger import beginnings, claims
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.claims import Claim
from seatrial.review import items
from seatrial.review.items import Question

if TYPE_CHECKING:
    from seatrial.outcome import Outcome, Wait
    from seatrial.registry.project import Project
    from seatrial.review.items import Item

HOSTILE = '<b>"it\'s" \u202eevil</b>&'
"""What somebody may call anything: quotes, markup, and a mark that turns the text around."""

TEXT = "name: p\nstages:\n  - name: a\n    tasks: [promote]\n"


def begin(project: Project, identity: str, pipeline: str = "p", model: str = "m") -> None:
    """A run that is under way."""
    beginning = Beginning(
        identity=identity,
        pipeline=pipeline,
        key=identity,
        model=model,
        request={"file": "p.yaml", "text": TEXT, "changes": [], "by": "ada"},
        steps=("a.one", "a.two"),
    )
    beginnings.begin(project.ledger, beginning)


def say(project: Project, identity: str, outcome: Outcome | Wait) -> None:
    """Its first step says something."""
    claimed = claims.claim(project.ledger, identity, "a.one", owner="o", host="h")
    assert isinstance(claimed, Claim)
    claims.finish(project.ledger, claimed, outcome, 0.1)


def ask(project: Project, run: str, question: str) -> Item:
    """Something is asked about it."""
    asked = Question(
        kind="retrain",
        subject=f"{run} a.one",
        model="m",
        version=None,
        run=run,
        step="a.one",
        by=None,
        question=question,
        recommended="reject",
        options=("approve", "reject"),
        evidence={"run": run},
        resolves="more rows",
        hours=10.0,
        on_timeout="keep",
    )
    return project.ledger.write(lambda transaction: items.ask(transaction, asked))
