"""How each client is made: installed or built under build/clients-tested, once, of the versions in versions.toml.

A program of programs/ names the observer as an application does, by the path at which Debian's package has it; here that
path is replaced by the one of the build. So the lines that docs/clients.md shows are lines that run.
"""

import collections
import dataclasses
import itertools
import json
import pathlib
import platform
import shutil
import sys
import threading
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "pypi"))

import environments  # noqa: E402
from environments import DEBIAN_PYTHON, describe, run  # noqa: E402

PROGRAMS = HERE / "programs"
VERSIONS = tomllib.loads((HERE / "versions.toml").read_text())
CPYTHON_MINORS = (11, 12, 13, 14)  # that have test.test_sqlite3
INSTALLED = "/usr/lib/x86_64-linux-gnu/outgrown"  # the observer's folder
ARCHITECTURE = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())  # as npm calls it


def versions_tried():
    """Of all clients, whichever they are of."""
    for source in VERSIONS.keys() - {"tools"}:
        for each in itertools.chain.from_iterable(VERSIONS[source].values()):
            yield each if isinstance(each, str) else each["version"]


class Missing(Exception):
    """A toolchain is not on this machine."""


@dataclasses.dataclass
class Client:
    command: list  # DATABASE MODE follow
    environment: dict = dataclasses.field(default_factory=dict)
    threads: int = 4  # that the modes exit and endless have; 1: none but the first


def program(name):
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


