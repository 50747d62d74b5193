"""An exporter without an application: as many stores as a test wants, each with given behaviour, in the exporter's own
series. For tests of what comes after the exporter."""

import http.server
import threading
import time


class Kind:
    """How a store fares: writes a second, the share of errors, the size of its file, the servers that write to it, and how long
    each write takes; the line that it must get and the number of its alerts."""

    def __init__(self, line, alerts, rate=20, error_share=0.0, size=2**30, servers=1, write_seconds=0.005):
        self.line, self.alerts, self.rate, self.error_share, self.size = line, alerts, rate, error_share, size
        self.servers, self.write_seconds = servers, write_seconds

    def counted(self, seconds):
        """The writes by then, and how many of them failed."""
        writes = int(1000 + self.rate * seconds)
        return writes, int(writes * self.error_share)

    def now(self, _seconds):
        """The kind that it is then."""
        return self


class Burst(Kind):
    """A healthy store that is as `breach` says from `begin` to `end`, in seconds since the exporter's start, which the test sets
    while it runs."""

    def __init__(self, line, breach):
        super().__init__(line, 0)
        self.breach, self.begin, self.end = breach, float("inf"), float("inf")

    def counted(self, seconds):
        during = max(0, min(seconds, self.end) - self.begin)
        writes = int(1000 + self.rate * (seconds - during) + self.breach.rate * during)
        return writes, int(self.breach.rate * self.breach.error_share * during)

    def now(self, seconds):
        return self.breach if self.begin <= seconds < self.end else self


def exposition(stores, seconds):
    """What an exporter of these stores, by name, says after they have run for that long."""
    families = {}
    add = lambda family, labels, value: families.setdefault(family, []).append(f"{family}{{{labels}}} {value}")  # noqa: E731
    for name, story in stores.items():
        database = f'database="{name}"'
        kind = story.now(seconds)
        writes, errors = story.counted(seconds)
        add("checkpoint_writes_total", f'{database},status="success"', writes - errors)
        add("checkpoint_writes_total", f'{database},status="error"', errors)
        add("checkpoint_writes_total", f'{database},status="rejected"', 0)
        add("checkpoint_store_commits_total", database, writes - errors)
        add("checkpoint_counted_commits_total", database, writes - errors)
        add("checkpoint_store_commits_missed_total", database, 0)
        add("checkpoint_wal_frames", database, 0)
        add("checkpoint_wal_backfilled_frames", database, 0)
        add("checkpoint_wal_oldest_reader_seconds", database, 0)
        add("checkpoint_wal_size_bytes", database, 0)
        add("checkpoint_block_up", database, 1)
        add("checkpoint_block_trace_lost", database, 0)
        add("checkpoint_file_size_bytes", database, kind.size)
        add("checkpoint_deployment_servers", f'{database},shared_id=""', kind.servers)
        for bound in ("0.01", "0.1", "0.25", "+Inf"):
            add("checkpoint_write_duration_seconds_bucket", f'{database},le="{bound}"',
                writes if kind.write_seconds <= float(bound) else 0)
        add("checkpoint_write_duration_seconds_sum", database, writes * kind.write_seconds)
        add("checkpoint_write_duration_seconds_count", database, writes)
    families["checkpoint_write_duration_seconds_bucket"].insert(0, "# TYPE checkpoint_write_duration_seconds histogram")
    return "".join("\n".join(lines) + "\n" for lines in families.values()).encode()


class Exporter(http.server.ThreadingHTTPServer):
    """On a free port, until it is stopped."""

    daemon_threads = True

    def __init__(self, stores):
        self.stores, self.started = stores, time.monotonic()
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = exposition(stores, exporter.seconds())
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def seconds(self):
        """Since its start."""
        return time.monotonic() - self.started

    def stop(self):
        self.shutdown()
        self.server_close()
