"""Of what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "promoted": "a version went into production",
    "rolled_back": "production went back to an earlier version",
    "rollback_failed": "a rollback was due and could not be done: somebody must act now",
    "watch_passed": "a version passed its watch and is known good",
    "watch_extended": "a watch had too few labels and goes on",
    "watch_inconclusive": "a watch ended without a verdict; the version stays",
    "guardrail": "errors, missing answers or slow answers went beyond their limit",
    "frozen": "no version of a model moves by itself any more, until somebody allows it",
    "review_opened": "a question waits for a person",
    "review_reminder": "half of the time for a question is over",
    "review_escalated": "most of the time for a question is over",
    "review_closed": "a question was answered, or needs no answer any more",
    "run_failed": "a run ended without a pass",
}
"""Every kind of message and what it means."""
