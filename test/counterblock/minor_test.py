"""Old and new applications and exporters understand each other: a minor moves nothing.

  - minor1.counters.gz and minor2.counters.gz were made by the libraries of these minors: 2 slots, 5 writes of 100 bytes that
    took 2 ms, 1 busy one of 5 s, a trace lost, then killed. Today's outgrown-block reads them, today's library goes on
    counting into them.
  - What today's library writes is read by the offsets of minor 1, which are written down here once more.

Usage: minor_test.py LIBOUTGROWN OUTGROWN_BLOCK
"""

import ctypes
import gzip
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

LIBRARY, PROGRAM = sys.argv[1:3]
OLD_MINORS = (1, 2)


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("application", ctypes.c_char_p),
                ("database", ctypes.c_char_p), ("slots", ctypes.c_uint32), ("log", ctypes.c_void_p),
                ("log_context", ctypes.c_void_p)]


def library():
    loaded = ctypes.CDLL(LIBRARY)
    loaded.outgrown_open.restype = ctypes.c_void_p
    loaded.outgrown_error.restype = ctypes.c_char_p
    loaded.outgrown_error.argtypes = [ctypes.c_void_p]
    loaded.outgrown_record.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64, ctypes.c_uint64]
    loaded.outgrown_close.argtypes = [ctypes.c_void_p]
    return loaded


class Minor1:
    """A block as an exporter of minor 1 reads it, in so far as it means anything to a rule."""

    def __init__(self, data):
        assert data[:8] == b"OUTGROWN"
        (self.major, self.minor), self.slot_count = struct.unpack_from("=HH", data, 12), struct.unpack_from("=I", data, 24)[0]
        used, complement = struct.unpack_from("=II", data, 64)
        assert used == ~complement & 0xFFFFFFFF
        slots = [data[8192 + 1024 * i:8192 + 1024 * (i + 1)] for i in (*range(used), self.slot_count)]
        tags = [struct.unpack_from("=Q", slot, 48)[0] for slot in slots]
        assert tags == [0x4F55544752534C54 + i for i in (*range(used), self.slot_count)]
        self.writes = [sum(cells) for cells in zip(*(struct.unpack_from("=8Q", slot, 64) for slot in slots))]
        self.durations = sum(sum(struct.unpack_from("=83Q", slot, 128)) for slot in slots)
        self.bytes = sum(struct.unpack_from("=Q", slot, 24)[0] for slot in slots)
        self.last_write_ns = max(struct.unpack_from("=Q", slot, 16)[0] for slot in slots)
        self.owners = [struct.unpack_from("=Q", slot, 0)[0] >> 32 for slot in slots if slot[:8] != bytes(8)]


class MinorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="outgrown-test.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def old_blocks(self):
        """The block of each old minor, one after the other in the same place."""
        path = self.folder / "state.v1.counters"
        for minor in OLD_MINORS:
            with self.subTest(minor=minor):
                path.write_bytes(gzip.decompress(pathlib.Path(__file__).with_name(f"minor{minor}.counters.gz").read_bytes()))
                path.chmod(0o660)
                yield minor, path

    def printed(self):
        done = subprocess.run([PROGRAM, str(self.folder), "state"], capture_output=True, text=True, timeout=60, check=True)
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())

    def open(self):
        loaded = library()
        database = self.folder / "state.db"
        database.touch()
        options = Options(size=ctypes.sizeof(Options), directory=bytes(self.folder), database=bytes(database))
        store = loaded.outgrown_open(b"state", ctypes.byref(options))
        self.assertIsNone(loaded.outgrown_error(store))
        return loaded, store

    def test_an_old_applications_block_is_read_by_a_new_reader(self):
        for _ in self.old_blocks():
            printed = self.printed()
            self.assertEqual([printed[key] for key in ("writes_ok", "writes_busy", "bytes", "slots", "database")],
                             ["5", "1", "500", "2", "/srv/state.db"])
            self.assertEqual([printed["refused_name_taken"], printed["refused_other_sqlite_total"]], ["0", "0"])
            self.assertNotIn("living", printed)

    def test_a_new_application_goes_on_in_an_old_applications_block(self):
        for minor, path in self.old_blocks():
            loaded, store = self.open()
            loaded.outgrown_record(store, 0, 7, 1000)
            printed = self.printed()
            self.assertEqual([printed["writes_ok"], printed["bytes"]], ["6", "507"])
            status = (self.folder / "state.db").stat()
            self.assertEqual(printed["living"], f"pid {os.getpid()} device {status.st_dev} inode {status.st_ino} open 1")
            block = Minor1(path.read_bytes())
            self.assertEqual((block.minor, block.writes[0], block.bytes), (minor, 6, 507))
            loaded.outgrown_close(store)

    def test_a_new_applications_block_is_read_by_an_old_reader(self):
        loaded, store = self.open()
        loaded.outgrown_record(store, 0, 10, 1000)
        loaded.outgrown_record(store, 1, 0, 1000)
        block = Minor1((self.folder / "state.v1.counters").read_bytes())
        self.assertEqual((block.major, block.minor), (1, 4))
        self.assertEqual(block.writes, [1, 1, 0, 0, 0, 0, 0, 0])
        self.assertEqual((block.durations, block.bytes, block.owners), (2, 10, [os.getpid()]))
        self.assertGreater(block.last_write_ns, 0)
        loaded.outgrown_close(store)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
