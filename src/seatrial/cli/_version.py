"""A version that somebody names on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version


def version_of(project: Project, text: str) -> Version:
    """``MODEL@CHANNEL``, ``MODEL@NUMBER``, or the channel or number of the only model."""
    from seatrial.registry.opened import named

    return named(project.registry, text)
