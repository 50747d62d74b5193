"""What "sufficient" rests on: each situation of docs/decision.md's table of evidence that an application, its files or the scraping
make, to the decision (evidence_case.py). evidence_system_test.py has those that the machine makes.

Usage: evidence_test.py BUILD_FOLDER
"""

import dataclasses
import http.server
import itertools
import os
import re
import threading
import unittest

from evidence_case import OBSERVER, PYTHON, SCALE, SUFFICIENT, WRITER, EvidenceCase, Situation, servers

THROUGHPUT = r"MIGRATE NOW - Throughput >100/sec \(capacity ceiling\)"
ANOTHER_FILE = r"UNDETERMINED - the application writes to another file than the exporter reads"
NOT_COUNTED = r"UNDETERMINED - the application has the store open but does not count its writes"
UNLINKED = r"UNDETERMINED - the application writes to a file that is no longer at its path, or is in another container"
ELSEWHERE = r"UNDETERMINED - more writes were counted than this file shows: the application writes to another file, too"
REFUSED = r"UNDETERMINED - counting was refused: another database has this store's name"
ERRORS = r"MIGRATE NOW - Write errors >1% \(SQLite saturated\)"
BLOCKED = r"UNDETERMINED - P99 write latency: (the recorded series has stopped|no recorded series)"
EXCLUSIVE = (r"UNDETERMINED - a process keeps the database locked, so that its commits can't be counted "
             r"\(PRAGMA locking_mode=EXCLUSIVE\)")
NO_BLOCK = r"UNDETERMINED - the exporter can't read a counter block"
NO_LOG = r"UNDETERMINED - a process holds the database open, but its write-ahead log is not at this path"
MISSED_COMMITS = r"UNDETERMINED - (the exporter missed commits|Write errors: writes go uncounted)"
ALONE = r"^SQLite sufficient$"
PENDING = r"SQLite sufficient - pending: Throughput >\d+/sec \(.*\) since \d+:\d+ UTC, \d+ s of 10 s.*"
# What is said instead of PENDING where a busy machine missed an evaluation.
MISSED = r"UNDETERMINED - Writes per second: beyond the limit, with samples missing in between"

# Below the allowance, which is 7 in the 15 s of the demo's windows.
SLOWLY = "--rate=0.4"
# The exporter in a namespace of its own, where the single file is mounted at another path.
MOUNTED = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', "{database}", "{folder}/mount/state.db")
# The exporter with a second folder of blocks.
TWO_FOLDERS = ("sh", "-c", 'exec "$@" "--block.dir=$0"', "{folder}/again")
# The exporter with the folder of blocks under a second name.
BOUND = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$1" && again=$1 && shift && exec "$@" "--block.dir=$again"',
         "{folder}/blocks", "{folder}/again")

