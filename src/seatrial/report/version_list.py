"""Versions as a list: what ``models --json`` prints, and what the API of the web page answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.registry import holdouts

if TYPE_CHECKING:
    from seatrial.registry.project import Project


def version_list(project: Project, model: str | None = None) -> list[dict[str, Any]]:
    """The versions of every model, or of one, oldest first; every key present."""
    registry = project.registry
    channels, found = registry.channels(), registry.versions(model)
    uses = {name: holdouts.uses(project.ledger, name) for name in {each.model for each in found}}
    return [
        {
            "name": each.model,
            "version": each.version,
            "digest": each.digest,
            "created": each.created,
            "channels": [
                channel.channel
                for channel in channels
                if (channel.model, channel.version) == (each.model, each.version)
            ],
            "judged_on": [
                {"dataset": use.dataset, "fingerprint": use.fingerprint}
                for use in uses[each.model]
                if use.version == each.version
            ],
        }
        for each in found
    ]
