"""A ledger with a run whose steps said what a test wants, and what its sections are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from seatrial.ledger import beginnings, claims, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.claims import Claim
from seatrial.outcome import Outcome, Verdict
from seatrial.registry.project import open_project
from seatrial.report.sections import Sources, sources
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.registry.project import Project

MODEL, RUN = "m", "R1"


@dataclass(frozen=True, slots=True)
class Made:
    """A project, and its only run."""

    project: Project

    @classmethod
    def begin(cls, folder: Path, *steps: str) -> Made:
        project = open_project(Workspace(folder, folder / ".seatrial"))
        request = {"text": "name: p\nstages: []\n", "file": "p.yaml", "changes": []}
        beginnings.begin(
            project.ledger,
            Beginning(
                identity=RUN, pipeline="p", key=RUN, model=MODEL, request=request, steps=[*steps]
            ),
        )
        return cls(project)

    def said(self, step: str, blobs: Mapping[str, bytes], **facts: object) -> None:
        """A step has passed, and keeps this."""
        claimed = claims.claim(self.project.ledger, RUN, step, owner="h:1", host="h")
        assert isinstance(claimed, Claim), claimed
        put = self.project.registry.blobs.put
        kept = {name: put(content) for name, content in blobs.items()}
        outcome = Outcome(verdict=Verdict.PASS, reason="so", blobs=kept, facts=facts)
        claims.finish(self.project.ledger, claimed, outcome, 0.1, None)

    def register(self, run: str, signature: Mapping[str, Any]) -> None:
        """The next version: that of another run, or of this one."""
        registry = self.project.registry
        manifest = {"files": {}, "signature": signature, "run": run}
        registry.register(MODEL, manifest, label="v{version}", run=run, by="t")

    @property
    def sources(self) -> Sources:
        run = runs.get(self.project.ledger, RUN)
        assert run is not None
        return sources(self.project, run)

    def lose(self, step: str, name: str) -> None:
        """A blob is gone from the disk."""
        outcome = self.sources.outcome(step)
        assert outcome is not None
        self.project.registry.blobs.path(outcome.blobs[name]).unlink()


class Begin(Protocol):
    """Begins a run of these steps, in a ledger of its own."""

    def __call__(self, *steps: str) -> Made: ...
