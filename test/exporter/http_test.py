"""The exporter's pages over HTTP: methods, paths, requests that are none, addresses."""

import contextlib
import http.client
import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402


class Pages(exporter_case.SharedExporterCase):
    def test_each_page_answers_get_and_head(self):
        pages = {"/metrics": "text/plain; version=0.0.4; charset=utf-8", "/": "text/html; charset=utf-8",
                 "/-/healthy": "text/plain; charset=utf-8", "/-/ready": "text/plain; charset=utf-8"}
        for path, content_type in pages.items():
            with self.subTest(path):
                status, headers, body = self.exporter.get(path)
                self.assertEqual(status, 200)
                self.assertEqual(headers["Content-Type"], content_type)
                self.assertEqual(int(headers["Content-Length"]), len(body.encode()))
                self.assertEqual(headers["Connection"], "close")
                status, headers, body = self.exporter.request("HEAD", path)
                self.assertEqual((status, body), (200, ""))
                self.assertEqual(headers["Content-Type"], content_type)
                self.assertGreater(int(headers["Content-Length"]), 0)
                self.assertEqual(self.exporter.get(path + "?a=b")[0], 200)

    def test_nothing_but_its_own_pages(self):
        for path in ("/etc/passwd", "/../../../../etc/passwd", "/metrics/", "/metrics/..", "/x/../metrics", "/%6detrics",
                     "//metrics", "/-/", "/-/quit", "/favicon.ico", "/index.html", "/metrics%00", "/.."):
            with self.subTest(path):
                self.assertEqual(self.exporter.get(path)[0], 404)

    def test_only_get_and_head(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE", "CONNECT"):
            with self.subTest(method):
                answer = self.exporter.raw(f"{method} /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
                self.assertRegex(answer, rb"^HTTP/1\.1 40[05] ")
        status, headers, _ = self.exporter.request("POST", "/metrics", body="x" * 100)
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_requests_that_are_none_get_4xx_or_5xx_and_leave_the_exporter_well(self):
        requests = [b"\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n",
                    b"NONSENSE /metrics HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
                    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
                    b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
                    b"POST /metrics HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n"]
        for request in requests:
            with self.subTest(request[:40]):
                with contextlib.suppress(BrokenPipeError):
                    answer = self.exporter.raw(request)
                    self.assertRegex(answer, rb"^(HTTP/1\.1 [45]\d\d |$)")
        self.assertEqual(self.exporter.get("/-/healthy")[0], 200)


class TelemetryPath(exporter_case.ExporterCase):
    def test_the_landing_page_needs_nothing_from_elsewhere(self):
        exporter = self.start(f"--block.dir={self.blocks}", "--web.telemetry-path=/m")
        _, headers, body = exporter.get("/")
        self.assertNotRegex(body, r'(?i)<script|https?://|src=|url\(|@import')
        self.assertIn('href="/m"', body)
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(exporter.get("/m")[0], 200)
        self.assertEqual(exporter.get("/metrics")[0], 404)


class Ipv6(exporter_case.ExporterCase):
    """Where civetweb can (Debian 13's); elsewhere it is refused."""

    def test_it_listens_serves_many_and_ends(self):
        process = servers.Process("exporter", [exporter_case.PROGRAM, "--web.listen-address=[::1]:0",
                                               f"--block.dir={self.blocks}"], self.folder)
        self.stack.start(process)
        servers.wait_for("an end or an address", lambda: process.popen.poll() is not None or "Listening" in process.log.read_text())
        log = process.log.read_text()
        if "Listening" not in log:
            self.assertEqual(process.popen.wait(), 2)
            self.assertIn("IPv6 is not supported by this civetweb", log)
            self.skipTest("this civetweb has no IPv6")
        port = int(re.search(r"msg=Listening address=\[::1\]:(\d+)", log)[1])
        with contextlib.ExitStack() as stack:
            for _ in range(200):  # more than there are threads; none of them ends its request
                stack.enter_context(socket.create_connection(("::1", port), timeout=10)).sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            with contextlib.closing(http.client.HTTPConnection("::1", port, timeout=10)) as connection:
                connection.request("GET", "/metrics")
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertIn(b"checkpoint_exporter_build_info", answer.read())
            process.popen.terminate()
            self.assertEqual(process.popen.wait(10), 0)


if __name__ == "__main__":
    exporter_case.main()
