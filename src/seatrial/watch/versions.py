"""What does a version answer here and now, beside what was logged?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.inference.served import Served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers
    from seatrial.registry.project import Project


def open_version(project: Project, model: str, number: int) -> Served:
    """A version, ready to answer; StoreError when a file of it is damaged or gone."""
    version = project.registry.version(model, number)
    return Served.open(model, number, version.digest, project.registry.blobs.get)


def answered(model: Answers, features: Mapping[str, NDArray[Any]]) -> Answer | None:
    """What a model answers to columns ``[n]``; None when it cannot, or lacks a column.

    It is the version before, or one that is measured beside it: whatever it raises is no harm of
    what serves, and only means that the two cannot be compared on these rows.
    """
    names = [each.name for each in model.signature.inputs]
    if any(name not in features for name in names):
        return None
    try:
        return model.predict({name: features[name] for name in names})
    except Exception:  # noqa: BLE001 - as above
        return None
