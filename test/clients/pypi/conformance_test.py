"""LangGraph's own suite for checkpointers finds the same of an observed AsyncSqliteSaver as of one that isn't."""

import flavour  # noqa: F401  first of all

import asyncio

import outgrown
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import ProgressCallbacks
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from support import StoreTest

BASE = {"put", "put_writes", "get_tuple", "list", "delete_thread"}


class Conformance(StoreTest):
    def outcomes(self, store, wrap):
        """(capability, test) to whether it passed, and the capabilities that passed. Each capability gets a saver of its own."""
        @checkpointer_test(name=store)
        async def saver():
            async with AsyncSqliteSaver.from_conn_string(self.path(store + ".db")) as plain:
                yield wrap(plain)

        seen = {}

        def on_test(capability, test, passed, _):
            seen[capability, test] = passed

        report = asyncio.run(validate(saver, progress=ProgressCallbacks(on_test_result=on_test)))
        return seen, {name for name, result in report.results.items() if result.passed}

    def test_it_finds_the_same(self):
        plain = self.outcomes("plain", lambda saver: saver)
        observed = self.outcomes("app", outgrown.observe)
        self.assertEqual(observed, plain)
        self.assertEqual(observed[1], BASE)
        counted = self.counts()
        self.assertGreater(counted["ok"], 50)
        self.assertEqual(set(counted), {"ok"})
