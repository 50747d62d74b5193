"""What outgrown.observe() adds to LangGraph's own writes (tmpfs, WAL), as JSON.

Usage: langgraph_bench.py REPETITIONS OUTGROWN_BLOCK [FOLDER]

A round does each work once on each variant, in an order drawn anew: on a saver as it is, on another such (the control, which shows
what the comparison gives of nothing), on an observed one, and, if a FOLDER with the package `outgrown` of commit c28e3b6 is given, on one
that this old client counts. `put` and `put_writes` are SqliteSaver's; `invoke` runs a graph of three nodes, on SqliteSaver, with
durability="exit", and on AsyncSqliteSaver: one graph, which is given each saver in turn, since of two that are alike one is slower by 1 %
for where it lies in memory. Each repetition makes everything anew, the graphs several times. Of each work: its processor time, what
the others take more, as the median over what was made of the medians over their rounds, and the writes that were counted, for one.

report.py runs this in a venv with the pinned clients of the PyPI group.
"""

import asyncio
import contextlib
import gc
import importlib.util
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import aiosqlite
import outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from graphs import three_nodes


def old_client(folder):
    """The package of that folder, under a name of its own."""
    spec = importlib.util.spec_from_file_location("outgrown_before", f"{folder}/outgrown/__init__.py")
    package = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = package
    spec.loader.exec_module(package)
    return package


def config(thread):
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


# Each gives what is done with a thread's name, on that connection to the database.
def put(saver, _):
    checkpoint = empty_checkpoint()
    return lambda thread: saver.put(config(thread), checkpoint, {"step": 1}, {})


def put_writes(saver, _):
    where = saver.put(config("a"), empty_checkpoint(), {"step": 1}, {})
    return lambda thread: saver.put_writes(where, [("channel", 1)], thread)


def invoke(saver, graph, **options):
    def run(thread):
        graph.checkpointer = saver
        graph.invoke({"steps": 0}, config(thread), **options)

    return run


def invoke_exit(saver, graph):
    return invoke(saver, graph, durability="exit")


def invoke_async(saver, graph):
    def run(thread):
        graph.checkpointer = saver
        loop.run_until_complete(graph.ainvoke({"steps": 0}, config(thread)))

    return run


WORKS = {"put": put, "put_writes": put_writes, "invoke": invoke, "invoke_async": invoke_async, "invoke_exit": invoke_exit}
ROUNDS = {"put": 250, "put_writes": 250}
ROUNDS_OF_INVOKE = 20
# How often one repetition makes a graph and its savers. Of two that are alike one is slower by some 12 µs, all of which a durability="exit"
# that writes once would take for that write's.
GRAPHS = {"invoke": 4, "invoke_async": 4, "invoke_exit": 12}
loop = asyncio.new_event_loop()


@contextlib.contextmanager
def sync_saver(path, observe):
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = observe(SqliteSaver(connection))
        saver.setup()
        yield saver


@contextlib.contextmanager
def async_saver(path, observe):
    async def made():
        saver = observe(AsyncSqliteSaver(await aiosqlite.connect(path)))
        await saver.setup()
        return saver

    saver = loop.run_until_complete(made())
    yield saver
    loop.run_until_complete(saver.conn.close())


def measure(works, repetition, rounds):
    """{name: processor time of each round, in ns}."""
    times, draw, names = {name: [] for name in works}, random.Random(repetition), list(works)
    gc.collect()
    gc.disable()
    for number in range(rounds):
        draw.shuffle(names)
        for name in names:
            thread = f"{repetition}-{number}"
            start = time.process_time_ns()
            works[name](thread)
            times[name].append(time.process_time_ns() - start)
    gc.enable()
    return times


def writes_ok(program, folder, store):
    lines = subprocess.run([program, folder, store], capture_output=True, text=True, check=True).stdout.splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("writes_ok "))


def figures(work, repetitions, variants, program, folder):
    opened = async_saver if work == "invoke_async" else sync_saver
    others = [name for name in variants if name != "plain"]
    counted = [name for name in others if name != "control"]
    rounds = ROUNDS.get(work, ROUNDS_OF_INVOKE)
    plain, costs, writes = [], {name: [] for name in others}, {}
    for repetition in range(repetitions * GRAPHS.get(work, 1)):
        with contextlib.ExitStack() as stack:
            works, graph = {}, three_nodes(None)
            for name in random.sample(list(variants), len(variants)):
                works[name] = WORKS[work](stack.enter_context(opened(f"{folder}/{name}-{work}.db", variants[name])), graph)
            before = {name: writes_ok(program, folder, f"{name}-{work}") for name in counted}
            times = measure(works, repetition, rounds)
            plain.append(statistics.median(times["plain"]))
            for name in others:
                costs[name].append(statistics.median(more - less for more, less in zip(times[name], times["plain"])))
            for name in counted:
                writes[name] = (writes_ok(program, folder, f"{name}-{work}") - before[name]) / rounds
    return {"plain_ns": statistics.median(plain), "control_ns": statistics.median(costs["control"]),
            **{name: {"cost_ns": statistics.median(costs[name]), "writes": writes[name]} for name in counted}}


def main():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    repetitions, program = int(sys.argv[1]), sys.argv[2]
    variants = {"plain": lambda target: target, "control": lambda target: target, "observe": outgrown.observe}
    if len(sys.argv) > 3:
        variants["before"] = old_client(sys.argv[3]).observe
    with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder:
        os.environ["OUTGROWN_DIR"] = folder
        print(json.dumps({work: figures(work, repetitions, variants, program, folder) for work in WORKS}))


main()
