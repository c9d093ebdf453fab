"""What a training says about itself by warnings: that it did not converge, for example."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.models._entry.code import is_of_project
from seatrial.models._entry.fault import sentence
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 5
"""So many different warnings are told."""

_ABOUT_CODE = (
    *(DeprecationWarning, PendingDeprecationWarning, FutureWarning),
    *(ImportWarning, ResourceWarning),
)
"""These are for whoever updates libraries or tidies code; they say nothing of this training."""


@contextlib.contextmanager
def heard(folder: Path, where: str) -> Iterator[list[Finding]]:
    """Warnings raised inside are printed as ever, and the first few put into the list.

    Their place is a line of the project ``folder``, else ``where``: a warning of a library is
    about who uses it.
    """
    found: list[Finding] = []
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        show = warnings.showwarning

        def hear(
            message: Any, category: type[Warning], filename: str, lineno: int, *rest: Any
        ) -> None:
            show(message, category, filename, lineno, *rest)
            what = f"the training warns: {sentence(category(str(message)))}"
            known = len(found) >= MOST or any(each.what == what for each in found)
            if not known and not issubclass(category, _ABOUT_CODE):
                found.append(
                    Finding(what=what, where=_place(Path(filename), lineno, folder) or where)
                )

        warnings.showwarning = hear  # type: ignore[assignment]
        yield found


def _place(file: Path, line: int, folder: Path) -> str:
    return f"{file.relative_to(folder)}:{line}" if is_of_project(file, folder) else ""
