"""py-cpuinfo: the processor and its flags, and nothing else."""

from told import Stages

stages = Stages()
from cpuinfo import get_cpu_info  # noqa: E402

stages.reached("import_s")
flags = get_cpu_info()["flags"]
stages.reached("job_s")
stages.tell(packages=0, flags=len(flags))
