"""promtool, run so that it takes the least processor time.

It evaluates on one thread, and with more processors hands each sample to another one. It spent a third of its time on collecting
garbage of a few megabytes.
"""

import os
import subprocess

ENVIRONMENT = {**os.environ, "GOMAXPROCS": "1", "GOGC": "400"}


def promtool(*arguments, **how):
    return subprocess.run(["promtool", *map(str, arguments)], **{
        "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "check": False, "env": ENVIRONMENT, **how})
