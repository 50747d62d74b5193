"""A test case whose tests look at the same running servers."""

import pathlib
import tempfile
import unittest

import servers


class ServerCase(unittest.TestCase):
    """`start` fills `folder`, a temporary one, and starts what the tests of the class need in `stack`. Whatever was started
    is stopped after the last test, and when `start` fails."""

    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.folder = pathlib.Path(cls.stack.enter_context(tempfile.TemporaryDirectory()))
        cls.start()

    @classmethod
    def start(cls):
        raise NotImplementedError
