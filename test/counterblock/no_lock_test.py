"""A record locks nothing: its instructions, as they stand in the library, add to the slot in place and without a locked
one, which would cost eight times as much. A clock can't tell that on a machine that does other things too.

Usage: no_lock_test.py OBJDUMP LIBOUTGROWN
"""

import re
import subprocess
import sys

OBJDUMP, LIBRARY = sys.argv[1:3]

# What the fast path of a record is compiled to, and how many cells of the slot it adds to: Writer::Add (writer.h).
FUNCTIONS = {"outgrown_record_at": 4, "_ZN8outgrown5block6Writer5EndAtERKNS0_5StartENS0_7OutcomeEmm": 4, "outgrown_begin_at": 0}
# Relative to the thread's own segment, or to the code, is no cell.
ADDS = re.compile(r"^add\w*\s+\S+,[^%\s]*\(%(?!rip)")
FAST_PATH = "_ZN8outgrown5block6Writer8RecordAtENS0_7OutcomeEmmm"  # which g++ 14 keeps as a function, and g++ 12 does not
LOCKS = re.compile(r"^lock\b|^xchg\w*\s.*\(")  # an exchange with memory locks by itself


def instructions(function):
    shown = subprocess.run([OBJDUMP, "-d", "--no-show-raw-insn", f"--disassemble={function}", LIBRARY],
                           check=True, capture_output=True, text=True).stdout
    lines = [line.split("\t")[1].strip() for line in shown.splitlines() if line.startswith(" ") and "\t" in line]
    assert lines, f"{function} is not in {LIBRARY}"
    if function != FAST_PATH and any(f"<{FAST_PATH}" in line for line in lines):
        lines += instructions(FAST_PATH)
    return lines


def main():
    for function, cells in FUNCTIONS.items():
        lines = instructions(function)
        locked = [line for line in lines if LOCKS.search(line)]
        assert not locked, f"{function}: {locked}"
        adds = [line for line in lines if ADDS.search(line)]
        assert len(adds) == cells, f"{function}: expected {cells} additions in place, found {adds}"
    print(f"ok: {len(FUNCTIONS)} functions lock nothing")


main()
