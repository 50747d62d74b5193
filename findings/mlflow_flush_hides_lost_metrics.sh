#!/usr/bin/env bash
# Finding: flush_async_logging() of MLflow returns as after a success when metrics, parameters and tags are lost to a lock, and the run is FINISHED
# without them (mlflow-skinny 3.17.2 on SQLite, SQLAlchemy 2.1.9).
#
# Guess before the run: what is logged with synchronous=False is tried again while another process has the file's write lock, or the flush raises
# what the logging raised, as the same call with synchronous=True does, so that the run ends as FAILED.
# Seen: each is tried once, in a thread, for MLflow's busy timeout of 20 s, and then given up. The exception is in the object that log_metric()
# has returned, and a line in the log; flush_async_logging() waits for the threads and drops their results, and the end of the run does
# the same. So of five values three are missing, with no gap to see, as what is logged before and after is there. With synchronous=True
# log_metric() raises after the same 20 s, and the run is FAILED. A flush before the results are read is no sign that they are there; wait()
# of every returned object is.
#
# Needs Python 3.11 or newer with venv, and PyPI. Takes a minute. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic
cat >"$folder/holder.py" <<'PYTHON'
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
PYTHON
cat >"$folder/runs.py" <<'PYTHON'
import logging, os, subprocess, sys, time

import mlflow
from mlflow.exceptions import MlflowException

folder = sys.argv[1]
path = os.path.join(folder, "runs.db")
errors = []

class Errors(logging.Handler):
    def emit(self, record):
        errors.append(record)

logger = logging.getLogger("mlflow.utils.async_logging.async_logging_queue")
logger.addHandler(Errors(logging.ERROR))
logger.propagate = False
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # where each failure is shown once more
mlflow.set_tracking_uri(f"sqlite:///{path}")
mlflow.set_experiment("agents")

def hold():
    holder = subprocess.Popen([sys.executable, f"{folder}/holder.py", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    return holder

def show(name, run):
    run = mlflow.get_run(run.info.run_id)
    print(f"{name}: run {run.info.status}, metrics {run.data.metrics}, parameters {run.data.params}, tag {run.data.tags.get('tag')}")

with mlflow.start_run() as run:
    mlflow.log_metric("before", 1, synchronous=False)
    mlflow.flush_async_logging()
    holder = hold()
    returned = [mlflow.log_metric("during", 2, synchronous=False), mlflow.log_param("parameter", "x", synchronous=False),
                mlflow.set_tag("tag", "x", synchronous=False)]
    deadline = time.monotonic() + 120
    while len(errors) < len(returned) and time.monotonic() < deadline:
        time.sleep(0.1)
    holder.communicate("\n")
    mlflow.log_metric("after", 3, synchronous=False)
    print("flush_async_logging():", mlflow.flush_async_logging())
show("asynchronous", run)
for each in returned:
    try:
        each.wait()
    except MlflowException as error:
        print("wait():", "database is locked" if "database is locked" in str(error) else error)

try:
    with mlflow.start_run() as run:
        holder = hold()
        try:
            mlflow.log_metric("during", 2, synchronous=True)
        finally:
            holder.communicate("\n")
except MlflowException as error:
    print("log_metric():", "database is locked" if "database is locked" in str(error) else error)
show("synchronous", run)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/runs.py" "$folder" 2>"$folder/log")
echo "$seen"
[ "$seen" = "flush_async_logging(): None
asynchronous: run FINISHED, metrics {'before': 1.0, 'after': 3.0}, parameters {}, tag None
wait(): database is locked
wait(): database is locked
wait(): database is locked
log_metric(): database is locked
synchronous: run FAILED, metrics {}, parameters {}, tag None" ] || { cat "$folder/log" >&2; echo "the behaviour has changed" >&2; exit 1; }
