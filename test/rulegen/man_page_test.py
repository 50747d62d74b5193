"""rulegen --help and rulegen(1) name the same options; rulegen(1) and docs/operations.md say the same of each exit status.

Usage: man_page_test.py RULEGEN MAN_PAGE OPERATIONS
"""

import re
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")


def plain(text):
    """Without markup and the full stop, in small letters."""
    text = re.sub(r"^\.[A-Z]+ |`|\\f.", "", text.replace("\\-", "-"), flags=re.MULTILINE)
    return " ".join(text.split()).replace(" :", ":").rstrip(".").lower()  # .BR sets its words side by side


def statuses_of_page(text):
    section = text.split(".SH EXIT STATUS\n")[1].split("\n.SH")[0]
    return dict(map(plain, entry.split("\n", 1)) for entry in section.split(".TP\n")[1:])


def statuses_of_document(text):
    section = text.split("## Exit statuses of rulegen\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| (.*) \|$", section, re.MULTILINE)
    return {plain(status): plain(meaning) for status, meaning in rows}


def differing_statuses(page, document):
    """As lines: what the two say differently."""
    in_page, in_document = statuses_of_page(page), statuses_of_document(document)
    assert len(in_document) > 5, in_document
    return [f"exit status {status}: {in_page.get(status)!r} in the manual page, {in_document.get(status)!r} in the document"
            for status in sorted(in_page.keys() | in_document.keys()) if in_page.get(status) != in_document.get(status)]


def main():
    program, page, operations = sys.argv[1:]
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
    with open(operations, encoding="utf-8") as file:
        differing = differing_statuses(text, file.read())
    print("\n".join(differing))
    sys.exit(1 if in_help != explained or not mentioned <= in_help or len(in_help) < 5 or differing else 0)


if __name__ == "__main__":
    main()
