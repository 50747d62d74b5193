"""What the tests of generated artefacts share: the specs that have some, and how to run the tools on them."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The shipped specs, and the golden cases that have artefacts.
SPECS = [*sorted((ROOT / "rules").glob("*.toml")),
         *sorted(spec for spec in (ROOT / "test" / "golden").glob("*/*.toml") if (spec.parent / "gen").is_dir())]


def run(*command, cwd=None, env=None):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd,
                          env=None if env is None else {**os.environ, **env})


def tree(folder):
    """Every file's bytes by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def generate(rulegen, out, *specs, **how):
    done = run(rulegen, "--generate", "--out", out, *(word for spec in specs for word in ("--spec", spec)), **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return tree(pathlib.Path(out))
