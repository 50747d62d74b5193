"""What "sufficient" rests on, where the machine sets the limits: kernel limits of the exporter's watch, file permissions, another file
system, encryption, a full disk, a reader that never ends, and a target that vanishes; to the decision and its alerts
(evidence_case.py). Each reason has its healthy counterpart.

A situation that takes minutes has an exporter whose clock runs 20 times as fast (libfaketime).

Usage: evidence_system_test.py BUILD_FOLDER
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

from evidence_case import BUILD, HOLE, LATE, OBSERVER, SUFFICIENT, EvidenceCase, Situation, library, missing, servers

NOT_WATCHED = r"UNDETERMINED - the exporter can't watch the database's folder"
NOT_COUNTED = r"UNDETERMINED - the application has the store open but does not count its writes"
NO_BLOCK = r"UNDETERMINED - the exporter can't read a counter block"
UNREADABLE = r"UNDETERMINED - the exporter can't read the database"
ELSEWHERE = r"UNDETERMINED - more writes were counted than this file shows: the application writes to another file, too"
ERRORS = r"MIGRATE NOW - Write errors >1% \(SQLite saturated\)"
OTHER_SQLITE = r"UNDETERMINED - counting was refused: the application uses another copy of SQLite than the observer"


CLOCK = pathlib.Path(tempfile.mkdtemp(prefix="outgrown-clock-")) / "clock"


def limited(limit):
    """An exporter for which the kernel's limit is used up."""
    return ("unshare", "--user", "--map-root-user", "sh", "-c", f'echo 0 >/proc/sys/user/{limit} && exec "$@"', "sh")


def as_user(number):
    """An exporter of that user; a copy, since the tree may lie in a home folder that is closed to others."""
    return ("sh", "-c", f'cp "$1" {{folder}}/exporter && shift && exec setpriv --reuid={number} --regid={number} --clear-groups '
            '{folder}/exporter "$@"', "sh")


