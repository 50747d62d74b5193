"""A statement's kind, and where a script's statements end, from the words alone."""

import random
import sqlite3
import unittest

from outgrown.statement import Kind, kind_of, split_script, target_of

KINDS = {
    Kind.READ: [
        "", ";", "-- INSERT INTO t VALUES (1)", "/* DELETE FROM t", "SELECT 1", "  select replace('a', 'b', 'c')", "VALUES (1)",
        "EXPLAIN INSERT INTO t VALUES (1)", "PRAGMA user_version", "PRAGMA journal_mode", "PRAGMA other.journal_mode=WAL", "PRAGMA wal_checkpoint(PASSIVE)",
        "WITH a AS (SELECT 1) SELECT * FROM a", "WITH replace AS (SELECT 1) SELECT * FROM replace",
        "WITH RECURSIVE a(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM a LIMIT 3) SELECT x FROM a",
        "WITH a AS (SELECT 'INSERT') SELECT \"delete\" FROM a", "ROLLBACK TO a", "ROLLBACK TRANSACTION TO SAVEPOINT a",
        "VACUUM INTO 'copy.db'", "VACUUM other", "PRAGMA other.user_version = 5", 'VACUUM "other"',
        'PRAGMA "other".user_version = 5', "nonsense", "'INSERT'",
    ],
    Kind.WRITE: [
        "INSERT INTO t VALUES (1)", "\n\t insert or ignore into t values (1)", "REPLACE INTO t VALUES (1)", "UPDATE t SET x = 1",
        "DELETE FROM t", "-- a comment\nINSERT INTO t VALUES (1)", "/* SELECT */ DELETE FROM t", ";; DELETE FROM t",
        "\ufeffINSERT INTO t VALUES (1)", "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "WITH a AS (SELECT 1), replace AS (SELECT 2) REPLACE INTO t SELECT * FROM a",
        "WITH a AS (DELETE), b AS (SELECT ')') UPDATE t SET x = 1",     ],
    Kind.FILE: [
        "VACUUM", "vacuum main;", "PRAGMA user_version = 5", "PRAGMA main.application_id(7)", "PRAGMA incremental_vacuum",
        "PRAGMA main.incremental_vacuum(10)", 'PRAGMA "user_version" = 5', "PRAGMA [main].`application_id`(7)", 'VACUUM "main"',
        "PRAGMA default_cache_size = 100",
    ],
    Kind.SCHEMA: ["CREATE TABLE t (x)", "CREATE TEMP TABLE t (x)", "ALTER TABLE t ADD COLUMN y", "DROP TABLE t", "REINDEX", "ANALYZE"],
    Kind.JOURNAL: ["PRAGMA journal_mode=WAL", "pragma main.journal_mode('delete')"],
    Kind.ATTACH: ["ATTACH 'x.db' AS x", "DETACH x"],
    Kind.BEGIN: ["BEGIN", "begin deferred", "BEGIN TRANSACTION", "SAVEPOINT a"],
    Kind.BEGIN_WRITE: ["BEGIN IMMEDIATE", "begin /* now */ exclusive transaction"],
    Kind.COMMIT: ["COMMIT", "END TRANSACTION", "RELEASE a"],
    Kind.ROLLBACK: ["ROLLBACK", "ROLLBACK TRANSACTION;"],
}

