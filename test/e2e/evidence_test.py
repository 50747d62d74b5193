"""What "sufficient" rests on: each situation of docs/decision.md's table of evidence with real applications on real SQLite files,
through the exporter and a real Prometheus, to the decision. One exporter a situation, all at the same time.

The spec is the demo's, whose windows are short. The applications are those of evidence_writer.py. A connection for each
write costs the disk two syncs, and on a busy machine 148 a second are too many: so limits and rates are two fifths of the real
ones, which OUTGROWN_SOAK=1 takes.

Usage: evidence_test.py BUILD_FOLDER
"""

import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
EXPORTER = BUILD / "exporter" / "outgrown-exporter"
OBSERVER = BUILD / "clients" / "sqlite_observer" / "outgrown_sqlite.so"
WRITER = pathlib.Path(__file__).with_name("evidence_writer.py")
SCALE = 1 if os.environ.get("OUTGROWN_SOAK") else 0.4
PYTHON = "/usr/bin/python3"  # its sqlite3 loads extensions
WAIT_SECONDS = 30

SUFFICIENT = r"SQLite sufficient"
THROUGHPUT = r"MIGRATE NOW - Throughput >100/sec \(capacity ceiling\)"
ANOTHER_FILE = r"UNDETERMINED - the application writes to another file than the exporter reads"
NOT_COUNTED = r"UNDETERMINED - the application has the store open but does not count its writes"
ELSEWHERE = r"UNDETERMINED - more writes were counted than this file shows: the application writes to another file, too"
REFUSED = r"UNDETERMINED - counting was refused: another database has this store's name"
ERRORS = r"MIGRATE NOW - Write errors >1% \(SQLite saturated\)"
BLOCKED = r"UNDETERMINED - P99 write latency: (the recorded series has stopped|no recorded series)"
EXCLUSIVE = (r"UNDETERMINED - a process keeps the database locked, so that its commits can't be counted "
             r"\(PRAGMA locking_mode=EXCLUSIVE\)")
NO_LOG = r"UNDETERMINED - a process holds the database open, but its write-ahead log is not at this path"


@dataclasses.dataclass
class Situation:
    line: str  # a pattern for the verdict's line
    writers: tuple  # (counted, arguments of evidence_writer.py after the database)
    rate: tuple = ()  # between which the recorded writes per second must lie
    store: str = ""  # the exporter's --store path, from the situation's folder; "": the block says it
    prepare: str = ""  # a method of the test
    named: str = ""  # the applications' OUTGROWN_STORE
    is_mounted: bool = False  # the exporter sees the single file, mounted at `store`


# Below the allowance, which is 7 in the 15 s of the demo's windows.
SLOWLY = "--rate=0.4"
CAN_MOUNT = subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 if \
    shutil.which("unshare") else False


SITUATIONS = {
    "long-lived": Situation(SUFFICIENT, ((True, "steady"),), rate=(18, 22)),
    "rollback": Situation(SUFFICIENT, ((True, "steady", "--journal=delete"),), rate=(18, 22)),
    "connection-per-request": Situation(SUFFICIENT, ((True, "request"),), rate=(18, 22)),
    "process-per-request": Situation(SUFFICIENT, ((True, "process", "--rate=10"),), rate=(9, 11)),
    "only-read": Situation(SUFFICIENT, ((True, "look"),), rate=(0, 0.5)),
    "one-of-150-counted": Situation(THROUGHPUT, ((False, "request", f"--rate={SCALE * 149}"), (True, "request", f"--rate={SCALE}")),
                                    rate=(SCALE * 130, SCALE * 158)),
    "nothing-adopted-busy": Situation(THROUGHPUT, ((False, "request", f"--rate={SCALE * 148}"),),
                                      rate=(SCALE * 130, SCALE * 155), store="state.db"),
    "nothing-adopted-quiet": Situation(NOT_COUNTED, ((False, "steady", "--rate=5"),), store="state.db"),
    "replaced": Situation(ANOTHER_FILE, ((True, "replace"),)),
    "exporter-sees-a-copy": Situation(ANOTHER_FILE, ((True, "steady"),), store="copy.db", prepare="copy"),
    "log-removed": Situation(NO_LOG, ((True, "remove"),)),
    "no-statement-compiles": Situation(ERRORS, ((True, "damage"),)),
    "blocked": Situation(BLOCKED, ((True, "block"),), rate=(0, 0)),
    "hard-link": Situation(NO_LOG, ((True, "steady"),), store="link/state.db", prepare="hard_link"),
    "replicated": Situation(SUFFICIENT, ((True, "steady", "--rate=5"), (False, "sidecar")), rate=(4.5, 6)),
    "two-databases": Situation(SUFFICIENT, ((True, "attach", "--rate=5"),), rate=(4.5, 5.5)),
    "two-files-of-one-name": Situation(ELSEWHERE, ((True, "files", "--rate=2"),), named="state=*"),
    "copy-of-one-name": Situation(ELSEWHERE, ((True, "copy", SLOWLY),), named="state=*"),
    "single-file-mount": Situation(ELSEWHERE, ((True, "request", SLOWLY),), store="mount/state.db", prepare="mount",
                                   is_mounted=True),
    "exclusive": Situation(EXCLUSIVE, ((True, "exclusive", "--rate=2"),)),
    "exclusive-rollback": Situation(EXCLUSIVE, ((True, "exclusive", "--rate=2", "--journal=delete"),)),
    "release-folder": Situation(REFUSED, ((True, "release"),)),
}
if not CAN_MOUNT:
    del SITUATIONS["single-file-mount"]


