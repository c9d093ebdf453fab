"""A run as JSON: its document, as ``run --json`` prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.report.account import Account


def as_json(account: Account) -> str:
    """The report; ends with a newline."""
    return json.dumps(account.document, indent=2, ensure_ascii=False, default=str) + "\n"
