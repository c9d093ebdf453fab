"""scikit-learn's show_versions: ten packages, and the BLAS and OpenMP libraries."""

import contextlib
import io

from told import Stages

stages = Stages()
from sklearn import show_versions  # noqa: E402

stages.reached("import_s")
with contextlib.redirect_stdout(io.StringIO()) as said:
    show_versions()
stages.reached("job_s")
stages.tell(packages=said.getvalue().partition("Built with")[0].count(": ") - 3)