@dataclasses.dataclass
class Scraped:
    """Two targets that get the same instance: the exporters of which situations, and the further labels of each."""
    targets: tuple
    labels: tuple
    line: str
    differs_by: str = ""  # what the alert SharedIdentity says; "": there is none


TWO_STORES = r"UNDETERMINED - two stores have the same labels"
TWO_EXPORTERS = r"UNDETERMINED - two exporters answer at one address, or one starts again and again"
SCRAPED = {
    "one-store-twice": Scraped(("long-lived", "long-lived"), ({"service": "a"}, {"service": "b"}), SUFFICIENT),
    "two-stores": Scraped(("long-lived", "rollback"), ({"cluster": "a"}, {"cluster": "b"}), TWO_STORES, "another label"),
    "two-stores-in-one-series": Scraped(("long-lived", "rollback"), ({}, {}), TWO_STORES, "no label"),
    # The stores' own label is then exported_database.
    "target-label-database": Scraped(("two-databases",), ({"database": "state"},), TWO_STORES, "exported_database"),
    "two-exporters-in-one-series": Scraped(("long-lived", "long-lived-again"), ({}, {}), TWO_EXPORTERS),
}


class Evidence(ServerCase):
    @classmethod
    def start(cls):
        cls.generate()
        cls.processes = []
        targets = {name: cls.start_situation(name, situation) for name, situation in SITUATIONS.items()}
        targets["long-lived-again"] = cls.start_exporter("long-lived")  # a second one beside the first
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                  "rule_files": [str(cls.rules)],
                  "scrape_configs": [{"job_name": name, "static_configs": [{"targets": [target]}]}
                                     for name, target in targets.items()]}
        config["scrape_configs"] += [
            {"job_name": name, "relabel_configs": [{"target_label": "instance", "replacement": "same"}],
             "static_configs": [{"targets": [targets[target]], "labels": labels}
                                for target, labels in zip(scraped.targets, scraped.labels)]}
            for name, scraped in SCRAPED.items()]
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, config=json.dumps(config)))
        cls.processes.append(cls.prometheus)
        cls.seen = {}
        cls.not_ready = None
        try:
            servers.wait_for("every situation's verdict", cls.decided, WAIT_SECONDS, 2, alive=cls.processes)
        except servers.NotReady as problem:
            cls.not_ready = problem  # each situation's test says what it saw

    @classmethod
    def generate(cls):
        text = (ROOT / "demo" / "checkpoint.toml").read_text()
        for limit in (100, 80):
            assert f"above   = {limit}\n" in text
            text = text.replace(f"above   = {limit}\n", f"above   = {SCALE * limit:g}\n")
        (cls.folder / "demo").mkdir()
        (cls.folder / "rules").mkdir()
        cls.spec = cls.folder / "demo" / "checkpoint.toml"
        cls.spec.write_text(text)
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", cls.folder / "rules")
        subprocess.run([RULEGEN, "--generate", "--spec", cls.spec], check=True, capture_output=True)
        cls.rules = cls.folder / "demo" / "gen" / "checkpoint.rules.yml"

    @classmethod
    def start_situation(cls, name, situation):
        """The applications and the exporter of one; the exporter's address."""
        folder = cls.folder / name
        blocks = folder / "blocks"
        folder.mkdir()
        blocks.mkdir(mode=0o700)
        database = folder / "state.db"
        for number, (counted, what, *arguments) in enumerate(situation.writers):
            observer = [f"--observer={OBSERVER}"] if counted else []
            cls.processes.append(cls.stack.start(servers.Process(
                f"writer-{number}", [PYTHON, WRITER, what, database, *observer, *arguments], folder,
                env={"OUTGROWN_DIR": str(blocks)} | ({"OUTGROWN_STORE": situation.named} if situation.named else {}))))
        if situation.prepare:
            getattr(cls, situation.prepare)(folder, database)
        return cls.start_exporter(name)

    @classmethod
    def start_exporter(cls, name):
        folder = cls.folder / name
        blocks = folder / "blocks"
        store = [f"--store=state={folder / SITUATIONS[name].store}"] if SITUATIONS[name].store else []
        program = folder / "mounted" if SITUATIONS[name].is_mounted else EXPORTER
        exporter = cls.stack.start(servers.exporter(folder, program, [f"--block.dir={blocks}", f"--spec={cls.spec}", *store]))
        cls.processes.append(exporter)
        servers.get(exporter.url + "/metrics")  # its totals begin now: those of long-lived-again are behind from then on
        return exporter.url.removeprefix("http://")

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
        program = folder / "mounted"  # the exporter in a namespace of its own
        program.write_text('#!/bin/sh\nexec unshare --mount sh -c \'mount --bind "$0" "$1" && shift && exec "$@"\' '
                           + shlex.join(str(word) for word in (database, folder / "mount" / "state.db", EXPORTER)) + ' "$@"\n')
        program.chmod(0o700)

    @classmethod
    def evaluate(cls):
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", cls.spec, "--prometheus", cls.prometheus.url, "--format", "json",
                               "--log", cls.folder / "log"], capture_output=True, text=True, check=False, timeout=60)
        stores = json.loads(done.stdout)["evaluations"][0]["stores"]
        # A copy that is moved over the database was a store of its own before.
        return {store["labels"]["job"]: store for store in stores if store["labels"]["database"] == "state"}

    @classmethod
    def wrong(cls, name):
        """What is not as it should be in the newest answer about a situation; "" if nothing is."""
        store = cls.seen.get(name)
        if store is None:
            return f"no decision: {cls.not_ready}"
        if name in SCRAPED:
            return cls.wrongly_scraped(name, store)
        situation = SITUATIONS[name]
        if not re.fullmatch(situation.line, store["line"]):
            return f"{store['line']}, where {situation.line} is right"
        rate = next(signal["value"] for signal in store["signals"] if signal["id"] == "writes_per_second")
        if situation.rate and not (rate is not None and situation.rate[0] <= rate <= situation.rate[1]):
            return f"{rate} writes a second, where {situation.rate} are right"
        return ""

    @classmethod
    def wrongly_scraped(cls, name, store):
        scraped = SCRAPED[name]
        alerts = servers.query(cls.prometheus.url, f'ALERTS{{alertname="CheckpointSharedIdentity",job="{name}"}}')
        differ = [alert["metric"]["differs_by"] for alert in alerts]
        if re.fullmatch(scraped.line, store["line"]) and differ == ([scraped.differs_by] if scraped.differs_by else []):
            return ""
        return f"{store['line']} and {differ}, where {scraped.line} and {scraped.differs_by} are right"

    @classmethod
    def decided(cls):
        cls.seen = cls.evaluate()
        return not any(cls.wrong(name) for name in (*SITUATIONS, *SCRAPED))


def add(name):
    def test(self):
        self.assertEqual(self.wrong(name), "")
    setattr(Evidence, "test_" + name.replace("-", "_"), test)


for situation_name in (*SITUATIONS, *SCRAPED):
    add(situation_name)


if __name__ == "__main__":
    unittest.main()
