"""Situations of docs/decision.md's table of evidence: real applications on real SQLite files, each with an exporter of its own, all
at the same time, through one real Prometheus to the decision.

The spec is the demo's, whose windows are short. The applications are those of evidence_writer.py. A connection for each write costs
the disk two syncs, and on a busy machine 148 a second are too many: so limits and rates are two fifths of the real ones, which
OUTGROWN_SOAK=1 takes. Mounts are in a namespace of the test's own, and vanish with it.
"""

import ctypes
import dataclasses
import glob
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

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
WINDOW_SECONDS = 15  # of the demo's rates
SETTLE_SECONDS = 4

SUFFICIENT = r"SQLite sufficient"
LATE = re.compile("UNDETERMINED - .*: the recorded series has stopped")  # as on a machine too busy for an evaluation each second
HOLE = re.compile(r"UNDETERMINED - .*: not measured from (.* UTC) to (.* UTC), ")  # over a period of such a machine


@dataclasses.dataclass
class Situation:
    line: str  # a pattern for the verdict's line
    writers: tuple  # (counted, arguments of evidence_writer.py after the database)
    rate: tuple = ()  # between which the recorded writes per second must lie
    coverage: tuple = ()  # and the recorded coverage
    is_timed: bool = False  # the applications log their commits' times, and the recorded rate is within 5 % of that truth
    store: str = ""  # the exporter's --store path, from the situation's folder; "": the block says it
    where: str = ""  # a method of the test, which makes the folder of the database
    prepare: str = ""  # a method of the test, once the applications run
    named: str = ""  # the applications' OUTGROWN_STORE
    environment: dict = dataclasses.field(default_factory=dict)  # further variables of the applications
    within: tuple = ()  # the command before the exporter's; {folder} and {database} are the situation's
    needs: tuple = ()  # of MISSING
    alerts: tuple = ()  # that must have fired: an evaluation that comes late on a busy machine ends one for a while
    never: str = ""  # a pattern for lines that no decision may have
    before: str = ""  # a pattern for a line that some earlier decision must have had
    advice: str = ""  # a pattern for what the decision advises


def library(pattern):
    """A shared library of this machine by its path's pattern, else ""."""
    return next(iter(glob.glob(f"/usr/lib/*/{pattern}")), "")


def is_old(sqlite):
    """Whether that copy of SQLite is one that the observer refuses (kVersionMin in extension.cc)."""
    return bool(sqlite) and ctypes.CDLL(sqlite).sqlite3_libversion_number() < 3034000


def runs(*command):
    return shutil.which(command[0]) and subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                                       check=False).returncode == 0


def enter_mounts():
    """Whether this process could enter a mount namespace of its own, from which nothing spreads."""
    clone_newns = 0x20000  # linux/sched.h
    return ctypes.CDLL(None).unshare(clone_newns) == 0 and runs("mount", "--make-rprivate", "/")


