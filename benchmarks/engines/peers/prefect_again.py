"""The flow of ten in a process that has run it before; prints seconds as JSON."""

from __future__ import annotations

from again import tell
from prefect_flow import ten

tell(ten)
