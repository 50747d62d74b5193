#!/usr/bin/env bash
# Finding: a queue of DBOS with concurrency=1 runs two workflows at once in two processes on one SQLite file (dbos 3.4.0, SQLAlchemy 2.1.9).
#
# Guess before the run: the limit is the whole queue's, and each claim counts what runs and takes the next one in one transaction, which DBOS
# makes an IMMEDIATE one for SQLite, to serialize writers: never two, each once.
# Seen: each runs once, but some of a few hundred overlap with one of the other process, for as long as that runs. Python's sqlite3
# begins its IMMEDIATE transaction with the first statement that writes; the count of what runs and the choice of the next come before
# it, each for itself. The update that claims a workflow takes only one that is still waiting, so that no workflow is started twice;
# the count isn't looked at again. With one process no two overlap. So the lock that is shown as taken is not the one that
# would be needed, and what was serialized by such a queue is so only on one process, or with PostgreSQL.
#
# Needs Python 3.11 or newer with venv, and PyPI. Takes a minute, or some. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dbos==3.4.0 sqlalchemy==2.1.9
cat >"$folder/worker.py" <<'PYTHON'
import os, sys, threading, time

path, name, begun_path = sys.argv[1:4]
workflows = int(sys.argv[4]) if len(sys.argv) > 4 else 0
os.environ["DBOS__VMID"] = name  # the executor's id, by which processes are told apart
from dbos import DBOS

DBOS(config={"name": "shop", "system_database_url": f"sqlite:///{path}", "run_admin_server": False, "log_level": "ERROR",
             "application_version": "1"})

@DBOS.workflow()
def work(number):
    with open(begun_path, "a") as log:
        log.write(f"{time.monotonic()} begin {number} {name}\n")
    time.sleep(0.02)
    with open(begun_path, "a") as log:
        log.write(f"{time.monotonic()} end {number} {name}\n")

DBOS.launch()
queue = DBOS.register_queue("orders", concurrency=1, polling_interval_sec=0.02)
print("ready", flush=True)
for handle in [queue.enqueue(work, number) for number in range(workflows)]:
    handle.get_result()
if not workflows:
    sys.stdin.read()  # until the other is done
DBOS.destroy()
PYTHON
cat >"$folder/run.py" <<'PYTHON'
import os, subprocess, sys

folder = sys.argv[1]

def run(round_name, two):
    path, log = f"{folder}/{round_name}.db", f"{folder}/{round_name}.log"
    worker = [sys.executable, f"{folder}/worker.py", path]
    if two:
        other = subprocess.Popen([*worker, "second", log], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        other.stdout.readline()
    subprocess.run([*worker, "first", log, "150"], stdout=subprocess.DEVNULL, check=True)
    if two:
        other.communicate()
    running, most, runs, by = 0, 0, {}, set()
    with open(log) as lines:
        for _, what, number, name in sorted((line.split() for line in lines), key=lambda words: float(words[0])):
            running += 1 if what == "begin" else -1
            most = max(most, running)
            if what == "begin":
                runs[number] = runs.get(number, 0) + 1
                by.add(name)
    assert len(runs) == 150 and set(runs.values()) == {1} and len(by) == 1 + two, (runs, by)
    return most

print("one process: at most", run("one", False), "at once")
most = 1
for number in range(8):
    most = max(most, run(f"two-{number}", True))
    if most > 1:
        break
print("two processes: at most", most, "at once")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/run.py" "$folder")
echo "$seen"
[ "$seen" = "one process: at most 1 at once
two processes: at most 2 at once" ] || { echo "the behaviour has changed" >&2; exit 1; }