SITUATIONS = {
    "long-lived": Situation(SUFFICIENT, ((True, "steady"),), rate=(18, 22)),
    "rollback": Situation(SUFFICIENT, ((True, "steady", "--journal=delete"),), rate=(18, 22)),
    "connection-per-request": Situation(SUFFICIENT, ((True, "request"),), rate=(18, 22)),
    # Lives of the wal-index that overlap: an application of several processes, and one that reads.
    "processes-with-requests": Situation(SUFFICIENT, (*[(True, "request", "--rate=5")] * 4, (False, "glance", "--rate=5")), rate=(18, 22)),
    "process-per-request": Situation(SUFFICIENT, ((True, "process", "--rate=10"),), rate=(9, 11)),
    "process-killed": Situation(SUFFICIENT, ((True, "killed", "--rate=10"),), rate=(9, 11)),
    "only-read": Situation(SUFFICIENT, ((True, "look"),), rate=(0, 0.5)),
    "one-of-150-counted": Situation(THROUGHPUT, ((False, "request", f"--rate={SCALE * 149}"), (True, "request", f"--rate={SCALE}")),
                                    is_timed=True, coverage=(0, 0.03), never=SUFFICIENT),
    "nothing-adopted-busy": Situation(THROUGHPUT, ((False, "request", f"--rate={SCALE * 148}"),),
                                      is_timed=True, coverage=(0, 0.01), store="state.db", never=SUFFICIENT),
    # Counted wholly; before its window is full it is not yet beyond the limit.
    "busy-from-the-start": Situation(THROUGHPUT, ((True, "steady", f"--rate={SCALE * 148}"),), never=ALONE),
    "rises": Situation(THROUGHPUT, ((True, "rise", f"--rate={SCALE * 148}"),), before=f"{PENDING}|{MISSED}"),
    "nothing-adopted-quiet": Situation(NOT_COUNTED, ((False, "steady", "--rate=5"),), store="state.db"),
    # With the observer, which may not make a block.
    "no-folder-of-blocks": Situation(NOT_COUNTED, ((True, "steady", "--rate=5"),), store="state.db",
                                     environment={"OUTGROWN_DIR": "/proc/none"}),
    "replaced": Situation(ANOTHER_FILE, ((True, "replace"),)),
    "moved": Situation(UNLINKED, ((True, "move"),)),
    "unlinked": Situation(UNLINKED, ((True, "unlink"),)),
    "emptied": Situation(UNLINKED, ((True, "emptied"),)),
    "another-container": Situation(UNLINKED, ((True, "container"),), needs=("mount",)),
    "another-container-named": Situation(SUFFICIENT, ((True, "container"),), rate=(18, 22), store="state.db", needs=("mount",)),
    "exporter-sees-a-copy": Situation(ANOTHER_FILE, ((True, "steady"),), store="copy.db", prepare="copy"),
    "log-removed": Situation(NO_LOG, ((True, "remove"),)),
    "log-replaced": Situation(NO_LOG, ((True, "restore_log"),)),
    "no-statement-compiles": Situation(ERRORS, ((True, "damage"),)),
    "old-snapshots": Situation(ERRORS, ((True, "upgrade", "--rate=5"),), advice="BEGIN IMMEDIATE.*nor another database is needed"),
    # Its only writes that aren't without a change are those that fail.
    "idle-poller": Situation(SUFFICIENT, ((True, "poll", "--rate=40"),), rate=(0, 1), never="^MIGRATE"),
    # Few beside the polls, many of its own.
    "writer-beside-poller": Situation(ERRORS, ((True, "poll_beside_writer", "--rate=80"),)),
    "blocked": Situation(BLOCKED, ((True, "block"),), rate=(0, 0)),
    "hard-link": Situation(NO_LOG, ((True, "steady"),), store="link/state.db", prepare="hard_link"),
    # Commits that neither the wal-index nor a look in a rollback mode shows.
    "imported-between-looks": Situation(MISSED_COMMITS, ((True, "request", "--rate=2"), (False, "import_rows"))),
    "replicated": Situation(SUFFICIENT, ((True, "steady", "--rate=5"), (False, "sidecar")), rate=(4.5, 6)),
    "two-databases": Situation(SUFFICIENT, ((True, "attach", "--rate=5"),), rate=(4.5, 5.5)),
    # Counted is beyond the limit, committed to this file is not.
    "two-files-of-one-name": Situation(ELSEWHERE, ((True, "files", f"--rate={SCALE * 60}"),), named="state=*",
                                       rate=(SCALE * 54, SCALE * 66), never="^MIGRATE"),
    "two-busy-files-of-one-name": Situation(THROUGHPUT, ((True, "files", f"--rate={SCALE * 148}"),), named="state=*",
                                            rate=(SCALE * 134, SCALE * 160)),
    # The other file itself is seen only if a scrape meets one of the processes.
    "copy-of-one-name": Situation(f"{ELSEWHERE}|{ANOTHER_FILE}", ((True, "copy", SLOWLY),), named="state=*", before=ELSEWHERE),
    "single-file-mount": Situation(ELSEWHERE, ((True, "request", SLOWLY),), store="mount/state.db", prepare="mount",
                                   within=MOUNTED, needs=("mount",)),
    "single-file-mount-held": Situation(NO_LOG, ((True, "steady"),), store="mount/state.db", prepare="mount", within=MOUNTED,
                                        needs=("mount",)),
    "exclusive": Situation(EXCLUSIVE, ((True, "exclusive", "--rate=2"),)),
    "exclusive-rollback": Situation(EXCLUSIVE, ((True, "exclusive", "--rate=2", "--journal=delete"),)),
    # Each has its log's index in memory alone, so that no commit shows.
    "exclusive-requests": Situation(MISSED_COMMITS, ((False, "exclusive_requests", "--rate=10"), (True, "request", SLOWLY)),
                                    never=SUFFICIENT),
    "blocks-by-two-names": Situation(SUFFICIENT, ((True, "steady"),), rate=(18, 22), prepare="again", within=BOUND, needs=("mount",)),
    "blocks-of-one-name": Situation(NO_BLOCK, ((True, "steady"),), prepare="other_application", within=TWO_FOLDERS),
    "block-of-a-later-version": Situation(NO_BLOCK, ((True, "steady"),), prepare="later_version"),
    # Of a rolling restart the old process has the old file open, until it ends.
    "rolling-restart": Situation(SUFFICIENT, ((False, "roll", f"--first-observer={OBSERVER}"),), rate=(18, 22), before=ANOTHER_FILE),
    "release-folder": Situation(REFUSED, ((True, "release"),)),
}


