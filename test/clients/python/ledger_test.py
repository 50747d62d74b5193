"""The ledger's rules: which record each course of a transaction leaves."""

import unittest

from outgrown.ledger import Ledger
from outgrown.outcome import Failure, Outcome

BUSY, CONSTRAINT, FULL = Failure(5), Failure(19), Failure(13)


class FakeStore:
    """Writes down what a store is told; a start is a number."""

    def __init__(self):
        self.begun = 0
        self.open = set()
        self.records = []

    def begin(self):
        self.begun += 1
        self.open.add(self.begun)
        return self.begun

    def end(self, start, outcome, size_bytes):
        self.open.remove(start)
        self.records.append((outcome, size_bytes))

    def abandon(self, start):
        self.open.remove(start)

    def outcome_of(self, code):
        return {5: Outcome.BUSY, 19: Outcome.CONSTRAINT, 13: Outcome.FULL}[code]


def wrote(size_bytes=0, changed=True, still_open=True):
    return lambda ledger: ledger.wrote(ledger.start(), size_bytes, changed, still_open)


def failed(failure, changed=False, still_open=True):
    return lambda ledger: ledger.failed(ledger.start(), failure, changed, still_open)


def begin_immediate(ledger):
    ledger.wrote(ledger.start(), 0, False, True)


def commit_failed(failure, still_open=True):
    return lambda ledger: ledger.commit_failed(failure, still_open)


commit = Ledger.committed
rollback = Ledger.rolled_back

COURSES = {
    "a statement outside a transaction": ([wrote(3, still_open=False)], [(Outcome.OK, 3)]),
    "one that changes nothing": ([wrote(3, changed=False, still_open=False)], []),
    "several statements, one commit": ([wrote(3), wrote(4), commit], [(Outcome.OK, 7)]),
    "one of them changes something": ([wrote(3, changed=False), wrote(4), wrote(0, changed=False), commit], [(Outcome.OK, 7)]),
    "a commit of nothing": ([commit], []),
    "an immediate transaction without a change": ([begin_immediate, commit], []),
    "an immediate transaction that does not begin": ([failed(BUSY, still_open=False)], [(Outcome.BUSY, 0)]),
    "a rollback by choice": ([wrote(3), rollback], []),
    "a busy statement, then a commit of nothing": ([failed(BUSY), commit], [(Outcome.BUSY, 0)]),
    "a busy statement, tried again": ([failed(BUSY), failed(BUSY), wrote(1), commit],
                                      [(Outcome.BUSY, 0), (Outcome.BUSY, 0), (Outcome.OK, 1)]),
    "a busy statement in an immediate transaction": ([begin_immediate, failed(BUSY), rollback], [(Outcome.BUSY, 0)]),
    "a rejected statement outside a transaction": ([failed(CONSTRAINT, still_open=False)], [(Outcome.CONSTRAINT, 0)]),
    "one whose first rows stay": ([failed(CONSTRAINT, changed=True, still_open=False)], [(Outcome.OK, 0)]),
    "a rejected statement, rolled back": ([failed(CONSTRAINT), rollback], [(Outcome.CONSTRAINT, 0)]),
    "a rejected statement alone, committed": ([failed(CONSTRAINT), commit], [(Outcome.CONSTRAINT, 0)]),
    "a rejected statement among others, committed": ([wrote(2), failed(CONSTRAINT), commit], [(Outcome.OK, 2)]),
    "a rejected statement among others, rolled back": ([wrote(2), failed(CONSTRAINT), rollback], [(Outcome.CONSTRAINT, 0)]),
    "a rejected statement ends the transaction": ([wrote(2), failed(CONSTRAINT, still_open=False)], [(Outcome.CONSTRAINT, 0)]),
    "the last failure counts": ([failed(CONSTRAINT), failed(FULL), rollback], [(Outcome.FULL, 0)]),
    "a busy commit, tried again": ([wrote(2), commit_failed(BUSY), commit], [(Outcome.OK, 2)]),
    "a busy commit, given up": ([wrote(2), commit_failed(BUSY), rollback], [(Outcome.BUSY, 0)]),
    "a commit that fails and rolls back": ([wrote(2), commit_failed(FULL, False)], [(Outcome.FULL, 0)]),
    "an exception that says nothing": ([failed(None), commit], []),
    "an exception that says nothing, amid a write": ([wrote(1), failed(None), commit], [(Outcome.OK, 1)]),
}


class Courses(unittest.TestCase):
    def test_each_course_of_a_transaction_leaves_its_records_and_nothing_in_flight(self):
        for name, (steps, records) in COURSES.items():
            with self.subTest(name):
                store = FakeStore()
                ledger = Ledger(store)
                for step in steps:
                    step(ledger)
                self.assertEqual(store.records, records)
                self.assertEqual(store.open, set())
                self.assertFalse(ledger.writing)

    def test_a_write_is_in_flight_from_its_first_statement_to_its_commit(self):
        store = FakeStore()
        ledger = Ledger(store)
        wrote()(ledger)
        self.assertEqual(store.open, {1})
        wrote()(ledger)
        self.assertEqual((store.open, store.begun), ({1}, 1))
        ledger.committed()
        self.assertEqual(store.open, set())


if __name__ == "__main__":
    unittest.main()
