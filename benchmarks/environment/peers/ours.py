"""What a capture costs: ``python ours.py JOB`` in an environment that lacks seatrial.

JOB is ``packages`` (names, versions, RECORD digests), ``capture`` (everything) or ``deep`` (and
every installed file verified). Its package lies on PYTHONPATH, and so does ``told``.
"""

import sys

from told import Stages

stages = Stages()
from seatrial.environment.capture import capture  # noqa: E402
from seatrial.environment.machine.packages import packages  # noqa: E402

stages.reached("import_s")
job = sys.argv[1]
if job == "packages":
    found = packages()
    many, digests, verified = len(found.dependencies), len(found.records), 0
else:
    made = capture(deep="all" if job == "deep" else None)
    many, digests = len(made["dependencies"]), len(made["records"])
    verified = len(made.get("verified", ()))
stages.reached("job_s")
stages.tell(packages=many, digests=digests, verified=verified)