class Kitchen:
    """The folder in which everything is made, and the observer that the programs load."""

    def __init__(self, build):
        self.base = build / "clients-tested"
        # Resolved, as PHP holds it against the folder that it may load from.
        self.observer = (build / "clients" / "sqlite_observer" / "outgrown_sqlite.so").resolve()
        self.making = threading.Lock()
        self.locks = collections.defaultdict(threading.Lock)

    def made(self, name, ingredients, recipe):
        """That folder, once of these ingredients. Any thread."""
        with self.making:
            lock = self.locks[name]
        with lock:
            return environments.make(self.base / name, ingredients, recipe)

    def put(self, folder, *names):
        """Puts the programs there as they run here. An unchanged one keeps its date, so that it isn't compiled again."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            text = (PROGRAMS / name).read_text().replace(INSTALLED, str(self.observer.parent))
            file = folder / name
            if not file.exists() or file.read_text() != text:
                file.write_text(text)
                file.chmod((PROGRAMS / name).stat().st_mode)
        return folder

    # --- npm

    def npm(self, folder, *packages):
        run(program("npm"), "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", *packages)

    def node(self, version):
        package = f"node-linux-{ARCHITECTURE}"
        folder = self.made(f"node-{version}", [package, version], lambda folder: self.npm(folder, f"{package}@{version}"))
        return folder / "node_modules" / package

    def node_sqlite(self, version):
        programs = self.put(self.base / "node_sqlite", "script.js", "node_sqlite.js")
        return Client([self.node(version) / "bin/node", "--no-warnings", programs / "script.js"], {"CLIENT": "./node_sqlite.js"})

    def better_sqlite3(self, version, node):
        program("make"), program("g++")
        home = self.node(node)
        gyp = pathlib.Path(run(program("npm"), "root", "--global").strip()) / "npm/node_modules/node-gyp/bin/node-gyp.js"

        def recipe(folder):
            self.npm(folder, f"better-sqlite3@{version}", f"bindings@{VERSIONS['tools']['bindings']}")
            run("env", "-C", folder / "node_modules/better-sqlite3",
                home / "bin/node", gyp, "rebuild", "--release", f"--nodedir={home}")

        folder = self.made(f"better-sqlite3-{version}", [node, version], recipe)
        self.put(folder, "script.js", "better_sqlite3.js")
        return Client([home / "bin/node", folder / "script.js"], {"CLIENT": "./better_sqlite3.js"})

    # --- Maven

    def jdbc(self, version):
        java, javac, maven = program("java"), program("javac"), program("mvn")
        slf4j, plugin = VERSIONS["tools"]["slf4j"], VERSIONS["tools"]["maven-dependency-plugin"]
        jars = (("org.xerial", "sqlite-jdbc", version), ("org.slf4j", "slf4j-api", slf4j), ("org.slf4j", "slf4j-nop", slf4j))

        def recipe(folder):
            listed = "".join(f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                             f"<version>{its}</version></dependency>" for group, artifact, its in jars)
            (folder / "pom.xml").write_text(
                '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>outgrown</groupId>'
                f"<artifactId>clients</artifactId><version>1</version><dependencies>{listed}</dependencies></project>")
            run(maven, "--batch-mode", "--quiet", "-f", folder / "pom.xml", f"-DoutputDirectory={folder / 'jars'}",
                f"org.apache.maven.plugins:maven-dependency-plugin:{plugin}:copy-dependencies")

        folder = self.made(f"sqlite-jdbc-{version}", [str(jars), plugin], recipe)
        class_path = f"{folder / 'jars'}/*:{self.put(folder, 'Jdbc.java')}"
        run(javac, "-cp", class_path, "-d", folder, folder / "Jdbc.java")
        # sqlite-jdbc unpacks its library into the temporary folder.
        return Client([java, "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={folder}", "-cp", class_path, "Jdbc"])

    # --- Go

    def go(self, name, module, version):
        go = program("go")

        def recipe(folder):
            self.put(folder, "script.go", f"{name}.go")
            (folder / "go.mod").write_text(f"module outgrown.test/{name}\n\ngo 1.21\n\nrequire {module} {version}\n")
            run(go, "-C", folder, "mod", "tidy")

        folder = self.made(f"{name}-{version}", [run(go, "version"), module, version], recipe)
        self.put(folder, "script.go", f"{name}.go")
        run(go, "-C", folder, "build", "-o", "client", ".")
        return Client([folder / "client"])

    def mattn(self, version):
        return self.go("mattn", "github.com/mattn/go-sqlite3", version)

    def modernc(self, version):
        return self.go("modernc", "modernc.org/sqlite", version)

    # --- Cargo

    def rusqlite(self, version, *features):
        cargo = program("cargo")
        folder = self.put(self.base / "-".join(("rusqlite", version, *features)), "rusqlite.rs")
        wanted = json.dumps(["load_extension", *features])
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "client"\nversion = "1.0.0"\nedition = "2021"\n\n[[bin]]\nname = "client"\npath = "rusqlite.rs"\n\n'
            f'[dependencies]\nrusqlite = {{ version = "={version}", features = {wanted} }}\n')
        run(cargo, "build", "--quiet", "--manifest-path", folder / "Cargo.toml", CARGO_TARGET_DIR=str(folder / "target"))
        return Client([folder / "target/debug/client"])

    # --- PyPI, on Debian's Python

    def installed(self, package, version):
        """A folder with that package alone."""
        def pip(folder):
            run(DEBIAN_PYTHON, "-m", "venv", folder)

        tools = self.made("pip", [describe(DEBIAN_PYTHON)], pip)

        def recipe(folder):
            run(tools / "bin/pip", "install", "--no-deps", "--only-binary=:all:", "--target", folder, f"{package}=={version}")

        return self.made(f"{package}-{version}", [describe(DEBIAN_PYTHON), version], recipe)

    def python(self, *names, path="", **environment):
        folder = self.put(self.base / "python", *names)
        return Client([DEBIAN_PYTHON, folder / names[0]], {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1", **environment})

    def dbapi(self, module, package="", version="", **environment):
        path = self.installed(package, version) if package else ""
        return self.python("script.py", "dbapi_client.py", path=path, CLIENT="dbapi_client", MODULE=module, **environment)

    def python_by_ctypes(self):
        python = environments.python_without_load_extension()
        if python is None:
            raise Missing("no Python 3.10 or later that was built without enable_load_extension is installed")
        client = self.dbapi("sqlite3")
        return dataclasses.replace(client, command=[python, *client.command[1:]])

    def apsw(self, version):
        return self.python("script.py", "apsw_client.py", path=self.installed("apsw", version), CLIENT="apsw_client")

    # --- Test suites of others; a file for the outcomes follows

    def suite(self, python, module, path="", **environment):
        folder = self.put(self.base / "python", "outcomes.py", "dbapi_client.py", "apsw_client.py")
        return Client([python, folder / "outcomes.py", module],
                      {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1", **environment})

    def apsw_suite(self, version):
        return self.suite(DEBIAN_PYTHON, "apsw.tests", self.installed("apsw", version), CLIENT="apsw_client")

    def cpython_suite(self, minor):
        # Debian's packages leave these tests out.
        python = next(environments.interpreters(minor, "import sqlite3, test.test_sqlite3"), None)
        if python is None:
            raise Missing(f"no Python 3.{minor} with its tests is installed")
        return self.suite(python, "test.test_sqlite3", CLIENT="dbapi_client", MODULE="sqlite3")

    def two_copies(self, version):
        path = self.installed("apsw", version)
        return self.python("two_copies.py", "apsw_client.py", "dbapi_client.py", path=path, MODULE="sqlite3")

    def turso(self, version):
        return self.python("turso_client.py", path=self.installed("pyturso", version))

    # --- Debian

    def php(self, client):
        folder = self.put(self.base / "php", "script.php", client, "php.ini")
        return Client([program("php"), "-c", folder / "php.ini", folder / "script.php"], {"CLIENT": client}, threads=1)

    def ruby(self):
        return Client([program("ruby"), self.put(self.base / "ruby", "script.rb") / "script.rb"])

    def shell(self):
        program("sqlite3")
        return Client([self.put(self.base / "shell", "script.sh") / "script.sh"], threads=1)
