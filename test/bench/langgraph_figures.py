"""What outgrown.observe() adds to LangGraph's own writes, beside the client that it replaced: langgraph_bench.py in a venv with the
pinned clients of the PyPI group, as a table and goals.

Usage, to measure this alone: langgraph_figures.py BUILD_DIR [REPETITIONS]
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "test/clients/pypi"))

import environments  # noqa: E402
from tables import Goal, Table, render  # noqa: E402

OLD = "c28e3b6"  # the last one whose Python client counted by itself
WORKS = {"put": "SqliteSaver.put", "put_writes": "SqliteSaver.put_writes", "invoke": "invoke, three nodes",
         "invoke_exit": 'invoke, durability="exit"', "invoke_async": "ainvoke, three nodes, AsyncSqliteSaver"}
US_MAX, PERCENT_MAX, TIMES_LESS_MIN = 1.5, 5, 8
US_MIN = 0.1  # what is less can't be told from nothing


def old_client(folder):
    """The package of that commit, and nothing in a clone without it."""
    done = subprocess.run(["git", "archive", OLD, "counterblock/python/outgrown"], cwd=ROOT, capture_output=True)
    if done.returncode != 0:
        return []
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder)
    return [folder / "counterblock/python"]


def measure(build, repetitions):
    build = build.resolve()
    python = environments.venv(build / "pypi", "debian", environments.DEBIAN_PYTHON)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": f"{ROOT / 'clients/python'}:{ROOT / 'test/clients/pypi'}",
                   "OUTGROWN_OBSERVER": str(build / "clients/sqlite_observer/outgrown_sqlite.so"),
                   "OUTGROWN_LIBRARY": str(build / "counterblock/liboutgrown.so.0")}  # the old client's
    command = [python, ROOT / "test/bench/langgraph_bench.py", repetitions, build / "counterblock/outgrown-block",
               *old_client(build / "old-client")]
    return json.loads(subprocess.run([str(word) for word in command], env=environment, stdout=subprocess.PIPE, check=True).stdout)


def figures(build, repetitions):
    rows, goals = [], []
    for work, seen in measure(build, repetitions).items():
        what, writes = WORKS[work], seen["observe"]["writes"]
        plain_us, cost_us = seen["plain_ns"] / 1000, seen["observe"]["cost_ns"] / writes / 1000
        share = 100 * cost_us * writes / plain_us
        row = [what, f"{writes:g}", f"{plain_us:.1f}", f"{cost_us:.2f}", f"{share:.1f}", f"{seen['control_ns'] / writes / 1000:+.2f}"]
        goals.append(Goal(f"what outgrown.observe() adds to a write of {what}", cost_us,
                          max(US_MAX, PERCENT_MAX / 100 * plain_us / writes), False, " µs"))
        if "before" in seen:
            old_us = seen["before"]["cost_ns"] / seen["before"]["writes"] / 1000
            less = old_us / max(cost_us, US_MIN)
            row += [f"{old_us:.2f}", f"{less:.1f}"]
            goals.append(Goal(f"times less than at {OLD}, {what}", less, TIMES_LESS_MIN, True))
        rows.append(row)
    columns = ["what", "writes", "unobserved (µs)", "observed: more a write (µs)", "more (%)", "unobserved, too: more (µs)",
               f"at {OLD}: more a write (µs)", "times less"]
    title = f"In Python, LangGraph's own writes (tmpfs), processor time, {repetitions} repetitions"
    return Table(title, columns[:len(rows[0])], rows), goals


def main():
    table, goals = figures(pathlib.Path(sys.argv[1]), int((*sys.argv, 100)[2]))
    print(render("", [table], goals, markdown=False), end="")


if __name__ == "__main__":
    main()
