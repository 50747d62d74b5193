"""Where the counter block needs an order (docs/counterblock.md, "Memory order"), the instructions for arm64 have it, and a record has
none. Nothing else shows that on a machine whose own order is stronger, as that of qemu's user mode on x86-64 is.

Usage: order_test.py OBJDUMP OUTGROWN_BLOCK LIBOUTGROWN
"""

import re
import subprocess
import sys

RELEASING = r"\b(casl|stlxr|stlr)\b|__aarch64_cas8_rel\b"
# By program: a function, or where it is inlined, and what it must have.
ORDERED = [
    {"ReadBlock": r"\bdmb\s+ishld\b"},
    {"NoteTraceLost": RELEASING, "NoteRefusal": RELEASING, "AdoptBoot": RELEASING,
     "RaiseSlotsUsed|LockFreeSlot": RELEASING},
]
BARRIERS = r"\bdmb\b|\bdsb\b|\b(ld|st)l?a?xr\b|\bld(ar|apr)\b|\bstlr\b|\bcas[al]*\b|\bldadd\w*\b|__aarch64_"
PLAIN = ("outgrown_record_at", "outgrown_begin_at")


def functions(objdump, program):
    """Their instructions, by name."""
    shown = subprocess.run([objdump, "-dC", "--no-show-raw-insn", program], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r"^[0-9a-f]+ <(.*)>:\n((?:.+\n)*)", shown, re.M))


def main():
    objdump, *programs = sys.argv[1:]
    of_program = [functions(objdump, program) for program in programs]
    for program, found, ordered in zip(programs, of_program, ORDERED):
        for name, needed in ordered.items():
            bodies = [body for function, body in found.items() if re.search(rf"\b({name})\(", function)]
            assert any(re.search(needed, body) for body in bodies), f"{program}: {name} has no {needed}"
    for name in PLAIN:
        barriers = re.findall(rf".*(?:{BARRIERS}).*", of_program[-1][name])
        assert not barriers, f"{name}: {barriers}"
    print("ok")


main()
