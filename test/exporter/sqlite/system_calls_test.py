"""What strace sees of the store's files: they are opened for reading, read and asked about, and nothing else."""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import exporter_case  # noqa: E402  (the path above)


class SystemCalls(exporter_case.ExporterCase):
    """What strace sees of the store's files: they are opened for reading, read and asked about, and nothing else."""

    # Everything that takes a path or a descriptor, less what a program does to sockets and memory.
    READING = {"openat", "newfstatat", "fstat", "lstat", "stat", "statx", "pread64", "read", "close", "readlink",
               "readlinkat", "fcntl", "getdents64", "lseek", "statfs",
               "inotify_add_watch"}

    def whole_calls(self, trace):
        """The lines of a trace, those of a call that another thread's interrupted joined to one, in order of their ends."""
        calls, begun = [], {}
        for line in trace.splitlines():
            pid = line.split(maxsplit=1)[0]
            if line.endswith("<unfinished ...>"):
                self.assertNotIn(pid, begun, line)
                begun[pid] = line.removesuffix("<unfinished ...>")
            elif resumed := re.match(r"\d+ +<\.\.\. (\S+) resumed>", line):
                self.assertRegex(begun.get(pid, ""), rf"^\d+ +{re.escape(resumed[1])}\(", line)
                calls.append(begun.pop(pid) + line[resumed.end():])
            else:
                calls.append(line)
        return calls + list(begun.values())  # with those that had not returned at the end

    def check(self, journal_mode):
        connection = self.open_database(journal_mode)
        block = exporter_case.CounterBlock(self.blocks, "checkpoints", self.database)
        trace = self.folder / "trace"
        exporter = self.start(f"--block.dir={self.blocks}",
                              wrapper=["strace", "-f", "-y", "-s", "0", "-o", trace, "-e", "trace=%desc,%file"])
        before = {path.name: path.stat() for path in self.folder.iterdir()}
        for _ in range(20):
            connection.execute("INSERT INTO t VALUES (1)")
            block.record(exporter_case.OK, 1, 1)
            self.assertIn("checkpoint_file_size_bytes{", exporter.get("/metrics")[2])
        after = {path.name for path in self.folder.iterdir()}
        child = int(subprocess.run(["pgrep", "-P", str(exporter.popen.pid)], capture_output=True, text=True,
                                   check=True).stdout)
        os.kill(child, 15)
        exporter.popen.wait(10)
        block.close()
        self.assertEqual(after - {"trace"}, set(before) - {"trace"})
        store_calls = [line for line in self.whole_calls(trace.read_text())
                       if str(self.database) in line or f"{self.blocks}/" in line]
        self.assertGreater(len(store_calls), 100)
        names = set()
        for line in store_calls:
            call = re.match(r"\d+ +(\w+)\(", line)[1]
            names.add(call)
            self.assertIn(call, self.READING, line)
            if call == "openat":
                self.assertNotRegex(line, r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
                self.assertIn("O_RDONLY", line)
            if call == "fcntl":
                self.assertRegex(line, r"F_GETLK|F_OFD_GETLK|F_GETFL|F_GETFD|F_SETFD")
        self.assertIn("pread64", names)

    def test_a_store_in_wal_mode_is_only_read(self):
        self.check("WAL")

    def test_a_store_in_rollback_mode_is_only_read(self):
        self.check("DELETE")


if __name__ == "__main__":
    exporter_case.main()
