"""What is sent of a message: a CloudEvents 1.0 event, JSON format, structured mode."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.notify.courier.deliveries import Due


def envelope(due: Due, project: str, head: str) -> dict[str, object]:
    """The event of a message from the project folder of that name, at the ledger's ``head``.

    Source of the attributes: CloudEvents 1.0.2, "Required Attributes" and "Optional Attributes".
    """
    told = {
        "text": due.text,
        "kind": due.kind,
        "model": due.model,
        "ledger_head": head,
    }
    subject = {"subject": _subject(due)} if due.model is not None else {}
    return {
        "specversion": "1.0",
        "id": due.message,
        "source": f"/seatrial/{urllib.parse.quote(project, safe='')}",
        "type": f"dev.seatrial.{due.kind}.v1",
        **subject,
        "time": due.posted,
        "datacontenttype": "application/json",
        "data": {**due.data, **told},
    }


def _subject(due: Due) -> str:
    """``model/version``, or the model alone when no version is told."""
    version = due.data.get("version")
    return f"{due.model}/{version}" if version is not None else str(due.model)
