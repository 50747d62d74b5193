"""The Debian packages, built, judged, installed, used, upgraded, removed and purged in clean roots of Debian 12 and 13, and an
installation by Meson alone; all of it with the commands that docs/adopting.md gives, to the letter.

Usage: packages_test.py COUNTS_FILE [bookworm|trixie]; $TMPDIR has room for the roots, 4 GB. The counts (passed, failed, skipped, a
line each) go to COUNTS_FILE.
"""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import roots
from first_hour import LOG, FirstHour, shell_blocks

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = (SOURCE / "docs" / "adopting.md").read_text(encoding="utf-8")
VERSION = re.search(r"version: '(.*)'", (SOURCE / "meson.build").read_text(encoding="utf-8"))[1]
TREE = "/src/outgrown"
OURS = re.compile(r"outgrown|rulegen")
# What a purge leaves: the two system users, as those of other daemons stay, and dpkg's and systemd's own notes.
KEPT = re.compile(r"/etc/(passwd|group|shadow|gshadow)-?$|/etc/\.pwd\.lock|/var/(lib/(dpkg|apt|systemd)|cache|log|tmp)/")
READER = "reader"
EDITED = 'ARGS="--log.format=json"\n'


def section(heading):
    return PAGE.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]


def python_blocks(text):
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


def repacked_as_older(root, package):
    """Version 0.0.9 of a package in /src, with another configuration file, beside it."""
    root.run("sh", "-euc", """
        dpkg-deb --raw-extract "$1"_*.deb old
        sed -i "s/^Version: .*/Version: 0.0.9/" old/DEBIAN/control
        for file in old/etc/default/*; do echo "# of version 0.0.9" >>"$file"; done
        mkdir -p older
        dpkg-deb --build --root-owner-group old older/"$1".deb
        rm -r old
        """, "sh", package, folder="/src")


class Installed:
    """What the tests ask of a system that runs."""

    def __init__(self, system):
        self.run = system.run

    def shell(self, script, **options):
        return self.run("sh", "-euxc", f"cd {TREE}\n{script}", **options)

    def paste(self, script, **options):
        """As the page's reader: a user with sudo."""
        return self.shell(f"exec runuser --user={READER} -- env HOME=/home/{READER} PATH=/usr/local/bin:/usr/bin:/bin sh -euxc {shlex.quote(script)}", **options)

    def state(self, question, unit):
        return self.run("systemctl", question, unit, check=False).strip()

    def get(self, path):
        program = f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{path}').read().decode())"
        return self.run("python3", "-c", program, check=False)

    def files(self):
        return set(self.run("find", "/", "-xdev", "!", "-path", "/src/*").splitlines())

    def processes(self):
        return self.run("find", "/proc", "-mindepth", "1", "-maxdepth", "1", "-user", "outgrown-exporter").split()

    def packages(self, state):
        listed = self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", "*outgrown*")
        return re.findall(rf"^{state} +(\S+)$", listed, re.M)