# Scripts and the units they fall into.
SCRIPTS = {
    "nothing": ("  -- nothing\n", []),
    "statements": ("A; B ;C", ["A;", " B ;", "C"]),
    "quotes and comments": ("SELECT ';' /* ; */ -- ;\n; SELECT \"a;b\", `c;d`, [e;f];", [
        "SELECT ';' /* ; */ -- ;\n;", " SELECT \"a;b\", `c;d`, [e;f];"]),
    "a transaction": ("A; BEGIN; B; COMMIT; C", ["A;", " BEGIN; B; COMMIT;", " C"]),
    "END and ROLLBACK": ("BEGIN; A; END; BEGIN; B; ROLLBACK; C;", ["BEGIN; A; END;", " BEGIN; B; ROLLBACK;", " C;"]),
    "a transaction left open": ("A; BEGIN; B; C", ["A;", " BEGIN; B; C"]),
    "savepoints": ("SAVEPOINT a; A; SAVEPOINT b; B; RELEASE b; RELEASE \"A\"; C",
                   ["SAVEPOINT a; A; SAVEPOINT b; B; RELEASE b; RELEASE \"A\";", " C"]),
    "a savepoint in a transaction": ("BEGIN; SAVEPOINT a; RELEASE a; ROLLBACK TO b; COMMIT; C",
                                     ["BEGIN; SAVEPOINT a; RELEASE a; ROLLBACK TO b; COMMIT;", " C"]),
    "a trigger": ("CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END; A;",
                  ["CREATE TEMP TRIGGER r AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END;", " A;"]),
    "a table called trigger": ('CREATE TABLE "trigger" (x); CREATE TABLE trigger (x); A;', [
        'CREATE TABLE "trigger" (x);', " CREATE TABLE trigger (x);", " A;"]),
}


TARGETS = {
    "INSERT INTO t VALUES (1)": "t", "insert or ignore into Main . [a b](x) select x from u": "Main.[a b]",
    "REPLACE INTO 'it''s' DEFAULT VALUES": "'it''s'", "UPDATE Ü SET x = (SELECT 1 FROM u) FROM v": "Ü",
    "UPDATE OR FAIL temp.t SET x = 1": "temp.t", "-- into u\nDELETE FROM t/* */WHERE x IN (SELECT x FROM u)": "t",
    "WITH a AS (SELECT 1 FROM u) DELETE FROM `t;`": "`t;`", "INSERT": "", "INSERT INTO": "", "UPDATE OR": "",
}


class Statement(unittest.TestCase):
    def test_what_a_statement_writes_stands_behind_its_verb(self):
        for sql, target in TARGETS.items():
            with self.subTest(sql):
                self.assertEqual(target_of(sql), target)

    def test_the_kind_of_a_statement_is_told_by_its_words(self):
        for kind, statements in KINDS.items():
            for sql in statements:
                with self.subTest(sql):
                    self.assertEqual(kind_of(sql), kind)

    def test_a_script_falls_into_statements_and_whole_transactions(self):
        for name, (script, units) in SCRIPTS.items():
            with self.subTest(name):
                self.assertEqual([unit.text for unit in split_script(script)], units)

    def test_random_scripts_are_split_where_sqlite_says_that_a_statement_is_complete(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        draw = random.Random(seed)
        pieces = ["SELECT", "CREATE", "TEMP", "TRIGGER", "t", "END", ";", ";", "; END;", "';'", "'it''s;'", '"a;"', "`;`", "[;]",
                  "/* ; */", "-- ;\n", "EXPLAIN CREATE TRIGGER", " ", "\n", "(", ")", "1", "x1", "BEGINS"]
        for _ in range(20000):
            script = " ".join(draw.choice(pieces) for _ in range(draw.randrange(1, 14)))
            statements = [text for unit in split_script(script) for text in unit.statements]
            self.assertEqual("".join(statements), script[: len("".join(statements))], script)
            for text in statements[:-1]:
                self.assertTrue(sqlite3.complete_statement(text), (script, text))
            # No earlier semicolon would have done.
            for text in statements:
                for end in (i for i, character in enumerate(text[:-1], 1) if character == ";"):
                    head = text[:end]
                    if sqlite3.complete_statement(head) and head.strip("; \n") and not _only_blank(head):
                        self.fail((script, head))


def _only_blank(sql):
    """Only comments and semicolons, which are no statement of their own here."""
    return not split_script(sql)


if __name__ == "__main__":
    unittest.main()
