"""outgrown-block prints one line a value, whatever the database's path is.

Usage: outgrown_block_test.py LIBOUTGROWN OUTGROWN_BLOCK
"""

import ctypes
import pathlib
import subprocess
import sys
import tempfile

LIBRARY, PROGRAM = sys.argv[1:3]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("application", ctypes.c_char_p),
                ("database", ctypes.c_char_p), ("slots", ctypes.c_uint32), ("log", ctypes.c_void_p),
                ("log_context", ctypes.c_void_p)]


def printed(folder, store, database):
    """The program's lines about a block of that database, as pairs."""
    library = ctypes.CDLL(LIBRARY)
    library.outgrown_open.restype = ctypes.c_void_p
    library.outgrown_error.restype = ctypes.c_char_p
    options = Options(size=ctypes.sizeof(Options), directory=bytes(folder), database=database)
    opened = ctypes.c_void_p(library.outgrown_open(store.encode(), ctypes.byref(options)))
    assert library.outgrown_error(opened) is None
    library.outgrown_close(opened)
    done = subprocess.run([PROGRAM, str(folder), store], capture_output=True, timeout=60, check=True)
    return [tuple(line.split(b" ", 1)) for line in done.stdout.splitlines()]


def main():
    with tempfile.TemporaryDirectory(prefix="outgrown-test.") as name:
        folder = pathlib.Path(name)
        plain = printed(folder, "plain", "/srv/größe 1.db".encode())
        assert plain[2] == (b"database", "/srv/größe 1.db".encode()), plain[2]
        forged = printed(folder, "forged", b"/srv/a\nwrites_ok 7\x1b\\x0a\x7f.db")
        assert forged[2] == (b"database", rb"/srv/a\x0awrites_ok 7\x1b\x5cx0a\x7f.db"), forged[2]
        assert [key for key, _ in forged] == [key for key, _ in plain]
        assert forged[3] == (b"writes_ok", b"0")


if __name__ == "__main__":
    main()
