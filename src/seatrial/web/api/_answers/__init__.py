"""What the API answers, each document as one form; every key is always there.

A file has the forms of the file of ``api/`` that has its name. They describe documents that are
made elsewhere, for the command line too, and nothing is made from them but ``openapi.json``; a test
holds each against real answers.
"""

from __future__ import annotations

from typing import Any

from seatrial.outcome import Verdict

Judged = Verdict | None
Told = dict[str, Any]
"""Of evidence, whose keys depend on what is asked."""