class Packages:
    release = None
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix=f"outgrown-{cls.release}-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        print(f"\n--- {cls.release}: a root, and the packages", flush=True)
        cls.base = roots.Root.bootstrap(cls.release, cls.place / "base", cls.place / "archives")
        names = subprocess.run(["git", "-c", "safe.directory=*", "-C", SOURCE, "ls-files", "-co", "--exclude-standard", "-z"],
                               capture_output=True, check=True)
        tree = cls.base.folder / TREE[1:]
        tree.mkdir(parents=True)
        for name in names.stdout.decode().split("\0"):
            if name and (SOURCE / name).exists():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(SOURCE / name, tree / name, follow_symlinks=False)
        roots.run("chown", "-R", "root:", tree)
        cls.building = cls.base.copy(cls.place / "building")
        building, = shell_blocks(section("### Debian's packages"))
        *lines, cls.installing = building.strip().splitlines()
        began = time.monotonic()
        cls.building.run("sh", "-euxc", "\n".join(lines), folder=TREE)
        print(f"  built: {time.monotonic() - began:.0f} s", flush=True)

    # Lintian

    def test_lintian_has_no_error_and_no_warning(self):
        """In the binary packages and in the source."""
        self.building.run("apt-get", "install", "lintian")
        self.building.run("useradd", "--create-home", "judge")
        self.building.run("dpkg-buildpackage", "-us", "-uc", "-S", "-Pnocheck", folder=TREE)
        self.building.run("chmod", "-R", "a+rX", "/src")
        changes = sorted(f"/src/{file.name}" for file in self.building.folder.glob("src/*.changes"))
        self.assertEqual(len(changes), 2)
        for file in changes:
            with self.subTest(file):
                said = self.building.run("setpriv", "--reuid=judge", "--regid=judge", "--clear-groups", "env", "HOME=/home/judge",
                                         "lintian", "--display-level=warning", file, check=False)
                self.assertEqual(said, "")

    def test_a_program_is_built_with_the_dev_package(self):
        self.building.run("sh", "-euxc", """
            apt-get install ../liboutgrown0_*.deb ../liboutgrown-decide0_*.deb ../liboutgrown-dev_*.deb
            cd /usr/share/doc/liboutgrown-dev/examples
            g++ -std=c++20 cpp/count_writes.cc $(pkg-config --cflags --libs outgrown) -pthread -lsqlite3 -o /tmp/count_writes
            g++ -std=c++20 decide/decide_in_process.cc $(pkg-config --cflags --libs outgrown-decide) -o /tmp/decide
            """, folder=TREE)
        self.assertNotIn("not found", self.building.run("ldd", "/tmp/count_writes"))
        self.assertIn("MIGRATE NOW - Write errors", self.building.run("/tmp/decide", "write_error_ratio=0.02", check=False))

    # An installation's life

    def test_installed_used_upgraded_removed_and_purged(self):
        root = self.base.copy(self.place / "installed")
        for file in self.building.folder.glob("src/*.deb"):
            if "dbgsym" not in file.name:
                shutil.copy(file, root.folder / "src")
        self.prepare(root)
        with root.booted() as system:
            installed = Installed(system)
            before = installed.files()
            print("  installed, upgraded", flush=True)
            self.upgrade(installed)
            print("  used: the first hour", flush=True)
            FirstHour(self, installed, section).go_through()
            self.count(installed.run, "/usr/lib", "/srv/agents", OUTGROWN_DIR="/run/outgrown/agents")
            self.assertIn("writes_ok 2\n", installed.run("outgrown-block", "/run/outgrown/agents", "app"))
            print("  removed, purged", flush=True)
            self.remove(installed, before)

    def prepare(self, root):
        """Older packages; and whatever is not ours and is installed later on, since a booted system has no network."""
        for package in ("outgrown-exporter", "outgrown-rulegen"):
            repacked_as_older(root, package)
        names = sorted(f"../{file.name}" for file in root.folder.glob("src/*.deb"))
        planned = root.run("apt-get", "install", "--simulate", *names, folder=TREE)
        others = [name for name in re.findall(r"^Inst (\S+)", planned, re.M) if not OURS.search(name)]
        root.run("apt-get", "install", *others, "sqlite3")
        root.run("useradd", "--create-home", READER)
        (root.folder / "etc/sudoers.d" / READER).write_text(f"{READER} ALL=(ALL) NOPASSWD: ALL\n")
        root.run("sh", "-c", "apt-mark showauto | xargs -r apt-mark manual")  # else they would go with the packages that need them
        beside, = shell_blocks(section("### Prometheus, Alertmanager and the daily decision"))
        wanted = re.search(r"apt-get install (.*)", beside)[1].split()
        root.run("apt-get", "install", "--download-only", *wanted)

    def upgrade(self, installed):
        """From an older version; a changed configuration file stays as it is, another is replaced."""
        run, shell = installed.run, installed.shell
        shell("apt-get install /src/older/*.deb ../outgrown-sqlite-observer_*.deb")
        self.assertEqual(installed.state("is-active", "outgrown-exporter"), "active")
        shell("echo 'ARGS=\"--log.format=json\"' >/etc/default/outgrown-exporter; systemctl restart outgrown-exporter")
        shell(self.installing)
        self.assertEqual(run("cat", "/etc/default/outgrown-exporter"), EDITED)
        self.assertIn("ARGS", run("cat", "/etc/default/outgrown-exporter.dpkg-dist"))
        self.assertNotIn("0.0.9", run("cat", "/etc/default/outgrown-evaluate"))
        self.assertEqual(run("dpkg-query", "-W", "-f", "${Version}", "outgrown-exporter"), VERSION)
        self.assertIn('"msg":"Listening"', run("journalctl", "-u", "outgrown-exporter"))
        self.assertEqual(installed.state("is-enabled", "outgrown-exporter"), "enabled")
        self.assertEqual(installed.state("is-enabled", "outgrown-evaluate.timer"), "disabled")
        self.assertEqual(installed.state("is-active", "outgrown-evaluate.timer"), "inactive")
        started = run("systemctl", "show", "--value", "--property=ExecMainStartTimestampMonotonic", "outgrown-evaluate")
        self.assertEqual(started.strip(), "0")  # it would wait for a Prometheus, and apt-get for it
        units = ("outgrown-exporter.service", "outgrown-evaluate.timer")
        self.assertEqual(run("systemd-analyze", "verify", "--man=no", *units), "")
        said = run("sh", "-c", "cd /usr/share/outgrown && rulegen --check").splitlines()
        self.assertEqual([line for line in said if "rules.runbook_url: found a placeholder" not in line], [])
        self.assertEqual(len(installed.processes()), 1)

    def remove(self, installed, before):
        run, shell = installed.run, installed.shell
        run("systemctl", "stop", "prometheus", "prometheus-alertmanager", "agents")
        edited = run("cat", "/etc/default/outgrown-exporter")
        run("apt-get", "remove", *installed.packages("ii"))
        self.assertEqual(installed.state("is-active", "outgrown-exporter"), "inactive")
        self.assertEqual(installed.state("is-active", "outgrown-evaluate.timer"), "inactive")
        self.assertEqual(installed.processes(), [])
        self.assertEqual(run("cat", "/etc/default/outgrown-exporter"), edited)
        self.assertIn('"database":"state"', run("cat", LOG))
        # What the page's reader has made: the application, the spec, what was copied for Prometheus and Grafana, a decision log.
        shell("rm -r /srv/agents /run/outgrown/agents /etc/tmpfiles.d/outgrown-agents.conf /etc/outgrown /etc/grafana /home/*/.local; userdel agents")
        run("apt-get", "purge", "--autoremove", *installed.packages("rc"), "prometheus", "prometheus-alertmanager")
        shell("rm -rf /etc/prometheus /etc/default/prometheus*")
        self.assertIn("No such file", run("ls", "/run/outgrown", check=False))
        # By name; and whatever no package owns, since some of Prometheus' may stay.
        new = installed.files() - before
        self.assertEqual(sorted(path for path in new if OURS.search(path)), [])
        owned = set(run("sh", "-c", "cat /var/lib/dpkg/info/*.list").splitlines())
        self.assertEqual(sorted(path for path in new - owned if not KEPT.search(path)), [])

    def count(self, run, libraries, folder, **variables):
        """One write each by the ways of the page's rungs: the shell's, a connection's; and by ctypes and outgrown.observe, where
        what counts is that they load."""
        def agents(*command):
            return run("setpriv", "--reuid=agents", "--regid=agents", "--init-groups", "env", "-C", folder, *command,
                       **variables)

        rung = section("## Rung 2: the SQLite observer")
        load, = re.findall(r"^sqlite> (\.load .*)$", rung, re.M)
        extension, process = python_blocks(rung)[:2]
        for line in (load, extension, process):
            self.assertIn("/usr/lib/", line)
        load, extension, process = (line.replace("/usr/lib/", f"{libraries}/") for line in (load, extension, process))
        agents("sqlite3", "app.db", "-cmd", load, "create table t (x)")
        agents("python3", "-c", "import sqlite3\nconnection = sqlite3.connect('app.db')\n" + extension
               + "connection = sqlite3.connect('app.db')\nconnection.execute('insert into t values (1)')\nconnection.commit()\n")
        said = agents("python3", "-c", "import ctypes, sqlite3\nstatus = " + process + "print(status)")
        self.assertEqual(said, "0\n")
        observe = python_blocks(section("## Python"))[0].splitlines()[0]
        said = agents("python3", "-c", f"import outgrown, sqlite3\n{observe}\n"
                      "print(*connection.execute('select outgrown_status()').fetchone())")
        self.assertIn("app", said)

    # Without packages

    def test_installed_by_meson_alone(self):
        """Without dpkg-dev and doctest; right where the loader looks, and stripped."""
        root = self.base.copy(self.place / "meson")
        from_tree, = shell_blocks(section("### From the tree"))
        root.run("sh", "-euxc", from_tree, folder=TREE)
        for package in ("dpkg-dev", "doctest-dev"):
            self.assertNotEqual(root.run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, check=False), "installed")
        triplet = root.run("g++", "-print-multiarch").strip()
        library = f"/usr/local/lib/{triplet}/liboutgrown.so.0"
        self.assertIn(library, root.run("ldconfig", "-p"))
        for file in (library, f"/usr/local/lib/{triplet}/outgrown/outgrown_sqlite.so", "/usr/local/bin/rulegen",
                     "/usr/local/bin/outgrown-exporter"):
            self.assertNotIn(".debug_info", root.run("readelf", "--section-headers", file))
        self.assertEqual(root.run("pkg-config", "--libs", "outgrown").split()[-1:], ["-loutgrown"])
        root.run("sh", "-euc", 'g++ -std=c++20 examples/cpp/count_writes.cc $(pkg-config --cflags --libs outgrown) -pthread '
                 '-lsqlite3 -o /tmp/count_writes', folder=TREE)
        self.assertIn(library, root.run("ldd", "/tmp/count_writes"))
        self.assertIn(f"outgrown-exporter {VERSION}", root.run("outgrown-exporter", "--version"))
        root.run("useradd", "--create-home", "agents")
        root.run("apt-get", "install", "sqlite3", "python3-venv")
        wheel, = shell_blocks(section("## Python"))
        pip = {name: value for name, value in roots.os.environ.items() if name.startswith("PIP_")}
        root.run("sh", "-euxc", f"python3 -m venv /opt/application\n. /opt/application/bin/activate\n{wheel}", folder=TREE, **pip)
        root.run("mkdir", "-p", "/home/agents/blocks")
        root.run("chown", "agents:", "/home/agents/blocks")
        self.count(root.run, "/usr/local/lib", "/home/agents", OUTGROWN_DIR="/home/agents/blocks",
                   PATH="/opt/application/bin:" + roots.ENVIRONMENT["PATH"])
        self.assertIn("writes_ok 2\n", root.run("outgrown-block", "/home/agents/blocks", "app"))


