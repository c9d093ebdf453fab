"""watermark: Python, machine, and the packages that are named."""

import sys

from told import Stages

stages = Stages()
from watermark import watermark  # noqa: E402

stages.reached("import_s")
watermark(python=True, machine=True, packages=",".join(sys.argv[1:]))
stages.reached("job_s")
stages.tell(packages=len(sys.argv) - 1)
