"""What a SQL text does to the connection's transaction, told from its words alone.

One tokenizer serves two questions: which kind of statement is this (`kind_of`), and where do a script's statements end
(`split_script`). Words decide almost everything; what they cannot tell (does this DDL change anything, which of several
attached databases is written) schema.py asks SQLite.
"""

from __future__ import annotations

import enum
import functools
import itertools
import re
from typing import Iterator, List, NamedTuple, Tuple


class Kind(enum.Enum):
    """What a statement means for the outermost write transaction."""

    READ = "read"  # and everything else that is none of our business
    WRITE = "write"  # of rows: takes the write lock
    FILE = "file"  # VACUUM, PRAGMA user_version = 1: takes the write lock and always changes the file
    SCHEMA = "schema"  # DDL: the same, unless there is nothing to do (IF NOT EXISTS)
    JOURNAL = "journal"  # PRAGMA journal_mode = WAL: the same, unless the file is in that mode already
    ATTACH = "attach"  # changes which databases there are
    BEGIN = "begin"  # opens a transaction that holds no lock yet; SAVEPOINT too
    BEGIN_WRITE = "begin write"  # opens it with the write lock: IMMEDIATE, EXCLUSIVE
    COMMIT = "commit"  # COMMIT, END, RELEASE
    ROLLBACK = "rollback"  # of the whole transaction
    LOAD = "load"  # SELECT load_extension(...): may bring the SQLite observer


# A statement's tokens as far as they matter here: blanks, comments and every kind of quoting in one piece each.
# Source: https://www.sqlite.org/lang_keywords.html, lang_comment.html, syntax/literal-value.html.
_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]+|--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<quoted>'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
      | (?P<word>[^\W\d][\w$]*)
      | (?P<other>[0-9]\w*|.)""",
    re.VERBOSE | re.DOTALL,
)

# Pragmas that take the write lock when they are given a value; incremental_vacuum does without one, too.
_WRITING_PRAGMAS = {"USER_VERSION", "APPLICATION_ID", "SCHEMA_VERSION", "DEFAULT_CACHE_SIZE"}

_BY_FIRST_WORD = {
    "INSERT": Kind.WRITE,
    "REPLACE": Kind.WRITE,
    "UPDATE": Kind.WRITE,
    "DELETE": Kind.WRITE,
    "CREATE": Kind.SCHEMA,
    "ALTER": Kind.SCHEMA,
    "DROP": Kind.SCHEMA,
    "REINDEX": Kind.SCHEMA,
    "ANALYZE": Kind.SCHEMA,
    "ATTACH": Kind.ATTACH,
    "DETACH": Kind.ATTACH,
    "SAVEPOINT": Kind.BEGIN,
    "COMMIT": Kind.COMMIT,
    "END": Kind.COMMIT,
    "RELEASE": Kind.COMMIT,
}


# The kinds that take the write lock, if they are what they seem.
LOCKING = frozenset({Kind.WRITE, Kind.FILE, Kind.SCHEMA, Kind.JOURNAL, Kind.BEGIN_WRITE})


class _Token(NamedTuple):
    text: str  # a word in upper case, else as it stands
    start: int
    end: int


def _tokens(sql: str) -> Iterator[_Token]:
    """Every token but blanks."""
    for match in _TOKEN.finditer(sql):
        group = match.lastgroup
        if group == "blank":
            continue
        text = match.group()
        yield _Token(text.upper() if group == "word" else text, match.start(), match.end())


def _words(sql: str) -> Iterator[str]:
    """The tokens' texts from the first one that is no semicolon on."""
    begun = False
    for token in _tokens(sql):
        begun = begun or token.text != ";"
        if begun:
            yield token.text


_REMEMBERED_CHARACTERS_MAX = 4096  # longer texts carry data: keeping them would keep the data


def kind_of(sql: str) -> Kind:
    """The kind of the one statement in `sql`; READ for what SQLite would refuse to parse."""
    return _remembered_kind_of(sql) if len(sql) <= _REMEMBERED_CHARACTERS_MAX else _kind_of(sql)


def _kind_of(sql: str) -> Kind:
    words = _words(sql)
    first = next(words, "")
    if first == "WITH":
        return _kind_of_with(words)
    if first == "BEGIN":
        return Kind.BEGIN_WRITE if next(words, "") in ("IMMEDIATE", "EXCLUSIVE") else Kind.BEGIN
    if first == "ROLLBACK":
        return Kind.READ if "TO" in words else Kind.ROLLBACK
    if first == "PRAGMA":
        return _kind_of_pragma(list(words))
    if first == "VACUUM":
        return Kind.FILE if _unquoted(next(words, ";")) in (";", "MAIN") and "INTO" not in words else Kind.READ
    if first == "SELECT" and "load_extension" in sql.lower():
        return Kind.LOAD
    return _BY_FIRST_WORD.get(first, Kind.READ)


