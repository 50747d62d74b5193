"""What the shipped programs link: the NEEDED entries of each, held against the table in docs/architecture.md.

A library that is named there and not needed was said and not used (--as-needed drops it); one that is needed and not
named came in unseen. The C and C++ runtimes are everybody's. What lies outside of this build (no observer, say) is
passed over, but not all of it.

Usage: linked_libraries.py ROOT BUILD
"""

import pathlib
import re
import subprocess
import sys

import direction

RUNTIME = re.compile(r"lib(?:c|m|gcc_s|stdc\+\+|asan|ubsan|tsan)\.so\.\d+$|ld-linux")


def needed(program):
    dynamic = subprocess.run(["readelf", "--dynamic", "--wide", program], capture_output=True, text=True,
                             check=True).stdout
    found = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    return {re.sub(r"\.so\b.*", "", name) for name in found if not RUNTIME.match(name)}


def check(root, build, needs=needed):
    """The findings, and how many programs were read."""
    findings, count = [], 0
    for row in direction.table((root / "docs/architecture.md").read_text(encoding="utf-8"), "linked-libraries"):
        program, said = direction.names(row[0])[0], set(direction.names(row[1]))
        if not (build / program).is_file():
            continue
        count += 1
        really = needs(build / program)
        findings += [f"{program}: docs/architecture.md says that it links {name}; it doesn't" for name in
                     sorted(said - really)]
        findings += [f"{program}: links {name}, which docs/architecture.md doesn't say" for name in
                     sorted(really - said)]
    return findings, count


def main():
    findings, count = check(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    for finding in findings:
        print(finding)
    print(f"{count} programs read, {len(findings)} findings")
    sys.exit(1 if findings or count == 0 else 0)


if __name__ == "__main__":
    main()
