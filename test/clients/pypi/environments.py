"""The Pythons and SQLites of the PyPI group, made once and kept under build/pypi.

Each has a stamp with a digest of everything it was made of; as long as that is the same, nothing is installed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

SOURCE = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = SOURCE / "clients" / "python"
REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
PYSQLITE3 = "pysqlite3==0.6.1"
SETUPTOOLS = "setuptools==84.2.1"  # builds pysqlite3 from its source
DEBIAN_PYTHON = "/usr/bin/python3"
MINORS = (14, 13, 12, 11, 10)  # that the pinned clients are for
PACKAGE_MINORS = (*MINORS, 9, 8)  # that the package is for


class CannotInstall(Exception):
    """pip or venv has failed; the text is their output's end."""


def run(*command, **environment):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        shown = " ".join(str(word) for word in command)
        raise CannotInstall(f"{shown}\n" + textwrap.indent("\n".join(done.stdout.splitlines()[-20:]), "  "))
    return done.stdout


def make(folder, ingredients, recipe):
    """Calls recipe(folder) unless the folder was made of the same ingredients; a half-made one is made anew."""
    stamp = folder / "made-of"
    digest = hashlib.sha256("\n".join(ingredients).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"Installing {folder.name}", file=sys.stderr, flush=True)
    recipe(folder)
    stamp.write_text(digest)
    return folder


def describe(python):
    """The interpreter in one line, so that another one makes another environment."""
    return run(python, "-c", "import sqlite3, sys; print(sys.executable, sys.version, sqlite3.sqlite_version)")


def venv(base, name, python):
    """A venv with the pinned clients. Without symbolic links to a shim that may choose another interpreter."""
    def recipe(folder):
        real = run(python, "-c", "import sys; print(sys.executable)").strip()
        run(real, "-m", "venv", folder)
        run(folder / "bin" / "pip", "install", "--no-deps", "-r", REQUIREMENTS)

    return make(base / name, [describe(python), REQUIREMENTS.read_text()], recipe) / "bin" / "python"


def wheel(base, python):
    """Outgrown's wheel, built by the pinned hatchling of a venv."""
    sources = sorted(path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".pyc",))
    ingredients = [f"{path.relative_to(PACKAGE)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sources]

    def recipe(folder):
        run(python, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, PACKAGE)

    return next(make(base / "wheel", ingredients, recipe).glob("outgrown-*.whl"))


def install_wheel(python, file):
    """Into the venv, if it is not this very wheel that is there."""
    stamp = python.parent.parent / "wheel-installed"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        run(python, "-m", "pip", "install", "--no-deps", "--no-index", "--force-reinstall", file)
        stamp.write_text(digest)


def static_sqlite(base, python):
    """pysqlite3 as PyPI has it built: with a SQLite linked in statically."""
    def recipe(folder):
        run(python, "-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--target", folder, PYSQLITE3)

    return make(base / "sqlite-static", [describe(python), PYSQLITE3], recipe)


def sqlite_without_load_extension(base, python):
    """pysqlite3 built here on the system's SQLite, without enable_load_extension, as CPython is by default."""
    def recipe(folder):
        build = folder / "build"
        run(python, "-m", "venv", build)
        run(build / "bin" / "pip", "install", "--no-deps", SETUPTOOLS)
        run(build / "bin" / "pip", "install", "--no-deps", "--no-build-isolation", "--no-binary=:all:", "--no-cache-dir",
            "--target", folder / "packages", PYSQLITE3, CFLAGS="-DSQLITE_OMIT_LOAD_EXTENSION")
        shutil.rmtree(build)

    return make(base / "sqlite-without-load-extension", [describe(python), PYSQLITE3, SETUPTOOLS], recipe) / "packages"


def python_without_load_extension():
    """An interpreter of this machine that was built without enable_load_extension; None if there is none."""
    question = "import sqlite3, sys; sys.exit(hasattr(sqlite3.Connection, 'enable_load_extension'))"
    return next((found for minor in MINORS for found in interpreters(minor, question)), None)


def one_of_each_version():
    """(version, interpreter) of each version that the package is for and this machine has."""
    for minor in PACKAGE_MINORS:
        for found in interpreters(minor, "import sqlite3"):
            yield f"3.{minor}", found
            break


def interpreters(minor, question):
    """Those of this machine that answer the question, a program, with 0."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    for found in (shutil.which(f"python3.{minor}"), *sorted(pyenv.glob(f"3.{minor}.*/bin/python3"))):
        if found and subprocess.run([found, "-c", question], capture_output=True).returncode == 0:
            yield found
