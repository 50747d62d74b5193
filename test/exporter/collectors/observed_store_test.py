"""What the exporter says of an application under the SQLite observer: the file that it has open, the lock that it holds."""

import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402

PYTHON = "/usr/bin/python3"  # Debian's: its sqlite3 can load extensions, which another one's often can't


class ObservedStore(exporter_case.ExporterCase):
    def start_application(self, path):
        """A process that writes under the observer: so often, or its pool gets a connection or closes its oldest one."""
        able = os.access(PYTHON, os.X_OK) and subprocess.run(
            [PYTHON, "-c", "import sqlite3; sqlite3.Connection.enable_load_extension"],
            stderr=subprocess.DEVNULL, check=False).returncode == 0
        if not able:
            self.skipTest(f"needs {PYTHON} with an sqlite3 that can load extensions")
        program = (
            "import os, sqlite3, sys\n"
            "first = sqlite3.connect(':memory:'); first.enable_load_extension(True); first.load_extension(sys.argv[2])\n"
            "def connect():\n"
            "    c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('PRAGMA journal_mode=WAL')\n"
            "    c.execute('CREATE TABLE IF NOT EXISTS t(x)')\n"
            "    return c\n"
            "pool = [connect()]\n"
            "for line in sys.stdin:\n"
            "    if line == 'connect\\n': pool.append(connect())\n"
            "    elif line == 'close\\n': pool.pop(0).close()\n"
            "    elif line == 'hold\\n': pool[-1].execute('BEGIN IMMEDIATE')\n"
            "    elif line == 'release\\n': pool[-1].execute('COMMIT')\n"
            "    else:\n"
            "        for _ in range(int(line)): pool[-1].execute('INSERT INTO t VALUES (1)')\n"
            "    print('done', flush=True)\n")
        application = subprocess.Popen(
            [PYTHON, "-c", program, path, exporter_case.BUILD / "clients" / "sqlite_observer" / "outgrown_sqlite.so"],
            env=os.environ | {"OUTGROWN_DIR": str(self.blocks)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(application.wait)
        for stream in (application.stdout, application.stdin):
            self.addCleanup(stream.close)

        def write(what):
            application.stdin.write(f"{what}\n")
            application.stdin.flush()
            self.assertEqual(application.stdout.readline(), "done\n")
        write(5)
        return write

    def test_who_holds_the_write_lock_for_long_is_named(self):
        self.blocks.chmod(0o700)
        write = self.start_application(self.folder / "s.db")
        exporter = self.start(f"--block.dir={self.blocks}")
        self.assertNotIn("Write lock:", exporter.get("/")[2])
        write("hold")
        servers.wait_for("the hold", lambda: re.search(
            r"<b>Write lock:</b> process \d+ \(python3\) has held it for \d+ s", exporter.get("/")[2]))
        self.assertRegex(exporter.get("/metrics")[2], r'checkpoint_write_lock_held_now_seconds{database="s"} [1-9]')
        write("release")
        self.assertNotIn("Write lock:", exporter.get("/")[2])

    def test_a_holder_in_another_pid_namespace_is_said_to_be_in_one(self):
        inside = ("unshare", "--pid", "--fork", "--kill-child")
        if subprocess.run([*inside, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("a PID namespace needs CAP_SYS_ADMIN")
        self.blocks.chmod(0o700)
        write = self.start_application(self.folder / "s.db")
        exporter = self.start(f"--block.dir={self.blocks}", wrapper=inside)
        write("hold")
        servers.wait_for("the hold", lambda: re.search(
            r"<b>Write lock:</b> a process in another PID namespace has held it for \d+ s", exporter.get("/")[2]))
        exporter.popen.kill()  # unshare takes no notice of SIGTERM

    def test_the_file_that_the_application_has_open_is_compared_with_the_one_that_is_read(self):
        self.blocks.chmod(0o700)
        path = self.folder / "s.db"
        write = self.start_application(path)
        exporter = self.start(f"--block.dir={self.blocks}")
        name = re.search(r'checkpoint_block_up\{database="(\w+)"\} 1', exporter.get("/metrics")[2])[1]
        self.assertEqual(name, "s")
        write(5)
        self.assertEqual(exporter.reasons(), set())
        # A restore: last night's copy is moved over the living file, -wal and -shm are removed.
        copy = sqlite3.connect(self.folder / "copy.db")
        copy.execute("CREATE TABLE t(x)")
        copy.close()
        os.replace(self.folder / "copy.db", path)
        for end in ("-wal", "-shm"):
            pathlib.Path(f"{path}{end}").unlink()
        write(5)
        self.assertLessEqual({"other_file"}, exporter.reasons())
        # A pool of connections: a new one opens the new file, and the older one may go on writing to the old one.
        write("connect")
        write(5)
        self.assertLessEqual({"other_file"}, exporter.reasons())
        write("close")
        self.assertEqual(exporter.reasons(), set())
        path.unlink()
        self.assertLessEqual({"unlinked_file"}, exporter.reasons())

    def test_one_folder_by_several_names_is_counted_once(self):
        self.blocks.chmod(0o700)
        (self.folder / "link").symlink_to(self.blocks)
        write = self.start_application(self.folder / "s.db")
        names = (self.blocks, f"{self.blocks}/", self.folder / "link", self.blocks / ".." / self.blocks.name)
        exporter = self.start(*(f"--block.dir={name}" for name in names))
        before = int(re.search(r'checkpoint_writes_total{database="s",status="success"} (\d+)', exporter.get("/metrics")[2])[1])
        write(7)
        after = int(re.search(r'checkpoint_writes_total{database="s",status="success"} (\d+)', exporter.get("/metrics")[2])[1])
        self.assertEqual(after - before, 7)

    def test_the_file_of_a_connection_for_each_write_is_compared_too(self):
        self.blocks.chmod(0o700)
        path = self.folder / "s.db"
        write = self.start_application(path)
        exporter = self.start(f"--block.dir={self.blocks}")
        write(5)
        write("close")
        self.assertEqual(exporter.reasons(), set())
        shutil.copy(path, self.folder / "copy.db")
        os.replace(self.folder / "copy.db", path)
        self.assertEqual(exporter.reasons(), {"other_file"})
        write("connect")
        write(5)
        write("close")
        self.assertEqual(exporter.reasons(), set())

    def test_a_refusal_to_count_is_a_reason(self):
        self.blocks.chmod(0o700)
        for release in ("1", "2"):
            (self.folder / release).mkdir()
        write = self.start_application(self.folder / "1" / "s.db")
        exporter = self.start(f"--block.dir={self.blocks}")
        write(5)
        self.assertEqual(exporter.reasons(), set())
        shutil.copy(self.folder / "1" / "s.db", self.folder / "2" / "s.db")
        write = self.start_application(self.folder / "2" / "s.db")
        write(5)
        self.assertEqual(exporter.reasons(), {"refused_name_taken"})


if __name__ == "__main__":
    exporter_case.main()
