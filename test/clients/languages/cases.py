"""What each client does, and what must have been counted.

A client is a program that is called with a DATABASE and a MODE, and loads the observer if $OBSERVED is "yes":

script    with two connections: write-ahead log, a table, 20 rows, 5 transactions of 3 rows; 3 rows that violate the primary
          key; 2 transactions that are rolled back; a failed row in a transaction that is committed, and in one that is rolled
          back; a DELETE that meets nothing; with the lock held by the other connection 4 rows and a BEGIN IMMEDIATE;
          a row of the other connection, and then one from the snapshot before it. Prints as JSON what its calls returned
threads   4 threads with connections of their own write 25 rows each (100 rows where there are no threads); prints their number, and
          keeps another connection open until its input ends
exit      4 threads write, and when each has written 50 rows the process exits while they do (without threads: in a transaction)
endless   the same, but it prints "writing" and goes on until it is killed
traced    a connection that is traced by the application itself writes 3 rows and violates the primary key once. Prints what its
          calls returned, and how many statements its trace has seen
traced-first  the same, on a connection that loads the observer when it is traced
rows      prints the number of rows

A test is a function of a client and a folder of its own, and its docstring says what holds.
"""

import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "support"))

import servers  # noqa: E402

EXPECTED = {"ok": 29, "busy": 5, "busy_snapshot": 1, "constraint": 4}
OUTCOMES = ("ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other")
SECONDS_MAX = 120
PAGE_BYTES = 4096  # SQLite's default, and SQLCipher's
COMMITS = 'checkpoint_store_commits_total{database="app"}'


class Case:
    """One client on one database, `app.db`, with the counter blocks beside it."""

    def __init__(self, client, folder, build):
        self.client, self.folder, self.build = client, folder, build
        self.database = folder / "app.db"

    def start(self, *arguments, observed=True, stdin=subprocess.DEVNULL):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OUTGROWN_", "PYTHON"))}
        environment.update(self.client.environment, OUTGROWN_DIR=str(self.folder), OBSERVED="yes" if observed else "no")
        return subprocess.Popen([str(word) for word in (*self.client.command, *arguments)], cwd=self.folder,
                                env=environment, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, start_new_session=True)

    def finish(self, process):
        try:
            out, err = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == 0, f"exit status {process.returncode}\n{err}"
        return out

    def run(self, mode, observed=True):
        return self.finish(self.start(self.database, mode, observed=observed))

    def truth(self, mode, observed=True):
        return nonzero(json.loads(self.run(mode, observed)))

    def block(self, store="app"):
        """Everything that the store's counter block says."""
        done = subprocess.run([self.build / "counterblock" / "outgrown-block", self.folder, store],
                              capture_output=True, text=True, errors="replace")  # paths need not be UTF-8
        assert done.returncode == 0, done.stderr
        pairs = (line.split(" ", 1) for line in done.stdout.splitlines())
        block = {name: int(value) if value.isdigit() else value for name, value in pairs}
        block["writes_busy"] += block["unchanged_refused"]  # a caller doesn't see which of the two a refused lock is
        return block

    def counted(self):
        block = self.block()
        assert (block["traces_lost"], block["refused_name_taken_total"], block["refused_other_sqlite_total"]) == (0, 0, 0), block
        return nonzero({outcome: block["writes_" + outcome] for outcome in OUTCOMES})

    def rows(self):
        return int(self.run("rows"))

    def has_block(self):
        return any(self.folder.glob("*.counters"))


def nonzero(counts):
    return {name: count for name, count in counts.items() if count}


def equal(seen, expected, what):
    assert seen == expected, f"{what}: {seen} instead of {expected}"


