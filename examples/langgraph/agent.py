"""A small LangGraph agent whose checkpoints are counted: one line, `outgrown.observe(...)`.

In Outgrown's tree, after `./run build`, with nothing installed but Debian's python3-venv:

    python3 -m venv /tmp/outgrown-example
    /tmp/outgrown-example/bin/pip install langgraph langgraph-checkpoint-sqlite ./clients/python
    export OUTGROWN_OBSERVER=$PWD/build/clients/sqlite_observer/outgrown_sqlite.so OUTGROWN_DIR=/tmp/outgrown-example/blocks
    mkdir -p -m 700 $OUTGROWN_DIR
    /tmp/outgrown-example/bin/python examples/langgraph/agent.py /tmp/outgrown-example/agents.db
    /tmp/outgrown-example/bin/python examples/langgraph/agent.py --async /tmp/outgrown-example/async.db
    build/counterblock/outgrown-block $OUTGROWN_DIR agents
    build/exporter/outgrown-exporter

The first run has four threads on one saver, the second does the same on AsyncSqliteSaver, and outgrown-block shows what was
counted. The exporter shows it at http://127.0.0.1:9108/metrics, until Ctrl-C.

The graph plays a till: each item of an order is added up, then the order is paid. There is no model and no network;
what is real is how LangGraph writes its state, several transactions for each step. Prints one JSON object: for each
conversation the sum that its last checkpoint holds.
"""

import argparse
import asyncio
import concurrent.futures
import json
import operator
import sqlite3
from typing import Annotated, TypedDict

import outgrown
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph


class Order(TypedDict):
    waiting: list[int]
    prices: Annotated[list[int], operator.add]
    sum: int


def scan(order: Order):
    return {"waiting": order["waiting"][1:], "prices": order["waiting"][:1]}


def pay(order: Order):
    return {"sum": sum(order["prices"])}


def build(checkpointer):
    graph = StateGraph(Order)
    graph.add_node("scan", scan)
    graph.add_node("pay", pay)
    graph.add_edge(START, "scan")
    graph.add_conditional_edges("scan", lambda order: "scan" if order["waiting"] else "pay")
    graph.add_edge("pay", END)
    return graph.compile(checkpointer=checkpointer)


def conversation(number):
    """The thread of a conversation, and what is ordered in it."""
    return {"configurable": {"thread_id": f"customer-{number}"}}, {"waiting": [number, 10, 200], "prices": [], "sum": 0}


def run(database, conversations):
    connection = sqlite3.connect(database, check_same_thread=False)
    saver = outgrown.observe(SqliteSaver(connection))  # the one line
    graph = build(saver)

    def converse(number):
        config, order = conversation(number)
        graph.invoke(order, config)
        return graph.get_state(config).values["sum"]

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        sums = list(threads.map(converse, range(conversations)))
    saver.conn.close()
    return sums


async def run_async(database, conversations):
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        graph = build(outgrown.observe(saver))  # the one line

        async def converse(number):
            config, order = conversation(number)
            await graph.ainvoke(order, config)
            return (await graph.aget_state(config)).values["sum"]

        return await asyncio.gather(*map(converse, range(conversations)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--async", action="store_true", dest="asynchronous")
    parser.add_argument("--conversations", type=int, default=10)
    parser.add_argument("database")
    options = parser.parse_args()
    if options.asynchronous:
        sums = asyncio.run(run_async(options.database, options.conversations))
    else:
        sums = run(options.database, options.conversations)
    print(json.dumps({f"customer-{number}": amount for number, amount in enumerate(sums)}))


if __name__ == "__main__":
    main()
