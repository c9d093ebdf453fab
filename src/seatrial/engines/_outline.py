"""What another engine must know of a pipeline: its stages, its tasks, when it runs."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from seatrial.ledger.store import canonical
from seatrial.pipeline.condition import ALL

if TYPE_CHECKING:
    from seatrial.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class StageOutline:
    """A stage: the words of its tasks are the ends of their addresses ``STAGE.TASK``.

    ``condition`` is ``None`` where the stage starts when all before it passed; then the engine
    need not ask. Any other may hold although a stage before it failed.
    """

    name: str
    condition: str | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A pipeline as an engine sees it; ``digest`` changes with whatever its file depends on."""

    name: str
    file: str
    stages: tuple[StageOutline, ...]
    schedule: str | None
    timezone: str
    overlap: str
    catch_up: str

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits over everything but where the file lies."""
        content = {key: value for key, value in asdict(self).items() if key != "file"}
        return hashlib.sha256(canonical(content).encode()).hexdigest()[:12]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every task, in the order of the file."""
        return tuple(address for stage in self.stages for address in stage.addresses)


def outline(pipeline: Pipeline) -> Outline:
    """The outline of a pipeline that has no mistakes."""
    return Outline(
        name=pipeline.name,
        file=pipeline.file,
        stages=tuple(
            StageOutline(
                stage.name,
                None
                if stage.condition is None or stage.condition.text.strip() == ALL
                else stage.condition.text,
                tuple(entry.address for entry in stage.tasks),
            )
            for stage in pipeline.stages
        ),
        schedule=pipeline.schedule,
        timezone=pipeline.timezone,
        overlap=pipeline.overlap,
        catch_up=pipeline.catch_up,
    )
