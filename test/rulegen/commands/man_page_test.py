"""rulegen --help and rulegen(1) name the same options.

Usage: man_page_test.py RULEGEN MAN_PAGE
"""

import re
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")


def main():
    program, page = sys.argv[1:]
    helped = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    in_help = {line.split()[0].split(",")[-1] for line in helped.splitlines() if re.match(r"  (-h,)?--", line)}
    with open(page, encoding="utf-8") as file:
        text = file.read()
    explained = set()
    lines = text.replace("\\-", "-").splitlines()
    for before, line in zip(lines, lines[1:]):
        if before == ".TP":
            explained.update(OPTION.findall(line))
    mentioned = set(OPTION.findall("\n".join(lines[1:])))
    for option in sorted(in_help - explained):
        print(f"{option}: in --help, not explained in the manual page")
    for option in sorted(mentioned - in_help):
        print(f"{option}: in the manual page, not in --help")
    sys.exit(1 if in_help != explained or not mentioned <= in_help or len(in_help) < 5 else 0)


if __name__ == "__main__":
    main()
