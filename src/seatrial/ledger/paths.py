"""Under which paths of the web page one finds what the ledger remembers: the one place for them."""

from __future__ import annotations

from urllib.parse import quote


def of_run(run: str) -> str:
    """What a run decided and why.

    >>> of_run("01J/x")
    '/runs/01J%2Fx'
    """
    return f"/runs/{quote(run, safe='')}"


def of_review(review: str) -> str:
    """A question with its evidence, and where it is answered."""
    return f"/reviews/{quote(review, safe='')}"


def of_model(model: str) -> str:
    """The versions of a model, its history, and the way back."""
    return f"/models/{quote(model, safe='')}"
