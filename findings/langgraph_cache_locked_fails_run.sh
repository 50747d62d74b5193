#!/usr/bin/env bash
# Finding: while another process has the write lock of LangGraph's SqliteCache, a run whose cached node has to run raises, but is stored as complete,
# and a run whose entry has expired doesn't start its node at all (langgraph 1.2.24, langgraph-checkpoint-sqlite 3.1.2).
#
# Guess before the run: a cache is only a short cut, so that a node runs uncached if its cache can't be read or written; at worst a run that raises
# has not been stored beyond the node. A hit, and the look at an entry that has expired, are reads, which WAL mode lets through.
# Seen: a hit works. Without an entry, the node and all that follow run, the saver, in a file of its own and not locked, stores the last checkpoint,
# and then invoke() raises "database is locked", as the write of the cache is awaited at the end: the caller has an error, the
# conversation has the answer, and a retry with the same input runs and pays for all of it again. If the entry has expired, the look at it is a
# DELETE that needs the lock: invoke() raises before the node, again at each retry, until the lock is free. Each waits for 5 s first,
# which SqliteCache has no parameter for. So a time to live, meant for fresh results, makes each look after it a write, and the file
# that may be deleted at any time decides whether a graph runs.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langgraph==1.2.24 \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3
cat >"$folder/runs.py" <<'PYTHON'
import operator, sqlite3, sys, time
from typing import Annotated, TypedDict

from langgraph.cache.sqlite import SqliteCache
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy

folder = sys.argv[1]
ran = []

class State(TypedDict):
    question: str
    answers: Annotated[list, operator.add]

def answer(state):
    ran.append("answer")
    return {"answers": [state["question"].upper()]}

def send(state):
    ran.append("send")
    return {}

graph = StateGraph(State)
# The key is the question: the answers of a conversation's earlier runs are not part of it.
graph.add_node("answer", answer, cache_policy=CachePolicy(key_func=lambda state: state["question"], ttl=2))
graph.add_node("send", send)
graph.add_edge(START, "answer")
graph.add_edge("answer", "send")
graph.add_edge("send", END)
saver = SqliteSaver(sqlite3.connect(f"{folder}/conversations.db", check_same_thread=False))
graph = graph.compile(checkpointer=saver, cache=SqliteCache(path=f"{folder}/cache.db"))
other = sqlite3.connect(f"{folder}/cache.db", isolation_level=None)

def run(name, thread, question):
    ran.clear()
    configuration = {"configurable": {"thread_id": thread}}
    try:
        answered = graph.invoke({"question": question}, configuration)["answers"]
    except sqlite3.OperationalError as error:
        answered = error
    stored = graph.get_state(configuration)
    print(f"{name}: {answered}; ran {ran}; stored {stored.values['answers']}, next {list(stored.next)}")

run("no entry", "a", "one")
expires = time.time() + 2.1
other.execute("BEGIN IMMEDIATE")
run("locked, an entry", "b", "one")
run("locked, no entry", "c", "two")
run("locked, no entry, again", "c", "two")
while time.time() < expires:
    time.sleep(0.1)
run("locked, an entry that has expired", "d", "one")
run("locked, an entry that has expired, again", "d", "one")
other.execute("ROLLBACK")
run("free, an entry that has expired", "e", "one")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/runs.py" "$folder")
echo "$seen"
[ "$seen" = "no entry: ['ONE']; ran ['answer', 'send']; stored ['ONE'], next []
locked, an entry: ['ONE']; ran ['send']; stored ['ONE'], next []
locked, no entry: database is locked; ran ['answer', 'send']; stored ['TWO'], next []
locked, no entry, again: database is locked; ran ['answer', 'send']; stored ['TWO', 'TWO'], next []
locked, an entry that has expired: database is locked; ran []; stored [], next ['answer']
locked, an entry that has expired, again: database is locked; ran []; stored [], next ['answer']
free, an entry that has expired: ['ONE']; ran ['answer', 'send']; stored ['ONE'], next []" ] || { echo "the behaviour has changed" >&2; exit 1; }