def script(case):
    """what the block counted is what the client's calls returned"""
    equal(case.truth("script"), EXPECTED, "the client saw")
    equal(case.counted(), EXPECTED, "the block counted")
    written = case.block()["bytes"]
    assert written % PAGE_BYTES == 0 and written >= PAGE_BYTES * EXPECTED["ok"], f"{written} bytes written"
    return {**case.counted(), "pages": written // PAGE_BYTES}


def processes(case):
    """two processes at once, with their threads: every write is counted"""
    before = case.counted()["ok"]
    both = [case.start(case.database, "threads") for _ in range(2)]
    truth = sum(json.loads(case.finish(process))["ok"] for process in both)
    equal(truth, 200, "the clients wrote")
    equal(case.counted()["ok"] - before, truth, "the block counted")
    return {"ok": truth}


def exits(case):
    """a process that exits in the middle of its writes ends well, and what it committed is counted"""
    return within(case, lambda: case.run("exit"), case.client.threads if case.client.threads > 1 else 0)


def killed(case):
    """of a process that is killed in the middle of its writes, what it committed is counted"""
    def run():
        with writing(case, "endless"):
            pass

    return within(case, run, case.client.threads)


@contextlib.contextmanager
def writing(case, mode, observed=True):
    """A process of that mode, from when it says that it is writing until it is killed."""
    process = case.start(case.database, mode, observed=observed)
    try:
        equal(process.stdout.readline(), "writing\n", "the client said")
        yield
        assert process.poll() is None, f"exit status {process.returncode}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        _, err = process.communicate()
        sys.stderr.write(err)


def within(case, work, in_flight):
    """A commit is durable before it is counted, so each thread may have one that is not; its write, which did not end, counts as
    other, when another process takes its slot."""
    rows, before = case.rows(), case.counted()
    work()
    rows, after = case.rows() - rows, case.counted()
    counted = after.pop("ok") - before.pop("ok")
    # Of this process, and of one before it whose slots were not all taken again until now.
    unended = after.pop("other", 0) - before.pop("other", 0)
    assert unended <= 2 * case.client.threads, f"{unended} writes without an end, of {case.client.threads} threads"
    equal(after, before, "failures")
    assert rows >= 100 and rows - in_flight <= counted <= rows, f"{rows} rows, counted {counted}"
    return {"rows": rows, "ok": counted}


def traced(case):
    """beside a trace that the application sets later, everything is counted, and the trace sees everything"""
    return both_see(case, "traced", True)


def traced_first(case):
    """beside a trace that the application has set before, everything is counted, and the trace sees everything"""
    return both_see(case, "traced-first", False)


def both_see(case, mode, observed):
    before = case.block()
    equal(case.truth(mode, observed), {"ok": 3, "constraint": 1, "traced": 4}, "the client saw")
    after = case.block()
    counted = nonzero({outcome: after["writes_" + outcome] - before["writes_" + outcome] for outcome in OUTCOMES})
    equal(counted, {"ok": 3, "constraint": 1}, "the block counted")
    equal(after["last_trace_lost_unix_ns"], before["last_trace_lost_unix_ns"], "the time of a lost trace")
    return counted


def unobserved(case):
    """without the observer the exporter counts the commits alone, from the store's own files"""
    equal(case.truth("script", observed=False), EXPECTED, "the client saw")
    with exporter(case) as sees:
        process = case.start(case.database, "threads", observed=False, stdin=subprocess.PIPE)
        equal(json.loads(process.stdout.readline()), {"ok": 100}, "the client wrote")
        sees(lambda metrics: metrics.get(COMMITS) == 100)
        case.finish(process)
    assert not case.has_block()
    return {"commits": 100}


def encrypted(case):
    """without the observer the exporter counts the commits of an encrypted database while somebody has it open"""
    equal(case.truth("script", observed=False), EXPECTED, "the client saw")
    problem = 'checkpoint_store_commits_problem_info{database="app",reason="encrypted"}'
    with exporter(case) as sees:
        sees(lambda metrics: metrics.get(problem) == 1)
        with writing(case, "endless", observed=False):
            sees(lambda metrics: metrics.get(COMMITS, 0) > 100)
    return {"problem": "encrypted, while it is closed"}


@contextlib.contextmanager
def exporter(case):
    """A running exporter that has looked at the store; a function that waits until a condition holds for its metrics."""
    seen = {}

    def look():
        lines = (line for line in servers.get(process.url + "/metrics").splitlines() if not line.startswith("#"))
        seen.clear()
        seen.update((name, float(value)) for name, value in (line.rsplit(" ", 1) for line in lines))
        return seen

    def sees(condition):
        try:
            servers.wait_for("what the exporter says", lambda: condition(look()), timeout_seconds=2)
        except servers.NotReady:
            about = {name: value for name, value in seen.items() if "commits" in name or "problem" in name}
            raise AssertionError(f"the exporter says {about}") from None

    with servers.Stack() as stack:
        process = stack.start(servers.exporter(case.folder, case.build / "exporter" / "outgrown-exporter",
                                               [f"--store=app={case.database}"], {"OUTGROWN_DIR": str(case.folder)}))
        look()  # what is counted is counted from the first look on
        yield sees


def cannot_load(case):
    """it can load no extension, and says so"""
    process = case.start(case.database, "script")
    _, err = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode != 0 and "not authorized" in err, err
    assert not case.has_block()
    return err.strip()


def two_copies(case):
    """of two copies of SQLite in a process the first is counted, and the other's connections are shown as refused"""
    truth = json.loads(case.run("both"))
    equal(truth.pop("status"), "not counting: another copy of SQLite in this process is observed already", "the other's status")
    block = case.block()
    equal(nonzero({outcome: block["writes_" + outcome] for outcome in OUTCOMES}), truth, "the block counted")
    equal(block["refused_other_sqlite_total"], 1, "refused connections")
    return {**truth, "refused": 1}


def too_old(case):
    """a SQLite before 3.34 loads the observer, works as ever, and each connection is shown as refused"""
    equal(case.truth("script"), EXPECTED, "the client saw")
    block = case.block()
    equal(block["refused_other_sqlite_total"], 2, "refused connections")
    equal(nonzero({outcome: block["writes_" + outcome] for outcome in OUTCOMES}), {}, "the block counted")
    return {"refused": block["refused_other_sqlite_total"]}


def locked(case):
    """it locks the file for itself, so that the exporter shows that commits can't be counted"""
    problem = 'checkpoint_store_commits_problem_info{database="app",reason="exclusive_lock"}'
    with exporter(case) as sees, writing(case, "endless"):
        sees(lambda metrics: metrics.get(problem) == 1)
    assert not case.has_block()
    return {"problem": "exclusive_lock"}


def same_suite(case):
    """its own test suite ends as it does without the observer"""
    observed = suite(case, observed=True)
    stores = [file.name.removesuffix(".v1.counters") for file in case.folder.glob("*.counters")]
    assert sum(case.block(store)["writes_ok"] for store in stores) > 0, f"nothing was counted in {stores}"
    # All that passed would pass without it, or else it is no worse.
    if set(observed.values()) != {"passed"}:
        plain = suite(case, observed=False)
        both = {test: (plain.get(test), observed.get(test)) for test in {*plain, *observed}}
        differ = {test: outcomes for test, outcomes in both.items() if outcomes[0] != outcomes[1]}
        assert not differ, f"without the observer, with it: {differ}"
    return collections.Counter(observed.values())


def suite(case, observed):
    file = case.folder / f"{observed}.json"
    process = case.start(file, observed=observed)
    out, err = process.communicate(timeout=10 * SECONDS_MAX)  # its exit status is the suite's
    assert file.exists(), out + err
    outcomes = json.loads(file.read_text())
    assert outcomes, out + err
    return outcomes