_remembered_kind_of = functools.lru_cache(maxsize=1024)(_kind_of)


def _unquoted(name: str) -> str:
    return name.strip("'\"`[]").upper()


def _kind_of_with(words: Iterator[str]) -> Kind:
    """WITH common table expressions: the first verb outside of their parentheses."""
    depth = 0
    before = ""
    for word in words:
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth == 0:
            # REPLACE may also name a table expression, so only with its INTO.
            if word in ("INSERT", "UPDATE", "DELETE") or (before == "REPLACE" and word == "INTO"):
                return Kind.WRITE
            if word in ("SELECT", "VALUES"):
                return Kind.READ
        before = word
    return Kind.READ


def target_of(sql: str) -> str:
    """The name, as the text has it, of the table or view that a statement of kind WRITE writes; empty if it has none."""
    depth = 0
    tokens = _tokens(sql)  # not more of them than need be: the text may carry megabytes of data
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.text in ("INTO", "FROM", "UPDATE"):
            name = list(itertools.islice(tokens, 5))
            if [part.text for part in name[:1]] == ["OR"]:  # UPDATE OR IGNORE
                name = name[2:]
            dotted = len(name) > 2 and name[1].text == "."
            return ".".join(sql[part.start : part.end] for part in (name[:3:2] if dotted else name[:1]))
    return ""


def _kind_of_pragma(words: List[str]) -> Kind:
    if words[1:2] == ["."]:
        if _unquoted(words[0]) != "MAIN":
            return Kind.READ
        words = words[2:]
    name = _unquoted(words[0]) if words else ""
    given = "=" in words or "(" in words
    if name == "JOURNAL_MODE" and given:
        return Kind.JOURNAL
    return Kind.FILE if name == "INCREMENTAL_VACUUM" or (name in _WRITING_PRAGMAS and given) else Kind.READ


def names_wal(journal_pragma: str) -> bool:
    """Whether a PRAGMA journal_mode = ... asks for the write-ahead log. Every other mode is a rollback mode."""
    return any(_unquoted(token.text) == "WAL" for token in _tokens(journal_pragma))


_TRIGGER = re.compile(r"(EXPLAIN (QUERY PLAN )?)?CREATE ((TEMP|TEMPORARY) )*TRIGGER")


def _split_statements(script: str) -> Iterator[str]:
    """The script's statements, their texts adding up to the whole. As sqlite3_complete() does, a trigger's body is
    left by `; END ;` only."""
    start = 0
    words: List[str] = []
    trigger = False
    for token in _tokens(script):
        if token.text != ";":
            words.append(token.text)
            if token.text == "TRIGGER":
                trigger = trigger or _TRIGGER.fullmatch(" ".join(words)) is not None
            continue
        if trigger and words[-2:] != [";", "END"]:
            words.append(";")
            continue
        if words:
            yield script[start : token.end]
            start, words, trigger = token.end, [], False
    if words:
        yield script[start:]


class Unit(NamedTuple):
    """A stretch of a script outside of which no transaction is open: one statement, or BEGIN to COMMIT."""

    text: str
    statements: Tuple[str, ...]


def split_script(script: str) -> List[Unit]:
    """The script in units. The last one is a transaction left open if the script leaves one open.

    A transaction that a SAVEPOINT opened goes on to the RELEASE of the same name, or to COMMIT or ROLLBACK. When in
    doubt a unit goes on, because ending one too early would change what the script does.
    """
    units: List[Unit] = []
    inside: List[str] = []
    savepoint = ""
    for statement in _split_statements(script):
        kind = kind_of(statement)
        words = list(_words(statement))
        if inside or kind in (Kind.BEGIN, Kind.BEGIN_WRITE):
            if not inside and words[0] == "SAVEPOINT":
                savepoint = _name(words)
            inside.append(statement)
            if kind is Kind.ROLLBACK or (kind is Kind.COMMIT and (words[0] != "RELEASE" or _name(words) == savepoint)):
                units.append(Unit("".join(inside), tuple(inside)))
                inside, savepoint = [], ""
            continue
        units.append(Unit(statement, (statement,)))
    if inside:
        units.append(Unit("".join(inside), tuple(inside)))
    return units


def _name(words: List[str]) -> str:
    """The savepoint's name in SAVEPOINT name, RELEASE [SAVEPOINT] name; names are case-insensitive."""
    name = [word for word in words if word != ";"][-1]
    return _unquoted(name)
