"""The PyPI group: the real langgraph, aiosqlite and the wheel, on every kind of Python and SQLite that people have; and
the package alone on every version of Python that it is for.

Usage: run.py BUILD_DIR COUNTS_FILE. Everything is installed under BUILD_DIR/pypi, once. The counts (passed, failed,
skipped, a line each) go to COUNTS_FILE. Exit status 1 if anything failed.
"""

import json
import os
import pathlib
import subprocess
import sys

import environments

SUITE = pathlib.Path(__file__).with_name("suite.py")


def flavours(base):
    """(title, kind, interpreter, folder with a pysqlite3 or nothing) of each flavour; without interpreter: skipped."""
    debian = environments.venv(base, "debian", environments.DEBIAN_PYTHON)
    wheel = environments.wheel(base, debian)
    environments.install_wheel(debian, wheel)
    yield "Debian's Python", "debian", debian, ""
    yield "a SQLite linked in statically (pysqlite3's wheel)", "static", debian, environments.static_sqlite(base, debian)
    without = environments.sqlite_without_load_extension(base, debian)
    yield "a sqlite3 module without enable_load_extension (pysqlite3, built so)", "without-load-extension", debian, without
    other = environments.python_without_load_extension()
    python = None
    if other is not None:
        python = environments.venv(base, "other", other)
        environments.install_wheel(python, wheel)
    yield "a Python of this machine built without enable_load_extension", "without-load-extension", python, ""
    for version, found in environments.one_of_each_version():
        yield f"the package alone, Python {version}", "package", found, ""


def run_suite(build, kind, python, sqlite):
    """The counts of one flavour's tests; a suite that dies is one failure."""
    counts = build / "pypi" / "counts.json"
    counts.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OUTGROWN_"))}
    environment.update(
        PYTHONDONTWRITEBYTECODE="1",
        OUTGROWN_BUILD=str(build),
        OUTGROWN_STORES_MAX="10000",  # each test counts into a store of its own, all in one process
        OUTGROWN_TEST_FLAVOUR=kind,
        OUTGROWN_TEST_SQLITE=str(sqlite),
        OUTGROWN_BLOCK=str(build / "counterblock" / "outgrown-block"),
        OUTGROWN_OBSERVER=str(build / "clients" / "sqlite_observer" / "outgrown_sqlite.so"),
    )
    if kind == "package":
        environment["PYTHONPATH"] = str(environments.PACKAGE)  # nothing is installed for it
    subprocess.run([str(python), str(SUITE), str(counts)], env=environment, stdin=subprocess.DEVNULL)
    return json.loads(counts.read_text()) if counts.exists() else {"passed": 0, "failed": 1, "skipped": 0}


def main():
    build, counts_file = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    total = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        for title, kind, python, sqlite in flavours(build / "pypi"):
            print(f"\n--- {title}", flush=True)
            if python is None:
                print("skipped: there is none of version 3.10 or later", flush=True)
                counts = {"skipped": 1}
            else:
                counts = run_suite(build, kind, python, sqlite)
            for outcome, number in counts.items():
                total[outcome] += number
    except environments.CannotInstall as error:
        print(f"cannot install: {error}", file=sys.stderr)
        total["failed"] += 1
    counts_file.write_text("".join(f"{total[outcome]}\n" for outcome in ("passed", "failed", "skipped")))
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
