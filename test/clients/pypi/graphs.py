"""A graph that writes as LangGraph does, and does nothing else."""

from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    steps: int


def three_nodes(checkpointer):
    builder = StateGraph(State)
    names = ("first", "second", "third")
    for name in names:
        builder.add_node(name, lambda state: {"steps": state["steps"] + 1})
    for one, next_one in zip((START, *names), (*names, END)):
        builder.add_edge(one, next_one)
    return builder.compile(checkpointer=checkpointer)
