"""Which colour and shape a word of standing has; the word itself is always beside them."""

from __future__ import annotations

_TONES = {
    "pass": ("pass", "passed", "approve", "approved", "healthy", "known good", "production", "ok"),
    "fail": (
        "fail",
        "failed",
        "error",
        "reject",
        "rejected",
        "quarantined",
        "degraded",
        "rolled back",
    ),
    "inconclusive": (
        "inconclusive",
        "warn",
        "open",
        "stopped",
        "review",
        "in review",
        "away",
        "frozen",
    ),
    "wait": ("waiting", "running", "under way", "staging", "due"),
    "skip": ("skip", "skipped", "did not apply", "cancelled", "superseded", "expired", "revoked"),
}
_BY_WORD = {word: tone for tone, words in _TONES.items() for word in words}


def tone(said: str) -> str:
    """One of ``pass fail inconclusive wait skip none``; what begins with a known word is like it.

    >>> tone("pass"), tone("inconclusive, in review"), tone("not reached")
    ('pass', 'inconclusive', 'none')
    """
    word = said.strip().lower().replace("_", " ")
    return _BY_WORD.get(word) or _BY_WORD.get(word.partition(",")[0]) or "none"
