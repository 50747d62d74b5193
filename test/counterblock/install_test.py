"""Installs the library into a temporary folder, builds the examples against it with pkg-config and runs them.

What they counted is read by the few lines of Python below, from the offsets that counterblock/layout.h draws: a second
reader, which knows nothing of the first.
"""

import argparse
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from installed import Installed, run  # noqa: E402

OUTCOMES = ["ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other"]


def read_block(path):
    """Writes by outcome, bytes, histogram count and database path, summed over all slots."""
    block = path.read_bytes()
    magic, byte_order, major, _minor, header_bytes, slot_bytes, slot_count = struct.unpack_from("=8sIHHIII", block, 0)
    assert (magic, byte_order, major) == (b"OUTGROWN", 0x01020304, 1), (magic, byte_order, major)
    (database_bytes,) = struct.unpack_from("=I", block, 36)
    assert len(block) == header_bytes + (slot_count + 1) * slot_bytes
    writes, written_bytes, durations = [0] * 8, 0, 0
    for slot in range(slot_count + 1):
        offset = header_bytes + slot * slot_bytes
        written_bytes += struct.unpack_from("=Q", block, offset + 24)[0]
        writes = [a + b for a, b in zip(writes, struct.unpack_from("=8Q", block, offset + 64))]
        durations += sum(struct.unpack_from("=83Q", block, offset + 128))
    return {
        "writes": {name: count for name, count in zip(OUTCOMES, writes) if count},
        "bytes": written_bytes,
        "durations": durations,
        "database": block[4096 : 4096 + database_bytes].decode(),
    }


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found}, expected {expected}")


def build_and_run(installed, compiler, source, folder, expected):
    program = folder / source.stem
    installed.compile(compiler, source, ["outgrown", "sqlite3"], program)
    blocks = folder / "blocks"
    blocks.mkdir()
    database = folder / "state.db"
    environment = dict(installed.environment, OUTGROWN_DIR=str(blocks))
    run(program, database, env=environment)
    found = read_block(blocks / "checkpoints.v1.counters")
    check(source.name, found, dict(expected, database=str(database), durations=sum(expected["writes"].values())))
    # Again without a folder for blocks: the application does the same work, and says that it is not counted.
    off = subprocess.run([program, database], env=dict(environment, OUTGROWN_DIR=str(folder / "missing")),
                         capture_output=True, text=True)
    check(f"{source.name} without a folder", (off.returncode, off.stdout, off.stderr),
          (0, "", f"not counted: {folder}/missing: cannot open the directory: No such file or directory\n"))


def check_symbols(library, header):
    """The library shows what its header declares and nothing else, under the version that its soname stands for."""
    declared = re.findall(r"^OUTGROWN_API[^;(]*?(\w+)\(", header.read_text(), re.MULTILINE)
    exported = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    check("exported symbols", sorted(exported), sorted(["OUTGROWN_0", *(name + "@@OUTGROWN_0" for name in declared)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="outgrown-install.") as name:
        folder = pathlib.Path(name)
        installed = Installed(arguments.build, folder / "root")
        check("installed libraries", installed.libraries("liboutgrown"),
              ["liboutgrown.so", "liboutgrown.so.0", "liboutgrown.so.0.1.0"])
        check_symbols(installed.library_folder / "liboutgrown.so.0", arguments.source / "counterblock/outgrown.h")
        cases = [
            (["cc", "-std=c11"], "examples/c/count_writes.c",
             {"writes": {"ok": 100, "busy": 1, "constraint": 1}, "bytes": 1800}),
            (["c++", "-std=c++17"], "examples/cpp/count_writes.cc",
             {"writes": {"ok": 100, "other": 1}, "bytes": 1800}),
        ]
        for compiler, source, expected in cases:
            place = folder / pathlib.Path(source).parent.name
            place.mkdir()
            build_and_run(installed, compiler, arguments.source / source, place, expected)


main()
