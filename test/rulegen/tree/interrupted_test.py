"""Never half a file: `rulegen --generate` killed at random instants and at random renames, and with each of its system calls failing
in turn.

A spec changes between three shapes (another limit; another store's name and other folders), so that runs write, replace and
(with --prune) remove. After each interrupted run every file is, to the byte, what one of the shapes generates. After the next
whole run nothing else is there: no temporary file, nothing left over.

Usage: interrupted_test.py RULEGEN KILLS [SEED]
"""

import errno
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
RULEGEN = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
del sys.argv[1:]

TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{16}\.tmp")


def shapes():
    """The texts of the spec: as shipped, with another limit, and as another store in other folders."""
    text = (ROOT / "rules" / "checkpoint.toml").read_text(encoding="utf-8")
    for folder in ("grafana-provisioning/dashboards", "docs"):
        text = text.replace(f'"../{folder}/gen"', '"gen"')
    limit = text.replace("above   = 0.01\n", "above   = 0.02\n")
    other = text.replace('name       = "checkpoint"', 'name       = "moved"').replace("checkpoint:", "moved:")
    other = re.sub(r'docs( +)= "gen"', r'docs\1= "gen/docs"', other)
    assert len({text, limit, other}) == 3
    return [text, limit, other]


class Ops:
    """An ops repo: the folder of a spec, its base for Alertmanager, and what is generated."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.spec = self.folder / "checkpoint.toml"
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", self.folder)
        self.own = {"checkpoint.toml", "alertmanager.base.yml"}

    def put(self, text):
        self.spec.write_text(text, encoding="utf-8")

    def command(self):
        return [RULEGEN, "--generate", "--prune", "--spec", self.spec]

    def generate(self):
        done = subprocess.run(self.command(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def tree(self):
        return {path.relative_to(self.folder).as_posix(): path.read_bytes()
                for path in self.folder.rglob("*")
                if path.is_file() and path.relative_to(self.folder).as_posix() not in self.own}

    def whole(self, text):
        """What this spec generates in a run that nothing disturbs, from nothing."""
        self.put(text)
        self.generate()
        return self.tree()


def complaints(tree, wholes):
    """What is wrong with a tree that an interrupted run left: nothing, if every file is whole."""
    found = []
    for path, content in tree.items():
        if TEMPORARY.fullmatch(pathlib.PurePosixPath(path).name):
            continue
        if all(whole.get(path) != content for whole in wholes):
            found.append(f"{path} is neither old nor new ({len(content)} bytes)")
    return found


class Interrupted(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="outgrown-interrupted-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.shapes = shapes()
        self.wholes = [Ops(self.folder / f"whole{i}").whole(text) for i, text in enumerate(self.shapes)]
        self.assertEqual(len({frozenset(whole) for whole in self.wholes}), 2, "two shapes write other files than the third")


class Kills(Interrupted):
    def test_a_killed_run_leaves_whole_files_and_the_next_one_leaves_no_trace_of_it(self):
        chance = random.Random(SEED)
        ops = Ops(self.folder / "ops")
        now = chance.randrange(3)
        ops.put(self.shapes[now])
        ops.generate()
        renames = self.renames_of_a_run(ops)
        span = self.seconds_of_a_run(ops)
        now = 0
        midway = leftovers = 0
        for number in range(KILLS):
            now = chance.choice([shape for shape in range(3) if shape != now])
            ops.put(self.shapes[now])
            before = ops.tree()
            if number % 2:
                self.kill_at_rename(ops, chance.randint(2, renames))
            else:
                self.kill_after(ops, chance.uniform(0.1, 1.1) * span)
            after = ops.tree()
            midway += after not in (before, self.wholes[now])
            leftovers += any(TEMPORARY.fullmatch(pathlib.PurePosixPath(path).name) for path in after)
            self.assertEqual(complaints(after, self.wholes), [], f"kill {number}, seed {SEED}")
            if chance.random() < 0.3:
                now = chance.randrange(3)  # perhaps the operator went back to another spec
                ops.put(self.shapes[now])
                ops.generate()
                tree = ops.tree()
                self.assertEqual(sorted(tree), sorted(self.wholes[now]), f"kill {number}, seed {SEED}")
                self.assertEqual(tree, self.wholes[now], f"kill {number}, seed {SEED}")
        print(f"seed {SEED}: {KILLS} kills, {midway} between the first and the last file, {leftovers} with a temporary file "
              "left, 0 half files")
        self.assertGreater(midway, 0, "no kill met a run while it wrote")

    @staticmethod
    def kill_after(ops, seconds):
        process = subprocess.Popen(ops.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)  # the instant of the kill, not a wait for anything
        process.kill()
        process.wait()

    @staticmethod
    def kill_at_rename(ops, number):
        """Before the NUMBER-th one: a slow machine or a slow disk moves the instants, not the order of the calls.

        Without --seccomp-bpf, with which strace 6.1 sends no signal.
        """
        subprocess.run(["strace", "-f", "-o", os.devnull, "-e", "trace=rename", "-e",
                        f"inject=rename:signal=KILL:when={number}", *ops.command()], capture_output=True, check=False)

    def renames_of_a_run(self, ops):
        """Of one that changes a limit, which touches the fewest files."""
        log = self.folder / "renames.log"
        ops.put(self.shapes[0])
        ops.generate()
        ops.put(self.shapes[1])
        subprocess.run(["strace", "-f", "-o", log, "-e", "trace=rename", *ops.command()], capture_output=True, check=True)
        return log.read_text(encoding="utf-8", errors="replace").count("rename(")

    def seconds_of_a_run(self, ops):
        """The shortest of some runs that write everything anew."""
        seconds = []
        for shape in (0, 2, 1, 2, 0):
            ops.put(self.shapes[shape])
            begin = time.monotonic()
            ops.generate()
            seconds.append(time.monotonic() - begin)
        return min(seconds)


# System call -> the errors that it fails with. Some failures may do no harm (a lock, a folder that exists already), those of
# MUST_FAIL can't.
FAULTS = {
    "openat": ["EACCES"],
    "write": ["ENOSPC", "EIO"],
    "fsync": ["EIO"],
    "close": ["EIO"],
    "rename": ["EXDEV"],
    "read": ["EIO"],
    "newfstatat": ["EIO"],
    "mkdir": ["EACCES"],
    "flock": ["ENOLCK"],
    "unlink": ["EACCES"],
    "getrandom": ["ENOSYS"],
}
MUST_FAIL = {"write", "fsync", "rename", "getrandom"}


class Faults(Interrupted):
    def calls(self, ops):
        """Of each system call, the numbers of those that are made after the spec was opened: before, it's the loader's."""
        log = self.folder / "strace.log"
        names = ",".join(FAULTS)
        done = subprocess.run(["strace", "-o", log, "-e", f"trace={names}", *ops.command()], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = dict.fromkeys(FAULTS, 0)
        first = None
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            name = line.split("(", 1)[0]
            if name not in counts:
                continue
            if first is None and name == "openat" and "checkpoint.toml" in line:
                first = dict(counts)
            counts[name] += 1
        self.assertIsNotNone(first)
        return {name: range(first[name] + 1, counts[name] + 1) for name in FAULTS}

    def test_each_failing_system_call_is_an_error_and_leaves_whole_files(self):
        old, new = 0, 2
        ops = Ops(self.folder / "ops")
        ops.put(self.shapes[old])
        ops.generate()
        shutil.copytree(ops.folder, self.folder / "old")
        ops.put(self.shapes[new])
        calls = self.calls(ops)
        self.assertEqual(ops.tree(), self.wholes[new])
        chance = random.Random(SEED)
        tried = failed = 0
        for name, errors in FAULTS.items():
            for error in errors:
                # In `./run soak` each call; else each fifth, from a random one on, and of those that are few each.
                step = 5 if KILLS < 1000 and len(calls[name]) > 8 else 1
                for number in calls[name][chance.randrange(step)::step]:
                    shutil.rmtree(ops.folder)
                    shutil.copytree(self.folder / "old", ops.folder)
                    ops.put(self.shapes[new])
                    fault = f"{name} number {number} fails with {error}"
                    done = subprocess.run(["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "-e", f"trace={name}", "-e",
                                           f"inject={name}:error={error}:when={number}", *ops.command()],
                                          capture_output=True, text=True, check=False)
                    tried += 1
                    failed += done.returncode != 0
                    self.judge(name, error, fault, done, ops.tree(), [self.wholes[old], self.wholes[new]])
        ops.generate()
        self.assertEqual(ops.tree(), self.wholes[new])
        print(f"{tried} faults in {sum(map(len, calls.values()))} system calls: {failed} reported, the others harmless")

    def judge(self, name, error, fault, done, tree, wholes):
        self.assertIn(done.returncode, (0, 1), fault + "\n" + done.stderr)
        self.assertEqual(complaints(tree, wholes), [], fault)
        if done.returncode == 0:
            self.assertTrue(tree == wholes[1], f"{fault}: not all written")
            self.assertNotIn(name, MUST_FAIL, fault)
            return
        if name != "newfstatat":  # std::filesystem gives a stat's failure another reason
            self.assertIn(os.strerror(getattr(errno, error)), done.stderr, fault)
        self.assertRegex(done.stderr, r"\b(ops|standard output)\b", fault)
        self.assertFalse([path for path in tree if TEMPORARY.fullmatch(pathlib.PurePosixPath(path).name)], fault)

    def test_output_that_cannot_be_written_is_an_error(self):
        ops = Ops(self.folder / "ops")
        ops.put(self.shapes[0])
        for mode in ("--check", "--generate"):
            with self.subTest(mode), open("/dev/full", "wb") as full:
                done = subprocess.run([RULEGEN, mode, "--spec", ops.spec], stdout=full, stderr=subprocess.PIPE, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("standard output: cannot write", done.stderr)
                self.assertIn("No space left on device", done.stderr)
        self.assertEqual(ops.tree(), self.wholes[0])


if __name__ == "__main__":
    unittest.main()
