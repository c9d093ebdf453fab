"""How is a file written so that nobody ever sees half of it?"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from seatrial.errors import FormError, Mistake


def replace(path: Path, content: bytes, what: str) -> None:
    """Write ``content`` into a file beside ``path`` that then takes its name.

    ``what`` is the subject of the FormError when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
            temporary = Path(folder, "part")  # no name by which anybody looks for such files
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
    except OSError as fault:
        said = f"{what} cannot be written: {fault.strerror or fault}"
        raise FormError(Mistake(said, where=str(path), fix="check folder and disk")) from fault
