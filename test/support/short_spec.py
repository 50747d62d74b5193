"""The demo's spec, whose windows are short, with the times and flavors that a test needs, and what is generated from it."""

import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def text(interval="1s", window_seconds=15, flavors=("prometheus",)):
    """`interval`: between two scrapes and two evaluations. `window_seconds`: of the rates."""
    spec = (ROOT / "demo" / "checkpoint.toml").read_text(encoding="utf-8")
    names = ", ".join(f'"{flavor}"' for flavor in flavors)
    for pattern, replacement in {r'^(flavors +)= .*$': rf"\1= [{names}]", r'^(scrape_interval +)= "1s"$': rf'\1= "{interval}"',
                                 r'^(interval  +)= "1s"$': rf'\1= "{interval}"', r"\[15s\]": f"[{window_seconds}s]",
                                 r"7 / 15\b": f"7 / {window_seconds}"}.items():
        spec, count = re.subn(pattern, replacement, spec, flags=re.M)
        if count == 0:
            raise AssertionError(f"demo/checkpoint.toml has no {pattern}")
    return spec


def generate(rulegen, folder, **times):
    """An ops repo in `folder` with the spec, rules/checkpoint.toml, whose path it returns; the artefacts are in rules/gen."""
    rules = pathlib.Path(folder) / "rules"
    rules.mkdir()
    spec = rules / "checkpoint.toml"
    spec.write_text(text(**times), encoding="utf-8")
    shutil.copy(ROOT / "rules" / "alertmanager.base.yml", rules)
    subprocess.run([rulegen, "--generate", "--spec", "rules/checkpoint.toml"], cwd=folder, check=True, capture_output=True)
    return spec
