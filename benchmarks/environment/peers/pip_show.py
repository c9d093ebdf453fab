"""`pip show`, once a package: the pip that is on the path, as a job that nobody activated has it.

PYTHONPATH holds told.py, for all of these peers.
"""

import importlib.metadata
import subprocess
import sys

from told import Stages

stages = Stages()
found = {}
for name in sys.argv[1:]:
    asked = ["pip", "show", name]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    lines = [x for x in said.stdout.splitlines() if x.startswith("Version: ")]
    found[name] = lines[0].removeprefix("Version: ") if lines else "unknown"
stages.reached("job_s")
wrong = sum(importlib.metadata.version(name) != found[name] for name in found)
stages.tell(packages=len(found), wrong=wrong)