@dataclasses.dataclass
class Scraped:
    """Two targets that get the same instance: the exporters of which situations, and the further labels of each."""
    targets: tuple
    labels: tuple
    line: str
    differs_by: str = ""  # what the alert SharedIdentity says; "": there is none


TWO_STORES = r"UNDETERMINED - two stores have the same labels"
FROZEN = r"UNDETERMINED - the exporter's values don't change: a cache or a Pushgateway answers in its place"
TWO_EXPORTERS = r"UNDETERMINED - two exporters answer at one address, or one starts again and again"
SCRAPED = {
    "one-store-twice": Scraped(("long-lived", "long-lived"), ({"service": "a"}, {"service": "b"}), SUFFICIENT),
    "two-stores": Scraped(("long-lived", "rollback"), ({"cluster": "a"}, {"cluster": "b"}), TWO_STORES, "another label"),
    "two-stores-in-one-series": Scraped(("two-stores-by-turns",), ({},), TWO_STORES, "no label"),
    # The stores' own label is then exported_database.
    "target-label-database": Scraped(("two-databases",), ({"database": "state"},), TWO_STORES, "exported_database"),
    # Ours is then exported_status, of which no rule knows the errors.
    "target-label-status": Scraped(("old-snapshots",), ({"status": "prod"},), r"UNDETERMINED - Write errors: no recorded series"),
    "two-exporters-in-one-series": Scraped(("two-exporters-by-turns",), ({},), TWO_EXPORTERS),
    "page-in-a-cache": Scraped(("cache",), ({},), FROZEN),
}


