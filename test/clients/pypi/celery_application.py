"""A Celery application, as docs/adopting.md has it: each worker process opens and observes its own connection.

Its broker is a folder. A task puts one checkpoint.
"""

import os
import pathlib
import sqlite3

import celery
import outgrown
from celery.signals import worker_process_init
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

saver = None

application = celery.Celery("celery_application", broker="filesystem://")
queue = pathlib.Path(os.environ["QUEUE"])
application.conf.broker_transport_options = {
    name: str(queue) for name in ("data_folder_in", "data_folder_out", "control_folder")
}


@worker_process_init.connect
def open_saver(**_):
    global saver
    connection = sqlite3.connect(os.environ["DATABASE"], check_same_thread=False, timeout=60)
    saver = outgrown.observe(SqliteSaver(connection))


@application.task
def put(thread):
    config = {"configurable": {"thread_id": f"{thread}", "checkpoint_ns": f"{os.getpid()}"}}
    saver.put(config, empty_checkpoint(), {}, {})
