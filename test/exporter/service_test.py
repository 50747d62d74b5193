"""The exporter as a service: signals, systemd's notifications and watchdog, the units."""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402


class Signals(exporter_case.ExporterCase):
    def test_sigterm_and_sigint_end_it_with_status_0_and_it_waits_for_no_client(self):
        for number in (15, 2):
            with self.subTest(number):
                exporter = self.start(f"--block.dir={self.blocks}")
                idle = socket.create_connection(("127.0.0.1", exporter.port))
                self.addCleanup(idle.close)
                start = time.monotonic()
                exporter.popen.send_signal(number)
                self.assertEqual(exporter.popen.wait(10), 0)
                self.assertLess(time.monotonic() - start, exporter_case.WAITED_SECONDS)

    def test_no_answer_is_cut_short_by_a_sigterm(self):
        rounds = 1000 if os.environ.get("OUTGROWN_SOAK") else 8
        answered = 0
        # An answer of 6 MB, more than a loopback socket's buffer takes at once, so that it needs many sends.
        large = ["--store.shared-id=" + "x" * 100_000, *(f"--store=s{number}=/nowhere" for number in range(60))]
        judged = 0
        for _ in range(3 * rounds):
            exporter = exporter_case.Exporter(self.folder, f"--block.dir={self.blocks}", *large)
            stop = threading.Event()
            cut, whole = [], []

            def scrape():
                while not stop.is_set():
                    with contextlib.closing(socket.socket()) as connection:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                        received = b""
                        with contextlib.suppress(OSError):
                            connection.settimeout(10)
                            connection.connect(("127.0.0.1", exporter.port))
                            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                            while chunk := connection.recv(65536):
                                received += chunk
                    header, _, body = received.partition(b"\r\n\r\n")
                    length = re.search(rb"Content-Length: (\d+)", header)
                    if length:  # else it was refused, or closed before the answer began
                        (whole if int(length[1]) == len(body) else cut).append(len(body))

            threads = [threading.Thread(target=scrape) for _ in range(4)]
            for thread in threads:
                thread.start()
            servers.wait_for("a first answer", lambda: whole, poll_seconds=0.001)
            start = time.monotonic()
            exporter.popen.terminate()
            exporter.popen.wait(10)
            waited_seconds = time.monotonic() - start
            stop.set()
            for thread in threads:
                thread.join()
            if waited_seconds >= 1.5:  # for so long answers are waited for: this machine was too busy to read them
                continue
            self.assertEqual(cut, [])
            answered += len(whole)
            judged += 1
            if judged == rounds:
                break
        self.assertEqual(judged, rounds)
        self.assertGreater(answered, rounds)


class Systemd(exporter_case.ExporterCase):
    UNITS = exporter_case.SOURCE / "deploy" / "systemd"

    def test_it_says_when_it_is_ready_and_feeds_the_watchdog_while_its_pages_answer(self):
        for name in (str(self.folder / "notify"), f"@outgrown-test-{os.getpid()}"):
            with self.subTest(name), contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
                notify.bind(name.replace("@", "\0"))
                notify.settimeout(10)
                exporter = self.start(f"--block.dir={self.blocks}",
                                      wrapper=["env", f"NOTIFY_SOCKET={name}", "WATCHDOG_USEC=300000"])
                self.assertRegex(notify.recv(1000), rb"^READY=1\nSTATUS=Listening on 127\.0\.0\.1:\d+$")
                self.assertEqual([notify.recv(1000), notify.recv(1000)], [b"WATCHDOG=1"] * 2)
                os.kill(exporter.popen.pid, 15)
                while (message := notify.recv(1000)) == b"WATCHDOG=1":
                    pass
                self.assertEqual(message, b"STOPPING=1")
                self.assertEqual(exporter.popen.wait(10), 0)

    def stop_accepting(self, exporter):
        """Stops the one thread that accepts connections, as a debugger does; the function that is returned lets it go on."""
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        seize, interrupt, detach, all_children = 0x4206, 0x4207, 17, 0x40000000
        thread, = (int(task.name) for task in pathlib.Path(f"/proc/{exporter.popen.pid}/task").iterdir()
                   if "master" in (task / "comm").read_text())
        for request in (seize, interrupt):
            self.assertEqual(ptrace(request, thread, None, None), 0, os.strerror(ctypes.get_errno()))
        os.waitpid(thread, all_children)
        self.addCleanup(ptrace, detach, thread, None, None)  # also if the test fails: else its end is never waited for
        return lambda: ptrace(detach, thread, None, None)

    def test_a_signal_is_taken_while_the_watchdogs_request_waits_for_an_answer(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
            notify.bind(str(self.folder / "notify"))
            notify.settimeout(10)
            exporter = self.start(f"--block.dir={self.blocks}",
                                  wrapper=["env", f"NOTIFY_SOCKET={self.folder / 'notify'}", "WATCHDOG_USEC=300000"])
            while notify.recv(1000) != b"WATCHDOG=1":
                pass
            go_on = self.stop_accepting(exporter)
            notify.settimeout(0.5)
            with self.assertRaises(TimeoutError):  # it is not fed: the request waits, for 5 s
                while True:
                    notify.recv(1000)
            start = time.monotonic()
            exporter.popen.terminate()
            notify.settimeout(10)
            self.assertEqual(notify.recv(1000), b"STOPPING=1")
            self.assertLess(time.monotonic() - start, exporter_case.WAITED_SECONDS)
            go_on()
            self.assertEqual(exporter.popen.wait(10), 0)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_the_units_are_hardened(self):
        for unit in ("outgrown-exporter.service", "outgrown-evaluate.service"):
            with self.subTest(unit):
                done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", self.UNITS / unit],
                                      capture_output=True, text=True, check=False)
                level = re.search(r"Overall exposure level for \S+: (\d+\.\d)", done.stdout)
                self.assertIsNotNone(level, done.stdout + done.stderr)
                self.assertLessEqual(float(level[1]), 1.1)


if __name__ == "__main__":
    exporter_case.main()
