"""Derives the demo's spec from the shipped one: the same signals, limits, verdicts and texts, with short times.

    derive_spec.py [--check]     writes demo/checkpoint.toml; --check only says whether it is what it should be

A person should see a decision change within a minute, so rates are over 15 s instead of 5 min, `for` is 5 and 10 s instead
of 5 and 10 min, and there is a scrape and an evaluation a second. The numbers of the spec's own tests follow: a counter
that rose by 15 in a scrape of 15 s rises by 1 in one of 1 s.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "rules" / "checkpoint.toml"
DERIVED = ROOT / "demo" / "checkpoint.toml"

HEADER = """\
# The demo's spec, derived from rules/checkpoint.toml by demo/derive_spec.py, do not edit: `./run regenerate` writes it.
# The signals, limits, verdicts and texts are the same; only the times differ, so that a person can watch a decision
# change within a minute.
"""

# Patterns of the shipped spec and their replacements; each pattern must be found.
REPLACEMENTS = [
    (r"\A(#[^\n]*\n)+", HEADER),
    (r'^scrape_interval = .*$', 'scrape_interval = "1s"'),
    (r'^interval        = .*$', 'interval        = "1s"'),
    (r'^keep_firing_for = .*$', 'keep_firing_for = "10s"'),
    (r'^flavors         = .*$', 'flavors         = ["prometheus"]'),
    (r'^dashboards = .*$', 'dashboards = "gen"'),
    (r'^docs       = .*$', 'docs       = "gen"'),
    (r'^base = .*$', 'base = "../rules/alertmanager.base.yml"'),
    # Cases about the length of the window itself: their values hold for 5 minutes only.
    (r'^# The cases named "the window"[^\n]*\n#[^\n]*\n\n', ""),
    (r'\n\[\[(signal|coverage)\.test\]\]\nname += "the window[^\n]*\n(.+\n)+', ""),
    (r"\[5m\]", "[15s]"),
    (r"5 minutes", "15 seconds"),
    (r"/ 300\b", "/ 15"),
    (r"_in_flight_seconds > 300\b", "_in_flight_seconds > 15"),
    (r"""(_in_flight_seconds' = ")300x""", r"\g<1>15x"),
    (r"""(_in_flight_seconds' = ")301x""", r"\g<1>16x"),
    (r'^(at +)= "10m"$', r'\1= "40s"'),
    (r'^for     = "(\d+)m"$', r'for     = "\1s"'),
    # The tolerance of the coverage: 1350 of 1500 in 15 s and 7 in 300 s; 90 of 100 in 1 s and 7 in 15 s.
    (r"^value  = 0\.9002333333333333$", "value  = 0.9046666666666667"),
    (r"^value  = 1\.0997666666666668$", "value  = 1.0953333333333333"),
    (r"^value  = 294$", "value  = 9"),
]


def per_second(text):
    """Counters that rise by a multiple of 15 a step, all of one test together, rise by a fifteenth of it."""

    def line(match):
        steps = [int(step) for step in re.findall(r'"0\+(\d+)x', match.group(0))]
        if not steps or any(step % 15 for step in steps):
            return match.group(0)
        return re.sub(r'"0\+(\d+)x', lambda step: f'"0+{int(step.group(1)) // 15}x', match.group(0))

    return re.sub(r"^series = .*$", line, text, flags=re.M)


# The watches are unchanged, except that their memory is recorded every four evaluations, as in the shipped spec.
WATCHES = "\n# --- watches"
MEMORY = (r'^interval = "2m"$', 'interval = "4s"')


def derive(text):
    text, _, watches = text.partition(WATCHES)
    for pattern, replacement in REPLACEMENTS:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        if count == 0:
            sys.exit(f"derive_spec: {SHIPPED.relative_to(ROOT)} has no match for {pattern}: adapt "
                     "demo/derive_spec.py")
    watches, count = re.subn(*MEMORY, watches, flags=re.M)
    if count == 0:
        sys.exit(f"derive_spec: {SHIPPED.relative_to(ROOT)} has no memory of 2m: adapt demo/derive_spec.py")
    return per_second(text) + WATCHES + watches


def main():
    derived = derive(SHIPPED.read_text(encoding="utf-8"))
    if "--check" not in sys.argv[1:]:
        DERIVED.write_text(derived, encoding="utf-8")
    elif DERIVED.read_text(encoding="utf-8") != derived:
        sys.exit(f"{DERIVED.relative_to(ROOT)} is not derived from {SHIPPED.relative_to(ROOT)}; run ./run regenerate")


if __name__ == "__main__":
    main()
