"""The real servers that several machines share."""

from __future__ import annotations

from postgres import postgres as postgres  # noqa: PLC0414 - a fixture is known by its import
from stores import _s3_server as _s3_server  # noqa: PLC0414
from stores import s3 as s3  # noqa: PLC0414
