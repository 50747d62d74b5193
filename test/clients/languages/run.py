"""The observer in real clients of many languages: what each did is what was counted.

Usage: run.py BUILD_DIR COUNTS_FILE [WORD...]. With words: only the clients whose names hold one of them. Everything is made under
BUILD_DIR/clients-tested, once, two clients at a time. The counts (passed, failed, skipped, a line each) go to COUNTS_FILE. Exit
status 1 if anything failed.
"""

import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile
import threading
import time
import traceback
from functools import partial

import cases
import recipes

COUNTED = (cases.script, cases.processes, cases.exits, cases.killed, cases.unobserved)
TRACED = (*COUNTED, cases.traced, cases.traced_first)
ENCRYPTED = (*COUNTED[:-1], cases.encrypted, cases.traced, cases.traced_first)
saying = threading.Lock()


def clients(kitchen):
    """(name, recipe, its tests): the slowest to make first."""
    versions = recipes.VERSIONS
    for each in versions["npm"]["better-sqlite3"]:
        yield (f"better-sqlite3 {each['version']} on Node {each['node']}",
               partial(kitchen.better_sqlite3, each["version"], each["node"]), COUNTED)
    newest = versions["pypi"]["apsw"][-1]
    yield f"apsw {newest}, its tests", partial(kitchen.apsw_suite, newest), (cases.same_suite,)
    for version in versions["go"]["modernc"]:
        yield f"modernc.org/sqlite {version}", partial(kitchen.modernc, version), (cases.cannot_load, cases.unobserved)
    for version in versions["go"]["mattn"]:
        yield f"mattn/go-sqlite3 {version}", partial(kitchen.mattn, version), COUNTED
    for version in versions["cargo"]["bundled"]:
        yield f"rusqlite {version}, bundled", partial(kitchen.rusqlite, version, "bundled"), COUNTED
    for version in versions["cargo"]["system"]:
        yield f"rusqlite {version}, the system's SQLite", partial(kitchen.rusqlite, version), COUNTED
    for version in versions["npm"]["node"]:
        yield f"node:sqlite of Node {version}", partial(kitchen.node_sqlite, version), (
            TRACED if int(version.split(".")[0]) >= 26 else COUNTED)
    for version in versions["maven"]["sqlite-jdbc"]:
        yield f"sqlite-jdbc {version}", partial(kitchen.jdbc, version), COUNTED
    for version in versions["maven"]["too-old"]:
        yield f"sqlite-jdbc {version}", partial(kitchen.jdbc, version), (cases.too_old, cases.unobserved)
    for package in ("pysqlite3-binary", "pysqlite3"):
        for version in versions["pypi"][package]:
            yield f"{package} {version}", partial(kitchen.dbapi, "pysqlite3", package, version), TRACED
    for package in ("sqlcipher3-binary", "sqlcipher3"):
        for version in versions["pypi"][package]:
            yield (f"{package} {version}",
                   partial(kitchen.dbapi, "sqlcipher3.dbapi2", package, version, KEY="secret"), ENCRYPTED)
    for version in versions["pypi"]["apsw"]:
        yield f"apsw {version}", partial(kitchen.apsw, version), TRACED
    yield f"apsw {newest} beside Python's sqlite3", partial(kitchen.two_copies, newest), (cases.two_copies,)
    for version in versions["pypi"]["pyturso"]:
        yield f"pyturso {version}", partial(kitchen.turso, version), (cases.locked,)
    for minor in recipes.CPYTHON_MINORS:
        yield f"CPython 3.{minor}, its tests", partial(kitchen.cpython_suite, minor), (cases.same_suite,)
    yield "Debian's Python", partial(kitchen.dbapi, "sqlite3"), TRACED
    yield "a Python without enable_load_extension", kitchen.python_by_ctypes, (*COUNTED, cases.traced)
    yield "Debian's PHP, SQLite3", partial(kitchen.php, "php_sqlite3.php"), COUNTED
    yield "Debian's PHP, PDO", partial(kitchen.php, "php_pdo.php"), COUNTED
    yield "Debian's Ruby", kitchen.ruby, COUNTED
    yield "the sqlite3 shell", kitchen.shell, COUNTED


DOCUMENT = recipes.HERE.parents[2] / "docs" / "clients.md"


def check_document():
    """docs/clients.md has the programs' own lines, and the versions that are tried"""
    rows = re.search("<!-- clients: begin -->\n(.*)<!-- clients: end -->", DOCUMENT.read_text(), re.S)[1].splitlines()[2:]
    findings, linked, named = [], set(), set()
    for row in rows:
        client, versions, lines, _ = (cell.strip() for cell in row.strip("|").split(" | "))
        programs = [DOCUMENT.parent / name for name in re.findall(r"\]\(([^)]*)\)", client + lines)]
        linked.update(program.name for program in programs)
        named.update(re.findall(r"(?<![\d.])\d+\.\d+\.[\w.]*\w", versions))
        text = "".join(program.read_text() for program in programs)
        findings += [f"{programs[0].name} has no line {line}" for line in re.findall("`([^`]*)`", lines)
                     if line not in text]
    loading = {file.name for file in recipes.PROGRAMS.iterdir() if recipes.INSTALLED in file.read_text()}
    findings += [f"it doesn't name {file}" for file in sorted(loading - linked)]
    tried = {version.removeprefix("v") for version in recipes.versions_tried()}
    if named != tried:
        findings.append(f"it names the versions {sorted(named - tried)}, and not {sorted(tried - named)}")
    assert not findings, "\n".join(findings)


class Results:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def say(self, outcome, name, lines):
        with saying:
            setattr(self, outcome, getattr(self, outcome) + 1)
            print(f"{outcome}: {name}: {lines}", flush=True)


def try_client(name, recipe, tests, build, results):
    began = time.monotonic()
    try:
        client = recipe()
    except recipes.Missing as error:
        results.say("skipped", name, error)
        return
    except recipes.environments.CannotInstall as error:
        results.say("failed", name, f"cannot install: {error}")
        return
    made = time.monotonic() - began
    # On a tmpfs, where there is one: a commit then doesn't wait for a disk.
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="outgrown-clients-", dir=where) as folder:
        for test in tests:
            place = pathlib.Path(folder)
            if test in (cases.unobserved, cases.encrypted):
                (place := place / "unobserved").mkdir()
            try:
                seen = test(cases.Case(client, place, build))
            except Exception as error:
                about = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
                results.say("failed", name, f"{test.__doc__}: {about}")
            else:
                results.say("passed", name, f"{test.__doc__} ({seen})")
    print(f"  {name}: {made:.0f} s to make, {time.monotonic() - began - made:.0f} s to try", flush=True)


def main():
    build, counts_file = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    words = sys.argv[3:]
    results = Results()
    kitchen = recipes.Kitchen(build)
    if not words:
        try:
            check_document()
        except AssertionError as error:
            results.say("failed", DOCUMENT.name, f"{check_document.__doc__}: {error}")
        else:
            results.say("passed", DOCUMENT.name, check_document.__doc__)
    chosen = [each for each in clients(kitchen) if not words or any(word in each[0] for word in words)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: try_client(*each, build, results), chosen))
    counts_file.write_text(f"{results.passed}\n{results.failed}\n{results.skipped}\n")
    sys.exit(1 if results.failed else 0)


if __name__ == "__main__":
    main()