class Debian12(Packages, unittest.TestCase):
    release = "bookworm"

    def test_the_image_is_built_and_its_programs_run(self):
        """With buildah in podman's place, and this root as the image that it is built from, since no registry is asked."""
        settings = self.place / "storage.conf"
        settings.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{self.place}/images"\nrunroot = "{self.place}/containers"\n')

        def buildah(*words, **options):
            return roots.run("buildah", *words, **options, env={
                **roots.ENVIRONMENT, "CONTAINERS_STORAGE_CONF": str(settings), "BUILDAH_ISOLATION": "chroot"}).strip()

        line, = shell_blocks((SOURCE / "docs" / "kubernetes.md").read_text(encoding="utf-8").split("## The sidecar")[0])
        program, build, *words = line.split()
        self.assertEqual((program, build), ("podman", "build"))
        base = buildah("from", "scratch")
        roots.run("tar", "--create", "--file", self.place / "base.tar", "--directory", self.base.folder, "--exclude=./src", ".")
        buildah("add", "--quiet", base, self.place / "base.tar", "/")
        buildah("commit", "--quiet", base, "localhost/base")
        buildah("build", "--network=host", "--build-arg=BASE=localhost/base", *words, cwd=self.base.folder / TREE[1:])
        image = buildah("from", "outgrown")
        self.assertEqual(buildah("run", image, "id", "-u"), "65532")
        for program in ("outgrown-exporter", "rulegen"):
            self.assertIn(VERSION, buildah("run", image, program, "--version"))
        buildah("run", image, "sh", "-euc", "cd /usr/share/outgrown && rulegen --check")
        self.assertNotIn("not found", buildah("run", image, "sh", "-c", "ldd /usr/bin/outgrown-block /usr/lib/*/outgrown/outgrown_sqlite.so"))


class Debian13(Packages, unittest.TestCase):
    release = "trixie"


def main():
    counts_file, *releases = sys.argv[1:]
    reason = roots.missing()
    if reason:
        print(f"skipped: the Debian packages: {reason}")
        pathlib.Path(counts_file).write_text("0\n0\n1\n")
        return
    loader = unittest.TestLoader()
    tests = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (Debian12, Debian13)
                               if not releases or case.release in releases)
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    passed = max(0, result.testsRun - failed - skipped)
    pathlib.Path(counts_file).write_text(f"{passed}\n{failed}\n{skipped}\n")
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
