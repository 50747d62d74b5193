"""A web application under gunicorn, as docs/adopting.md has it: each worker opens and observes its own connection.

Both gunicorn's configuration (post_fork) and the application; loaded before the fork (--preload). A request puts one
checkpoint and is answered with the worker's process id.
"""

import os
import sqlite3

import outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

saver = None


def open_saver():
    global saver
    connection = sqlite3.connect(os.environ["DATABASE"], check_same_thread=False, timeout=60)
    saver = outgrown.observe(SqliteSaver(connection))


def post_fork(server, worker):
    import web_application  # this file as the application's module; here it is gunicorn's configuration

    web_application.open_saver()


def application(environ, start_response):
    config = {"configurable": {"thread_id": environ["PATH_INFO"], "checkpoint_ns": ""}}
    saver.put(config, empty_checkpoint(), {}, {})
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
