"""A delivered project, whose clock and traffic the test makes."""

from __future__ import annotations

from tests.tasks.conftest import _delivered, _fresh, delivered

__all__ = ["_delivered", "_fresh", "delivered"]
