"""Prometheus 3's promtool over what rulegen generates. Debian 12 has 2.42, so this one is built from the Go module proxy, once,
into the user's cache; without Go it is skipped, and says so.

Usage: promtool3.py BUILD_FOLDER [--version vX.Y.Z]
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # meson's and automake's word for it
# A release 3.Y.Z is the module's v0.3YY.Z.
VERSION = "v0.316.0"
PACKAGE = "github.com/prometheus/prometheus/cmd/promtool"
# Both sides of what is generated: real specs and golden ones pass, rules that are broken on purpose don't.
CASES = ["Consumers.test_promtool_takes_the_rules_of_every_flavor", "Consumers.test_promtool_passes_the_generated_tests"]


def promtool(version):
    """The program; built if it is not in the cache. Go checks the module against its checksum database."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "outgrown"
    program = cache / f"promtool-{version}" / "promtool"
    if program.exists():
        return program
    if not shutil.which("go"):
        return None
    folder = program.parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in (["go", "mod", "init", "promtool3"], ["go", "get", f"{PACKAGE}@{version}"],
                    ["go", "build", "-o", "promtool.new", PACKAGE]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"promtool3: {' '.join(command)} failed:\n{done.stderr}")
    (folder / "promtool.new").rename(program)
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--version", default=VERSION)
    options = parser.parse_args()
    program = promtool(options.version)
    if program is None:
        print("promtool3: SKIPPED: Prometheus 3's promtool is not in the cache, and there is no Go to build it with")
        return SKIPPED
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    build = options.build.resolve()
    print(f"promtool {options.version}", flush=True)
    artefacts = [sys.executable, ROOT / "test" / "e2e" / "artefacts_test.py", build, *CASES]
    broken = [sys.executable, ROOT / "test" / "e2e" / "broken_rules_test.py"]
    proof = [sys.executable, ROOT / "test" / "differential" / "differential_test.py",
             build / "test" / "differential" / "outgrown-differential"]
    failed = [command for command in (artefacts, broken, proof) if subprocess.run(command, env=environment, check=False).returncode]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
