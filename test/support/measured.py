"""What a program takes: wall time, CPU time, peak of resident memory.

The kernel counts the memory of the process that forked into a child's peak, so that a small process of its own does that:
this file, run as a program. Usage: measured.py REPORT COMMAND...
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


@dataclasses.dataclass
class Run:
    status: int
    wall_seconds: float
    cpu_seconds: float
    rss_bytes: int


def run(command, out=subprocess.DEVNULL):
    """Runs it with standard output to `out`, an open file."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as report:
        subprocess.run([sys.executable, "-I", __file__, report.name, *(str(word) for word in command)], stdout=out, check=True)
        return Run(**json.load(report))


def main():
    begin = time.monotonic()
    process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    _, status, usage = os.wait4(process, 0)
    found = Run(os.waitstatus_to_exitcode(status), time.monotonic() - begin, usage.ru_utime + usage.ru_stime,
                usage.ru_maxrss * 1024)
    pathlib.Path(sys.argv[1]).write_text(json.dumps(dataclasses.asdict(found)))


if __name__ == "__main__":
    main()