WITHOUT_ROOTS_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
FAST = ("env", f"LD_PRELOAD={library('faketime/libfaketime.so.1')}", "FAKETIME=+0 x20")
# A clock that CLOCK says how to set, and of which the monotonic ones are not.
SETTABLE = {"LD_PRELOAD": library("faketime/libfaketime.so.1"), "FAKETIME_TIMESTAMP_FILE": str(CLOCK), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
SQLCIPHER = {"LD_PRELOAD": library("libsqlcipher.so.*"), "KEY": "secret"}
LIBRARY = f"--library={BUILD / 'counterblock' / 'liboutgrown.so'}"
COUNTED_FIRST = f"--first-observer={OBSERVER}"
DASHBOARD = (False, "look", "--rate=2")
REQUESTS, HELD = ((True, "request"),), ((True, "steady"),)

SITUATIONS = {
    "no-watches": Situation(NOT_WATCHED, REQUESTS, within=limited("max_inotify_watches"), needs=("user namespace",)),
    "no-instances": Situation(NOT_WATCHED, REQUESTS, within=limited("max_inotify_instances"), needs=("user namespace",)),
    "no-watches-held": Situation(SUFFICIENT, HELD, rate=(18, 22), within=limited("max_inotify_watches"), needs=("user namespace",)),
    "folder-search-only": Situation(NOT_WATCHED, REQUESTS, where="apart", prepare="search_only", within=WITHOUT_ROOTS_RIGHTS,
                                    needs=("root",)),
    "folder-search-only-held": Situation(SUFFICIENT, HELD, rate=(18, 22), where="apart", prepare="search_only",
                                         within=WITHOUT_ROOTS_RIGHTS, needs=("root",)),
    "unreadable": Situation(UNREADABLE, HELD, prepare="unreadable", within=WITHOUT_ROOTS_RIGHTS, needs=("root",),
                            alerts=("DatabaseUnreadable", "CoverageIncomplete")),
    "truncated": Situation(UNREADABLE, (), store="state.db", prepare="truncated", alerts=("DatabaseUnreadable truncated",)),
    "fuse": Situation(NOT_WATCHED, REQUESTS, where="fuse", needs=("mount", "bindfs")),
    "fuse-held": Situation(SUFFICIENT, HELD, rate=(18, 22), where="fuse", needs=("mount", "bindfs")),
    # A container without a volume: beside the application, and on the host, where the layer has another device number.
    "overlay": Situation(SUFFICIENT, REQUESTS, rate=(18, 22), where="overlay", needs=("overlay",)),
    "overlay-killed": Situation(SUFFICIENT, ((True, "killed", "--rate=10"),), rate=(9, 11), where="overlay", needs=("overlay",)),
    # No lock shows through the other mount, so a log's index counts there only if it was in use before the exporter's start.
    "overlay-from-the-host": Situation(SUFFICIENT, HELD, rate=(18, 22), where="overlay", store="layer/state.db", prepare="in_use",
                                       needs=("overlay",)),
    "overlay-lower-layer": Situation(ELSEWHERE, HELD, where="overlay_of_a_copy", store="image/state.db", needs=("overlay",)),
    # Debian's SQLCipher is older than what the observer needs; ./run test clients has newer ones under it.
    "encrypted": Situation(SUFFICIENT, ((False, "api", LIBRARY),), rate=(18, 22), environment=SQLCIPHER, needs=("sqlcipher",)),
    "encrypted-rollback": Situation(UNREADABLE, ((False, "api", LIBRARY, "--journal=delete", "--rate=1"),), environment=SQLCIPHER,
                                    needs=("sqlcipher",), alerts=("DatabaseUnreadable encrypted",)),
    "old-sqlite": Situation(OTHER_SQLITE, HELD, environment={"LD_PRELOAD": SQLCIPHER["LD_PRELOAD"]}, needs=("old sqlite",)),
    # Each connection begins a log's index, for which there is no room.
    "full-disk-counted": Situation(ERRORS, ((True, "fill"),), where="small_disk", needs=("mount",)),
    # Redeployed uncounted, and each write fails.
    "full-disk": Situation(NOT_COUNTED, ((False, "redeploy", "--fails=full", COUNTED_FIRST, "--rate=2"),), where="small_disk",
                           within=FAST, needs=("mount", "faketime")),
    "locked": Situation(NOT_COUNTED, ((False, "redeploy", "--fails=locked", COUNTED_FIRST, "--rate=2"),), within=FAST,
                        needs=("faketime",)),
    # A daily job that is not running: a dashboard has the store open, another one opens it for each look, a sidecar replicates it.
    "daily-job": Situation(SUFFICIENT, ((False, "redeploy", COUNTED_FIRST, "--rate=2"), DASHBOARD, (False, "glance", "--rate=2"),
                                        (False, "sidecar")), rate=(0, 1), within=FAST, needs=("faketime",)),
    "block-made-anew": Situation(SUFFICIENT, ((False, "anew", COUNTED_FIRST),), rate=(18, 22), never="two stores|^MIGRATE"),
    # Kubernetes' emptyDir without fsGroup: root's, and open to all. One user for application and exporter, or two.
    "one-user": Situation(SUFFICIENT, ((True, "steady", "--user=4241"),), rate=(18, 22), where="empty_dir", within=as_user(4241),
                          needs=("root",)),
    "two-users": Situation(NO_BLOCK, ((True, "steady", "--user=4241"),), where="empty_dir", store="database/state.db",
                           within=as_user(4242), needs=("root",), alerts=("BlockUnreadable",)),
    # The counter block outlives the boot: its last times are of another one, or in the future.
    "reboot": Situation(SUFFICIENT, ((False, "reboot", COUNTED_FIRST),), rate=(18, 22), needs=("mount", "time namespace")),
    "reboot-after-long": Situation(SUFFICIENT, ((False, "reboot", COUNTED_FIRST, "--uptime=864000"),), rate=(18, 22),
                                   needs=("mount", "time namespace")),
    "pod": Situation(SUFFICIENT, HELD, rate=(18, 22)),
    "set-clock": Situation(SUFFICIENT, HELD, rate=(18, 22), within=("env", *(f"{name}={value}" for name, value in
                           SETTABLE.items())), needs=("faketime",), never="^MIGRATE"),
    "held-back": Situation(SUFFICIENT, ((True, "held_back"),), rate=(18, 22), alerts=("WalHeldBack",)),
}


class EvidenceOfTheSystem(EvidenceCase):
    situations = SITUATIONS

    @classmethod
    def spec_text(cls):
        """Alerts about the measurement after seconds, too."""
        text = super().spec_text()
        begin = text.index("# --- watches")
        return text[:begin] + re.sub(r'(?m)^(for +)= "\d+m"$', r'\1= "3s"', text[begin:])

    @classmethod
    def start(cls):
        cls.vanishing, cls.pods = cls.folder / "vanishing.json", cls.folder / "pods.json"
        cls.set_clock("+0")
        cls.stack.callback(shutil.rmtree, CLOCK.parent)
        cls.pool = cls.stack.enter_context(concurrent.futures.ThreadPoolExecutor())
        cls.courses = {}
        super().start()
        cls.begin(*COURSES)

    @classmethod
    def begin(cls, *courses):
        for name in set(courses) - set(cls.courses):
            cls.courses[name] = cls.pool.submit(getattr(cls(name), name))

    @classmethod
    def decided(cls):
        done = super().decided()
        # What it does disturbs no situation, and it is the longest.
        if SUFFICIENT in cls.lines["pod"]:
            cls.begin("course_a_pod_with_a_new_address_is_the_same_store_only_where_its_instance_is_its_name")
        return done

    @classmethod
    def scrape_configs(cls):
        cls.discover(cls.vanishing, cls.targets["held-back"])
        cls.discover(cls.pods, cls.targets["pod"])
        stable = [{"target_label": "instance", "replacement": "shop/app-0"}]
        return [*super().scrape_configs(),
                {"job_name": "vanishing", "file_sd_configs": [{"files": [str(cls.vanishing)]}]},
                {"job_name": "pod-by-address", "file_sd_configs": [{"files": [str(cls.pods)]}]},
                {"job_name": "pod-by-name", "file_sd_configs": [{"files": [str(cls.pods)]}], "relabel_configs": stable}]

    @staticmethod
    def discover(file, *targets):
        file.write_text(json.dumps([{"targets": targets}]))

    @staticmethod
    def set_clock(offset):
        new = CLOCK.with_name("new")
        new.write_text(offset)
        new.rename(CLOCK)

    @staticmethod
    def apart(folder, database):
        pass  # one of its own, beside which the blocks lie

    @classmethod
    def empty_dir(cls, folder, database):
        cls.folder.chmod(0o711)
        for each in (folder / "blocks", database.parent):
            each.chmod(0o777)

    @classmethod
    def fuse(cls, folder, database):
        (folder / "source").mkdir()
        cls.processes.append(cls.stack.start(servers.Process("bindfs", ["bindfs", "-f", folder / "source", database.parent], folder)))
        servers.wait_for("the mount", lambda: os.path.ismount(database.parent))

    @classmethod
    def small_disk(cls, _, database):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", database.parent], check=True)
        cls.stack.callback(subprocess.run, ["umount", "--lazy", database.parent], check=True)

    @classmethod
    def overlay(cls, folder, database):
        for name in ("image", "layer", "work"):
            (folder / name).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={folder}/image,upperdir={folder}/layer,workdir={folder}/work", "overlay",
                        database.parent], check=True)
        cls.stack.callback(subprocess.run, ["umount", "--lazy", database.parent], check=True)

    @classmethod
    def overlay_of_a_copy(cls, folder, database):
        (folder / "image").mkdir()
        with contextlib.closing(sqlite3.connect(folder / "image" / "state.db")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE t(x)")
        cls.overlay(folder, database)

    @staticmethod
    def in_use(_, database):
        servers.wait_for("a commit", lambda: database.with_name("state.db-wal").stat().st_size)

    @staticmethod
    def truncated(_, database):
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE t AS SELECT randomblob(10000)")
        os.truncate(database, 4096)

    @staticmethod
    def search_only(_, database):
        servers.wait_for("the database", lambda: database.exists() and database.stat().st_size)
        database.parent.chmod(0o311)

    @staticmethod
    def unreadable(_, database):
        servers.wait_for("the database", database.exists)
        database.chmod(0)

    def course_a_clock_that_is_set_makes_no_rate_and_no_verdict(self):
        """Of the exporter by days, of rulegen by minutes."""
        if missing(SITUATIONS["set-clock"]):
            self.skipTest(missing(SITUATIONS["set-clock"]))
        for offset in ("-2d", "+2d", "+0"):
            self.set_clock(offset)
            lines = []
            for _ in range(4):
                lines.append(self.evaluate()["set-clock"]["line"])
                time.sleep(1)  # to the next scrape
            self.assertEqual([line for line in lines if line != "SQLite sufficient" and not LATE.match(line)], [])
            servers.wait_for("its verdict", lambda: self.evaluate()["set-clock"]["line"] == "SQLite sufficient", 30, 1)
        for function, limit in (("max", 22), ("min", 15)):
            reached = servers.query(self.prometheus.url, f'{function}_over_time(checkpoint:writes_per_second{{job="set-clock"}}[15s])')
            (self.assertLess if function == "max" else self.assertGreater)(float(reached[0]["value"][1]), limit)
        for offset in ("-30s", "-1h", "+1m", "+1h"):
            lines = {store["line"] for store in self.evaluate({**SETTABLE, "FAKETIME_TIMESTAMP_FILE": "", "FAKETIME": offset}).values()}
            # But for what was so by the right clock: a busy machine really has such a latency.
            self.assertEqual({line for line in lines if line.startswith("MIGRATE")} - set().union(*self.lines.values()), set(), offset)
            if offset.startswith("+"):
                self.assertEqual({line for line in lines if not line.startswith("UNDETERMINED")}, set(), offset)

    def test_the_landing_page_names_the_reader_that_holds_the_checkpoints_back(self):
        self.assertRegex(servers.get(f"http://{self.targets['held-back']}/"), r"process \d+ \(python3[.\d]*\)")

    def course_a_target_that_leaves_the_discovery_has_an_alert_and_no_verdict(self):
        servers.wait_for("its first verdict", lambda: "vanishing" in self.evaluate(), 30, 1)
        self.discover(self.vanishing)
        servers.wait_for("the alert", lambda: "TargetGone" in self.firing("vanishing"), 30, 1)
        servers.wait_for("the verdict", lambda: re.match("UNDETERMINED - no data", self.evaluate()["vanishing"]["line"]), 30, 1)

    def course_a_pod_with_a_new_address_is_the_same_store_only_where_its_instance_is_its_name(self):
        old = self.targets["pod"]
        lines = {"pod-by-name": set(), "pod-by-address": set()}

        def decide(*arguments):
            stores = {(store["labels"]["job"], store["labels"]["instance"]): store["line"] for store in self.stores(*arguments)}
            for (job, _), line in stores.items():
                lines.setdefault(job, set()).add(line)
            return stores

        before = [("pod-by-address", old), ("pod-by-name", "shop/app-0")]
        servers.wait_for("the old address", lambda: {decide().get(store) for store in before} == {SUFFICIENT}, 60, 1)
        for seen in lines.values():
            seen.clear()
        moved, settled = (time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() + after)) for after in (0, 5))
        new = self.start_exporter("pod")  # not earlier: what it counted beside the old one would count twice
        self.discover(self.pods, new)
        servers.wait_for("the new address", lambda: decide().get(("pod-by-address", new)) == SUFFICIENT, 60, 1)
        self.assertEqual({line for line in lines["pod-by-name"] if re.search("MIGRATE|measured since", line)}, set())
        self.assertTrue(any("measured since" in line for line in lines["pod-by-address"]), lines)
        for decided in (decide(), decide("--since", "3m")):
            line = decided["pod-by-name", "shop/app-0"]
            hole = HOLE.match(line)  # not the move's
            if not hole or (hole[1] <= settled and hole[2] >= moved):
                self.assertRegex(line, f"^{SUFFICIENT}($| - measured since )")
                self.assertLess(line.partition(" - measured since ")[2], moved)
            # Since when is looked for minute by minute, and the old address may have been there for less.
            self.assertRegex(decided["pod-by-address", old], "^UNDETERMINED - no data($| since )")
        servers.wait_for("the alert", lambda: "TargetGone" in self.firing("pod-by-address"), 30, 1)
        self.assertNotIn("TargetGone", self.firing("pod-by-name"))


EvidenceOfTheSystem.add()
# What happens one after the other, and mostly waits: all of them at the same time, and a test for each.
COURSES = [name for name in vars(EvidenceOfTheSystem) if name.startswith("course_")]
for course in COURSES:
    setattr(EvidenceOfTheSystem, course.replace("course", "test", 1), lambda self, course=course: self.courses[course].result())


if __name__ == "__main__":
    unittest.main()
