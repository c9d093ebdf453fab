"""`python -m pip inspect`: every package, with its metadata, in a process of its own."""

import json
import subprocess
import sys

from told import Stages

stages = Stages()
said = subprocess.run(
    [sys.executable, "-m", "pip", "inspect"], capture_output=True, text=True, check=True
)
found = json.loads(said.stdout)["installed"]
stages.reached("job_s")
stages.tell(packages=len(found))