class Evidence(EvidenceCase):
    situations = SITUATIONS

    @classmethod
    def scrape_configs(cls):
        # A second one beside the first, whose totals are behind by more than is written between two scrapes: else they never go back.
        servers.wait_for("a hundred commits", lambda: int(re.search(rb"(?m)^checkpoint_store_commits_total.* (\d+)$", cls.page_of(
            cls.targets["long-lived"]))[1]) >= 100)
        again = cls.start_exporter("long-lived")
        page = cls.page_of(cls.targets["long-lived"])
        # One address, so that they take turns for certain.
        exporters = itertools.cycle((cls.targets["long-lived"], again))
        stores = itertools.cycle((cls.targets["long-lived"], cls.targets["rollback"]))
        targets = {**cls.targets, "cache": cls.serve(lambda: page),
                   "two-exporters-by-turns": cls.serve(lambda: cls.page_of(next(exporters))),
                   "two-stores-by-turns": cls.serve(lambda: cls.page_of(next(stores)))}
        return [{"job_name": name, "static_configs": [{"targets": [target]}]} for name, target in cls.targets.items()] + [
            {"job_name": name, "relabel_configs": [{"target_label": "instance", "replacement": "same"}],
             "static_configs": [{"targets": [targets[target]], "labels": labels}
                                for target, labels in zip(scraped.targets, scraped.labels)]}
            for name, scraped in SCRAPED.items()]

    @staticmethod
    def page_of(target):
        return servers.get(f"http://{target}/metrics").encode()

    @classmethod
    def serve(cls, make_page):
        """A server that answers with what `make_page` gives; its address."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = make_page()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        cls.stack.callback(server.server_close)
        cls.stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever).start()
        return f"127.0.0.1:{server.server_port}"

    @staticmethod
    def again(folder, _):
        (folder / "again").mkdir(mode=0o700)

    @classmethod
    def other_application(cls, folder, database):
        """With a block of the same name in a folder of its own, about a database of its own."""
        (folder / "again").mkdir(mode=0o700)
        (folder / "other").mkdir()
        cls.processes.append(cls.stack.start(servers.Process(
            "other-writer", [PYTHON, WRITER, "steady", folder / "other" / database.name, f"--observer={OBSERVER}"], folder,
            env={"OUTGROWN_DIR": str(folder / "again")})))

    @staticmethod
    def later_version(folder, _):
        (folder / "blocks" / "state.v2.counters").touch(0o600)

    @staticmethod
    def copy(folder, database):
        servers.wait_for("the database", lambda: database.exists() and database.stat().st_size)
        (folder / "copy.db").write_bytes(database.read_bytes())

    @staticmethod
    def hard_link(folder, database):
        servers.wait_for("the database", database.exists)
        (folder / "link").mkdir()
        os.link(database, folder / "link" / "state.db")

    @staticmethod
    def mount(folder, database):
        servers.wait_for("the database", lambda: database.exists() and database.stat().st_size)
        (folder / "mount").mkdir()
        (folder / "mount" / "state.db").touch()

    @classmethod
    def wrongly_scraped(cls, name):
        store, scraped = cls.seen.get(name), SCRAPED[name]
        if store is None:
            return "no decision"
        alerts = servers.query(cls.prometheus.url, f'ALERTS{{alertname="CheckpointSharedIdentity",job="{name}"}}')
        differ = [alert["metric"]["differs_by"] for alert in alerts]
        if re.fullmatch(scraped.line, store["line"]) and differ == ([scraped.differs_by] if scraped.differs_by else []):
            return ""
        return f"{store['line']} and {differ}, where {scraped.line} and {scraped.differs_by} are right"

    @classmethod
    def decided(cls):
        if SUFFICIENT in cls.lines["rises"]:
            (cls.folder / "rises" / "rise").touch()
        if any(re.fullmatch(ANOTHER_FILE, line) for line in cls.lines["rolling-restart"]):
            (cls.folder / "rolling-restart" / "end").touch()
        super().decided()
        cls.found |= {name: cls.wrongly_scraped(name) for name in SCRAPED}
        return not any(cls.found.values())

    def line_of(self, name):
        return self.evaluate()[name]["line"]

    def test_an_older_rule_file_that_was_left_beside_the_new_one_leaves_no_verdict(self):
        older, rules = self.rules.read_text(), f"{self.prometheus.url}/-/reload"
        self.assertIn('{status="error"}[15s]', older)
        self.older_rules.write_text(older.replace('{status="error"}[15s]', '{status="failed"}[15s]'))
        servers.post(rules)
        unknown = "UNDETERMINED - Write errors: rules with different expressions record it"
        servers.wait_for("no verdict", lambda: self.line_of("old-snapshots") == self.line_of("long-lived") == unknown, 30, 1)
        self.older_rules.unlink()
        servers.post(rules)
        servers.wait_for("a verdict again", lambda: self.line_of("long-lived") == SUFFICIENT, 60, 1)


Evidence.add()
for scraped_name in SCRAPED:
    def test(self, name=scraped_name):
        self.assertEqual(self.found.get(name, f"no decision: {self.not_ready}"), "")
    setattr(Evidence, "test_" + scraped_name.replace("-", "_"), test)


if __name__ == "__main__":
    unittest.main()
