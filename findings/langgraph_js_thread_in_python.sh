#!/usr/bin/env bash
# Finding: the SQLite savers of LangGraph for JavaScript and for Python use the same tables in one file, but a conversation belongs to the
# language that began it (@langchain/langgraph 1.7.3 with -checkpoint-sqlite 1.0.4; langgraph 1.2.24 with -checkpoint-sqlite 3.1.2).
#
# Guess before the run: the layout and the checkpoint's version (v: 4) are equal and Python's serializer knows the type "json", so the same
# graph in Python reads a conversation of JavaScript and continues it.
# Seen: Python reads it (get_state shows the right values), but invoke and update_state raise a TypeError: JavaScript writes the versions of
# its channels as numbers, Python as strings, and the two are compared. The failed update_state has left one row in the table of writes,
# and from then on JavaScript can't read its own conversation any more: the row is of the type "msgpack", which it doesn't know.
# A conversation that Python began it can't read at all. Those of both live beside each other in one file, and each
# program meets an error only in a conversation that the other has touched.
#
# Needs Node 20, a compiler (better-sqlite3), Python 3.11 or newer with venv, npm and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langgraph==1.2.24 \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3
cd "$folder"
npm install --no-audit --no-fund --loglevel=error --save-exact @langchain/langgraph@1.7.3 \
  @langchain/langgraph-checkpoint-sqlite@1.0.4 @langchain/langgraph-checkpoint@1.2.2 @langchain/core@1.4.0 \
  better-sqlite3@12.11.1 >npm.log 2>&1 || { cat npm.log >&2; exit 1; }
cat >agent.mjs <<'JS'
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

const state = Annotation.Root({ said: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }) });
const graph = new StateGraph(state).addNode("answer", () => ({ said: ["answer"] }))
  .addEdge(START, "answer").addEdge("answer", END).compile({ checkpointer: SqliteSaver.fromConnString(process.argv[2]) });
const config = { configurable: { thread_id: process.argv[3] } };
try {
  if (process.argv[4] === "invoke") await graph.invoke({ said: ["question"] }, config);
  console.log("  state:", JSON.stringify((await graph.getState(config)).values.said));
} catch (error) {
  console.log("  state:", error.message);
}
JS
cat >agent.py <<'PYTHON'
import json, operator, sqlite3, sys
from typing import Annotated, TypedDict
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    said: Annotated[list, operator.add]

connection = sqlite3.connect(sys.argv[1], check_same_thread=False)
builder = StateGraph(State)
builder.add_node("answer", lambda state: {"said": ["answer"]})
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
graph = builder.compile(checkpointer=SqliteSaver(connection))
config = {"configurable": {"thread_id": sys.argv[2]}}

def attempt(name, call):
    rows = "SELECT (SELECT count(*) FROM checkpoints), (SELECT count(*) FROM writes)"
    before = connection.execute(rows).fetchone()
    try:
        call()
        print(f"  {name}: ok")
    except TypeError as error:
        after = connection.execute(rows).fetchone()
        print(f"  {name}: {error}; new checkpoints {after[0] - before[0]}, new writes {after[1] - before[1]}")

print("  state:", json.dumps(graph.get_state(config).values.get("said"), separators=(",", ":")))
if sys.argv[3] == "invoke":
    attempt("invoke", lambda: graph.invoke({"said": ["question"]}, config))
else:
    attempt("update_state", lambda: graph.update_state(config, {"said": ["note"]}))
PYTHON
seen=$(
  echo "JavaScript begins"
  node agent.mjs store.db javascript invoke
  echo "Python goes on"
  venv/bin/python agent.py store.db javascript invoke
  echo "JavaScript reads its own"
  node agent.mjs store.db javascript
  echo "Python updates"
  venv/bin/python agent.py store.db javascript update_state
  echo "JavaScript reads its own"
  node agent.mjs store.db javascript
  echo "Python begins"
  venv/bin/python agent.py store.db python invoke
  echo "JavaScript reads it"
  node agent.mjs store.db python
)
echo "$seen"
compared="'>' not supported between instances of 'str' and 'int'"
[ "$seen" = "JavaScript begins
  state: [\"question\",\"answer\"]
Python goes on
  state: [\"question\",\"answer\"]
  invoke: $compared; new checkpoints 0, new writes 0
JavaScript reads its own
  state: [\"question\",\"answer\"]
Python updates
  state: [\"question\",\"answer\"]
  update_state: $compared; new checkpoints 0, new writes 1
JavaScript reads its own
  state: Unknown serialization type: msgpack
Python begins
  state: null
  invoke: ok
JavaScript reads it
  state: Unknown serialization type: msgpack" ] || { echo "the behaviour has changed" >&2; exit 1; }