def may_overlay():
    """Not on another overlay, for one."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lower", "upper", "work", "merged"):
            os.mkdir(f"{folder}/{name}")
        return runs("unshare", "--mount", "mount", "-t", "overlay", "-o",
                    f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work", "overlay", f"{folder}/merged")


# What a machine may lack: of each what to say, if it is so here.
MISSING = {
    "mount": "" if enter_mounts() else "may not mount",
    "user namespace": "" if runs("unshare", "--user", "--map-root-user", "true") else "may not make user namespaces",
    "root": "" if os.geteuid() == 0 else "only root can drop capabilities",
    "time namespace": "" if runs("unshare", "--time", "true") else "may not make time namespaces",
    "overlay": "" if may_overlay() else "may not mount an overlay",
    "bindfs": "" if shutil.which("bindfs") and os.path.exists("/dev/fuse") else "no bindfs, or no /dev/fuse",
    "sqlcipher": "" if library("libsqlcipher.so.*") else "no libsqlcipher",
    "old sqlite": "" if is_old(library("libsqlcipher.so.*")) else "the observer can use this libsqlcipher",
    "faketime": "" if library("faketime/libfaketime.so.1") else "no libfaketime",
}


def missing(situation):
    return ", ".join(MISSING[need] for need in situation.needs if MISSING[need])


class EvidenceCase(ServerCase):
    """`situations`: name -> Situation. A test for each is added by `add`."""

    situations: dict = {}

    @classmethod
    def start(cls):
        cls.generate()
        cls.processes = []
        cls.here = {name: situation for name, situation in cls.situations.items() if not missing(situation)}
        cls.targets = {name: cls.start_situation(name, situation) for name, situation in cls.here.items()}
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                  "rule_files": [str(cls.rules), str(cls.older_rules)], "scrape_configs": cls.scrape_configs()}
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, config=json.dumps(config)))
        cls.processes.append(cls.prometheus)
        cls.seen = {}
        cls.lines = {name: set() for name in cls.here}  # of all decisions
        cls.fired = {name: set() for name in cls.here}  # by the time of any of them
        cls.found = {}  # of the newest decisions: what is wrong with each situation, "" if nothing is
        cls.not_ready = None
        try:
            servers.wait_for("every situation's verdict", cls.decided, WAIT_SECONDS, 2, alive=cls.processes)
        except servers.NotReady as problem:
            cls.not_ready = problem  # each situation's test says what it saw

    @classmethod
    def scrape_configs(cls):
        return [{"job_name": name, "static_configs": [{"targets": [target]}]} for name, target in cls.targets.items()]

    @classmethod
    def spec_text(cls):
        text = (ROOT / "demo" / "checkpoint.toml").read_text()
        for limit in (100, 80):
            assert f"above   = {limit}\n" in text
            text = text.replace(f"above   = {limit}\n", f"above   = {SCALE * limit:g}\n")
        return text

    @classmethod
    def generate(cls):
        (cls.folder / "demo").mkdir()
        (cls.folder / "rules").mkdir()
        cls.spec = cls.folder / "demo" / "checkpoint.toml"
        cls.spec.write_text(cls.spec_text())
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", cls.folder / "rules")
        subprocess.run([RULEGEN, "--generate", "--spec", cls.spec], check=True, capture_output=True)
        cls.rules = cls.folder / "demo" / "gen" / "checkpoint.rules.yml"
        cls.older_rules = cls.folder / "older.rules.yml"  # not there until a test writes it

    @classmethod
    def database(cls, name):
        return cls.folder / name / ("database" if cls.situations[name].where else "") / "state.db"

    @classmethod
    def start_situation(cls, name, situation):
        """The applications and the exporter of one; the exporter's address."""
        folder = cls.folder / name
        blocks = folder / "blocks"
        folder.mkdir()
        blocks.mkdir(mode=0o700)
        database = cls.database(name)
        if situation.where:
            database.parent.mkdir()
            getattr(cls, situation.where)(folder, database)
        for number, (counted, what, *arguments) in enumerate(situation.writers):
            observer = [f"--observer={OBSERVER}"] if counted else []
            times = [f"--times={folder / f'times-{number}'}"] if situation.is_timed else []
            named = {"OUTGROWN_STORE": situation.named} if situation.named else {}
            cls.processes.append(cls.stack.start(servers.Process(
                f"writer-{number}", [PYTHON, WRITER, what, database, *observer, *times, *arguments], folder,
                env={"OUTGROWN_DIR": str(blocks), **named, **situation.environment})))
        if situation.prepare:
            getattr(cls, situation.prepare)(folder, database)
        return cls.start_exporter(name)

    @classmethod
    def start_exporter(cls, name):
        folder, situation = cls.folder / name, cls.situations[name]
        within = [word.format(folder=folder, database=cls.database(name)) for word in situation.within]
        store = [f"--store=state={folder / situation.store}"] if situation.store else []
        port = servers.free_port()
        exporter = cls.stack.start(servers.Server("exporter", [
            *within, EXPORTER, f"--web.listen-address=127.0.0.1:{port}", f"--block.dir={folder / 'blocks'}", f"--spec={cls.spec}",
            *store], folder, port, "/-/healthy"))
        cls.processes.append(exporter)
        servers.get(exporter.url + "/metrics")  # its totals begin now: those of a second one beside it are behind from then on
        return exporter.url.removeprefix("http://")

    @classmethod
    def stores(cls, *arguments, environment=None):
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", cls.spec, "--prometheus", cls.prometheus.url, "--format", "json",
                               "--log", cls.folder / "log", *arguments], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, **(environment or {})})
        return json.loads(done.stdout)["evaluations"][0]["stores"]

    @classmethod
    def evaluate(cls, environment=None):
        # Nearer to now than --evaluate by itself, which leaves servers 10 s: these are on this machine. Not with another clock.
        at = () if environment else ("--at", f"{time.time() - SETTLE_SECONDS:.3f}")
        # A copy that is moved over the database was a store of its own before.
        return {store["labels"]["job"]: store for store in cls.stores(*at, environment=environment)
                if store["labels"]["database"] == "state"}

    @classmethod
    def firing(cls, name):
        """The alerts that fire about a situation's store: the name as in the spec, and "NAME REASON" of those that say why."""
        alerts = [alert["metric"] for alert in servers.query(cls.prometheus.url, f'ALERTS{{alertstate="firing",job="{name}"}}')]
        names = [(alert["alertname"].removeprefix("Checkpoint"), alert.get("reason", "")) for alert in alerts]
        return {name for name, _ in names} | {f"{name} {reason}" for name, reason in names if reason}

    @classmethod
    def off(cls, name):
        """How far the newest recorded rate is from what was committed in its window, as a share of that."""
        newest = servers.query(cls.prometheus.url, f'checkpoint:writes_per_second{{job="{name}"}}[10s]')[0]["values"][-1]
        end, rate = float(newest[0]), float(newest[1])
        times = [time for file in (cls.folder / name).glob("times-*") for (time,) in struct.iter_unpack("d", file.read_bytes())]
        truth = sum(end - WINDOW_SECONDS < time <= end for time in times) / WINDOW_SECONDS
        return abs(rate - truth) / truth if truth else 1

    @classmethod
    def wrong(cls, name):
        """What is not as it should be in the newest answer about a situation; "" if nothing is."""
        store = cls.seen.get(name)
        if store is None:
            return "no decision"
        situation = cls.situations[name]
        if forbidden := [line for line in cls.lines[name] if situation.never and re.search(situation.never, line)]:
            return f"{forbidden} were decided"
        if situation.before and not any(re.fullmatch(situation.before, line) for line in cls.lines[name]):
            return f"only {cls.lines[name]} were decided, where {situation.before} should come first"
        if not re.fullmatch(situation.line, store["line"]):
            return f"{store['line']}, where {situation.line} is right"
        if not re.search(situation.advice, store.get("advice", "")):
            return f"{store.get('advice')} is advised, where {situation.advice} is right"
        rate = next(signal["value"] for signal in store["signals"] if signal["id"] == "writes_per_second")
        if situation.rate and not (rate is not None and situation.rate[0] <= rate <= situation.rate[1]):
            return f"{rate} writes a second, where {situation.rate} are right"
        coverage = [float(series["value"][1]) for series in
                    servers.query(cls.prometheus.url, f'checkpoint:coverage_ratio{{job="{name}"}}')]
        if situation.coverage and not (coverage and situation.coverage[0] <= coverage[0] <= situation.coverage[1]):
            return f"a coverage of {coverage}, where {situation.coverage} are right"
        if situation.is_timed and cls.off(name) > 0.05:
            return f"the recorded rate is off by {100 * cls.off(name):.1f} %"
        if not set(situation.alerts) <= cls.fired[name]:
            return f"{cls.fired[name]} fired, where {situation.alerts} should"
        return ""

    @classmethod
    def may_be_late(cls, name):
        return name in cls.situations and "has stopped" in cls.situations[name].line

    @classmethod
    def decided(cls):
        """Whether of every situation the newest decision is right that wasn't made late, unless late is right."""
        for name, store in cls.evaluate().items():
            if name not in cls.seen or not LATE.match(store["line"]) or cls.may_be_late(name):
                cls.seen[name] = store
            if name in cls.lines:
                cls.lines[name].add(store["line"])
                if cls.situations[name].alerts:
                    cls.fired[name] |= cls.firing(name)
        cls.found = {name: cls.wrong(name) for name in cls.here}
        return not any(cls.found.values())

    @classmethod
    def add(cls):
        for name, situation in cls.situations.items():
            def test(self, name=name, situation=situation):
                if missing(situation):
                    self.skipTest(missing(situation))
                self.assertEqual(self.found.get(name, f"no decision: {self.not_ready}"), "")
            setattr(cls, "test_" + name.replace("-", "_"), test)
