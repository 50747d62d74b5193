"""Every relative link in the project's Markdown leads to a file, and every anchor of such a link to a heading.

Usage: links.py ROOT
"""

import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text):
    """The anchors that GitHub makes from a document's headings."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*)$", text, re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def listed(root):
    """The files that git knows or would know; without git, all that lie there and were not built."""
    done = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        return [root / name for name in done.stdout.splitlines() if (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file() and not re.match("build", path.relative_to(root).as_posix())]


def documents(root):
    """The Markdown files without the goldens (hostile texts, links that lead nowhere on purpose)."""
    return [path for path in listed(root)
            if path.suffix == ".md" and not path.relative_to(root).as_posix().startswith("test/golden/")]


def check(root):
    findings, count = [], 0
    for document in documents(root):
        text = document.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                count += 1
                name, _, anchor = target.partition("#")
                place = f"{document.relative_to(root)}:{number}"
                file = document.parent / name if name else document
                if not file.exists():
                    findings.append(f"{place}: {target}: there is no such file")
                elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
                    findings.append(f"{place}: {target}: the file has no such heading")
    return findings, count


def main():
    findings, count = check(pathlib.Path(sys.argv[1]).resolve())
    for finding in findings:
        print(finding)
    print(f"{count} relative links, {len(findings)} broken")
    sys.exit(1 if findings or count == 0 else 0)


if __name__ == "__main__":
    main()
