"""What is sent of a message: a CloudEvents 1.0 event, JSON format, structured mode."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

from seatrial.ledger import paths

if TYPE_CHECKING:
    from seatrial.notify.courier.deliveries import Due


def envelope(due: Due, project: str, head: str, page: str | None = None) -> dict[str, object]:
    """The event of a message from the project folder of that name, at the ledger's ``head``.

    ``page`` is where the web page is, if anywhere: the message then has the ``link`` to what it
    tells of.

    Source of the attributes: CloudEvents 1.0.2, "Required Attributes" and "Optional Attributes".
    """
    told = {
        "text": due.text,
        "kind": due.kind,
        "model": due.model,
        "ledger_head": head,
    }
    link = {} if page is None else {"link": page + _path(due)}
    subject = {"subject": _subject(due)} if due.model is not None else {}
    return {
        "specversion": "1.0",
        "id": due.message,
        "source": f"/seatrial/{urllib.parse.quote(project, safe='')}",
        "type": f"dev.seatrial.{due.kind}.v1",
        **subject,
        "time": due.posted,
        "datacontenttype": "application/json",
        "data": {**due.data, **told, **link},
    }


def _path(due: Due) -> str:
    """What the message tells of: a question, a run, else the model."""
    if due.data.get("review"):
        return paths.of_review(str(due.data["review"]))
    if due.data.get("run"):
        return paths.of_run(str(due.data["run"]))
    return "/" if due.model is None else paths.of_model(due.model)


def _subject(due: Due) -> str:
    """``model/version``, or the model alone when no version is told."""
    version = due.data.get("version")
    return f"{due.model}/{version}" if version is not None else str(due.model)
