#!/usr/bin/env bash
# Finding: a program that runs one turn of a LangGraph conversation without the class of an object in its state replaces the object by plain data,
# for every later reader (langgraph 1.2.24, langgraph-checkpoint 4.3.2, langgraph-checkpoint-sqlite 3.1.2).
#
# Guess before the run: a state that can't be rebuilt raises an error, at the latest in the run that would store it again; a
# value that a run doesn't touch stays in the file as it is.
# Seen: get_state() and invoke() succeed, with a line in the log: a dataclass is a dict then, an enumeration's member its value, a named tuple
# a dict. Each checkpoint of the SQLite saver holds the whole state, so the run stores the dict in place of the object, though no node
# touched it, and the program that has the class gets the dict from then on. LANGGRAPH_STRICT_MSGPACK=true, which the log recommends
# for every class that is not on its list, does the same with the class at hand: one turn under it, and without it the objects don't come back.
# A worker, a script of the operators or a try of the setting is enough; update_state() with the right object repairs it.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langgraph==1.2.24 \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3
mkdir "$folder/application"
cat >"$folder/application/shop.py" <<'PYTHON'
import dataclasses, enum, typing

@dataclasses.dataclass
class Order:
    item: str

class Status(enum.Enum):
    PAID = "paid"

class Place(typing.NamedTuple):
    row: int
PYTHON
cat >"$folder/turn.py" <<'PYTHON'
import operator, sqlite3, sys
from typing import Annotated, Any, TypedDict
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    kept: Any
    said: Annotated[list, operator.add]

path, thread, what = sys.argv[1:]
builder = StateGraph(State)
builder.add_node("answer", lambda state: {"said": ["answer"]})
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
graph = builder.compile(checkpointer=SqliteSaver(sqlite3.connect(path, check_same_thread=False)))
config = {"configurable": {"thread_id": thread}}
if what == "begin":
    import shop
    graph.invoke({"kept": [shop.Order("tea"), shop.Status.PAID, shop.Place(7)], "said": ["question"]}, config)
elif what == "turn":
    graph.invoke({"said": ["question"]}, config)
elif what == "repair":
    import shop
    graph.update_state(config, {"kept": [shop.Order("tea"), shop.Status.PAID, shop.Place(7)]})
print(f"  {what}:", *graph.get_state(config).values["kept"])
PYTHON
cd "$folder"
application() { PYTHONPATH="$folder/application" venv/bin/python turn.py store.db "$@" 2>>log; }
another() { venv/bin/python turn.py store.db "$@" 2>>log; }
seen=$(
  echo "the application"
  application a begin
  application a turn
  echo "a program without its classes"
  another a look
  echo "the application"
  application a look
  echo "a program without its classes"
  another a turn
  echo "the application"
  application a look
  application a repair
  echo "the application, LANGGRAPH_STRICT_MSGPACK=true"
  application b begin >/dev/null
  LANGGRAPH_STRICT_MSGPACK=true application b turn
  echo "the application, without it"
  application b look
)
echo "$seen"
objects="Order(item='tea') Status.PAID Place(row=7)"
data="{'item': 'tea'} paid {'row': 7}"
[ "$seen" = "the application
  begin: $objects
  turn: $objects
a program without its classes
  look: $data
the application
  look: $objects
a program without its classes
  turn: $data
the application
  look: $data
  repair: $objects
the application, LANGGRAPH_STRICT_MSGPACK=true
  turn: $data
the application, without it
  look: $data" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
