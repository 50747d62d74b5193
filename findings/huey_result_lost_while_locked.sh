#!/usr/bin/env bash
# Finding: a task of huey that ran while another process holds SQLite's write lock is over, with no result, no retry and no signal (huey 3.5.4).
#
# Guess before the run: a task with retries=3 whose result can't be stored is run again, or at least ends with an error that the caller and
# the signals' handlers see; one that fails is retried later, when the lock is free.
# Seen: the queue's row is deleted before the task runs. If the result can't be stored within the storage's timeout (5 s unless set; 1 s here),
# a line in the consumer's log is all: get(blocking=True) finds none, also when the lock is free again, retries are not used, of the
# signals "executing" is the last, nothing is pending or scheduled. A task that raises in that time loses its retries likewise, as
# the retry is a row to be written: it ran once, not four times. Since a task without a result is what one that still runs looks
# like, a long backup's lock costs every task that ends within it, while the queue looks empty and healthy.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check huey==3.5.4
cat >"$folder/tasks.py" <<'PYTHON'
import logging, sqlite3, subprocess, sys, threading, time
from huey import SqliteHuey
from huey.exceptions import HueyException, TaskException

path = sys.argv[1]
huey = SqliteHuey("shop", filename=path, timeout=1)
started, go_on = threading.Event(), threading.Event()
runs, signals, errors = [], [], []

@huey.task(retries=3, retry_delay=1)
def work(fails):
    runs.append(fails)
    started.set()
    go_on.wait()
    if fails:
        raise ValueError
    return "done"

@huey.signal()
def on_signal(signal, task, error=None):
    signals.append(signal)

class Errors(logging.Handler):
    def emit(self, record):
        if record.exc_info and record.name == "huey.consumer.Worker":
            errors.append(f"{record.exc_info[0].__name__}: {record.exc_info[1]}")

logging.getLogger("huey").addHandler(Errors())
logging.getLogger("huey").propagate = False
consumer = huey.create_consumer(workers=1, periodic=False, initial_delay=0.1)
consumer.start()

def run(name, fails, locked):
    for seen in (runs, signals, errors, started, go_on):
        seen.clear()
    result = work(fails)
    started.wait()
    other = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
    if locked:
        other.execute("BEGIN IMMEDIATE")
        go_on.set()
        while not errors:
            time.sleep(0.1)
        other.execute("ROLLBACK")
    go_on.set()
    try:
        ended = result.get(blocking=True, timeout=5)
    except (HueyException, TaskException) as error:
        ended = type(error).__name__
    deadline = time.monotonic() + 10  # for the retries, each a second after the one before
    while signals.count("error") < 4 if fails else "complete" not in signals:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    print(f"{name}: {ended}; runs {len(runs)}, signals {' '.join(dict.fromkeys(signals))},"
          f" pending {len(huey.pending())}, scheduled {len(huey.scheduled())}")
    print("  the log:", *errors or ["no error"])

run("a task", False, False)
run("a task, locked at its end", False, True)
run("a task that raises", True, False)
run("a task that raises, locked at its end", True, True)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/tasks.py" "$folder/store.db")
echo "$seen"
[ "$seen" = "a task: done; runs 1, signals enqueued executing complete, pending 0, scheduled 0
  the log: no error
a task, locked at its end: ResultTimeout; runs 1, signals enqueued executing, pending 0, scheduled 0
  the log: OperationalError: database is locked
a task that raises: TaskException; runs 4, signals enqueued executing error retrying scheduled, pending 0, scheduled 0
  the log: no error
a task that raises, locked at its end: ResultTimeout; runs 1, signals enqueued executing error, pending 0, scheduled 0
  the log: OperationalError: database is locked" ] || { echo "the behaviour has changed" >&2; exit 1; }
