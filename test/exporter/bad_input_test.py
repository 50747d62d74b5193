"""The real exporter over counter blocks that are damaged, of another minor, or gone in the middle: each has its reason, and the
others' numbers are whole.

Usage: bad_input_test.py BUILD_DIR [unittest's arguments]. With OUTGROWN_SOAK in the environment: 10,000 blocks.
"""

import contextlib
import gzip
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402

LONG = bool(os.environ.get("OUTGROWN_SOAK"))
BLOCKS = 10_000 if LONG else 200
SCRAPES = 100 if LONG else 10
MINOR_1 = pathlib.Path(__file__).resolve().parents[1] / "counterblock/minor1.counters.gz"
# counterblock/layout.h
MINOR_AT, CHECKSUM_AT, DATABASE_AT, HEADER_BYTES = 14, 56, 4096, 8192


def at(offset, data):
    def damage(path, good):
        path.write_bytes(good[:offset] + data + good[offset + len(data):])
        path.chmod(0o660)
    return damage


def flipped(offset):
    def damage(path, good):
        at(offset, bytes([good[offset] ^ 1]))(path, good)
    return damage


def cut(size):
    def damage(path, good):
        path.write_bytes(good[:size])
        path.chmod(0o660)
    return damage


def world(path, good):
    path.write_bytes(good)
    path.chmod(0o664)


def linked(path, good):
    at(0, b"")(path, good)
    path.with_suffix(".link").hardlink_to(path)


# What was done to a block, and the reason that is shown, in which every number is N.
DAMAGE = [
    (cut(0), "truncated: ends at byte N, N more expected"),
    (cut(HEADER_BYTES), "the file has N bytes, its header says N"),
    (at(0, b"x"), "not a counter block (wrong magic)"),
    (flipped(48), "the header is damaged (wrong checksum)"),
    (at(HEADER_BYTES - 1, b"\x01"), "the header is damaged (bytes after the database's path)"),
    (world, "refused: accessible to the world"),
    (linked, "refused: N hard links, expected N"),
    (lambda path, good: path.mkdir(), "refused: not a regular file"),
    (lambda path, good: path.symlink_to("s00000.v1.counters"), "refused: a symbolic link"),
]


def by_store(text):
    """Of each store its successful writes, whether its block was read, and the reasons why not."""
    lines = {}
    for line in text.splitlines():  # once, since to search 10,000 stores' page for each of them would take minutes
        if match := re.search(r'database="(s\d+)"', line):
            lines.setdefault(match[1], []).append(line)
    stores = {}
    for store, its in lines.items():
        its = "\n".join(its)
        writes = re.search(r'^checkpoint_writes_total\{[^}]*status="success"\} (\d+)$', its, re.M)
        up = re.search(r"^checkpoint_block_up\{[^}]*\} (\d)$", its, re.M)
        reasons = re.findall(r'^checkpoint_block_problem_info\{[^}]*reason="([^"]*)"\} 1$', its, re.M)
        stores[store] = (int(writes[1]) if writes else None, up and up[1], *reasons)
    return stores


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="outgrown-bad-input-test."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.blocks = self.folder / "blocks"
        self.blocks.mkdir(mode=0o700)
        self.stack = servers.Stack()
        self.addCleanup(self.stack.close)
        block = exporter_case.CounterBlock(self.blocks, "s00000", "")
        block.record(exporter_case.OK, 4096, 1_000_000, times=3)
        block.close()
        self.good = self.path(0).read_bytes()

    def path(self, number):
        return self.blocks / f"s{number:05}.v1.counters"

    def put(self, number, data=None):
        at(0, b"")(self.path(number), data or self.good)

    def scrape(self):
        status, _, text = self.exporter.get("/metrics")
        self.assertEqual(status, 200)
        return text

    def start(self, *arguments):
        self.exporter = self.stack.start(exporter_case.Exporter(self.folder, f"--block.dir={self.blocks}", *arguments))

    def test_half_of_the_blocks_are_damaged(self):
        expected = {"s00000": (3, "1")}
        for number in range(1, BLOCKS):
            if number % 2 == 0:
                self.put(number)
                expected[f"s{number:05}"] = (3, "1")
            else:
                damage, reason = DAMAGE[number // 2 % len(DAMAGE)]
                damage(self.path(number), self.good)
                expected[f"s{number:05}"] = (None, "0", reason)
        self.start()
        for _ in range(3):
            text = self.scrape()
            self.assertEqual(by_store(text), expected)
            self.assertIn('checkpoint_collector_success{collector="counter_block"} 0', text)
        # Each is logged when it begins to fail, not with every scrape.
        self.assertEqual(self.exporter.log.read_text().count("Collector failed"), BLOCKS // 2)

    def test_blocks_of_an_older_and_of_a_newer_minor_are_read(self):
        newer = bytearray(self.good)
        struct.pack_into("=H", newer, MINOR_AT, 99)
        hashed = 0xCBF29CE484222325
        size = struct.unpack_from("=I", newer, 36)[0]
        for byte in newer[:CHECKSUM_AT] + newer[DATABASE_AT:DATABASE_AT + size]:
            hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
        struct.pack_into("=Q", newer, CHECKSUM_AT, hashed)
        self.put(1, bytes(newer))
        self.put(2, gzip.decompress(MINOR_1.read_bytes()))
        self.start()
        text = self.scrape()
        self.assertEqual(by_store(text), {"s00000": (3, "1"), "s00001": (3, "1"), "s00002": (5, "1")})
        self.assertIn('checkpoint_collector_success{collector="counter_block"} 1', text)

    def come_and_go(self, path, data):
        """From now on that file is made and deleted, over and over."""
        over = threading.Event()

        def run():
            temporary = path.with_suffix(".tmp")
            while not over.is_set():
                at(0, b"")(temporary, data)
                temporary.rename(path)
                path.unlink()

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)

    def test_a_store_that_comes_and_goes_in_the_middle(self):
        for number in range(2, 100):
            self.put(number)
        self.come_and_go(self.path(1), self.good)
        self.start()
        seen = set()
        for _ in range(SCRAPES):
            stores = by_store(self.scrape())
            seen.add(stores.pop("s00001", (None, None)))
            self.assertEqual(set(stores.values()), {(3, "1")})
            self.assertEqual(len(stores), 99)
        gone = "there is no counter block (has the application written yet?)"
        self.assertLessEqual(seen, {(3, "1"), (None, "0", gone), (None, None)})

    def test_a_database_that_comes_and_goes_in_the_middle(self):
        databases = [self.folder / f"{number}.db" for number in range(20)]
        for path in databases:
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE t(x)")
        self.come_and_go(databases[0], databases[0].read_bytes())
        self.start(*(f"--store=d{path.stem}={path}" for path in databases))
        for _ in range(SCRAPES):
            text = self.scrape()
            sizes = dict(re.findall(r'^checkpoint_file_size_bytes\{database="d(\d+)"\} (\d+)$', text, re.M))
            self.assertEqual({"0": "8192"} | sizes, dict.fromkeys(map(str, range(20)), "8192"))
            problems = re.findall(r'^checkpoint_(?:file|store_commits)_problem_info\{database="(d\d+)",reason="(\w+)"\} 1$', text, re.M)
            self.assertLessEqual(set(problems), {("d0", "missing")})
            self.assertTrue("0" in sizes or problems, text)


if __name__ == "__main__":
    exporter_case.main()
