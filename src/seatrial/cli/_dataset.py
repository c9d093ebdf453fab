"""The dataset that somebody names on the command line: a path, an address, or a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial import workspace

if TYPE_CHECKING:
    from seatrial.data.dataset import Dataset

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def dataset_of(text: str) -> Dataset:
    """What is there under that path or address; else the project's dataset of that name.

    A name is looked up under ``datasets:`` of the project's pipeline files, then in ``data/``.
    Raises FormError when there is none.
    """
    from seatrial.data import dataset
    from seatrial.serve.pipelines import pipelines_of

    if not _NAME.fullmatch(text) or Path(text).exists():
        return dataset.named(text)
    folder = workspace.nearest_to(Path.cwd()).folder
    declared: dict[str, object] = {}
    for pipeline in pipelines_of(folder).pipelines.values():
        declared = {**pipeline.datasets, **declared}
    return dataset.find(text, folder, declared)
