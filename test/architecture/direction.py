"""What may include what: reads every #include of the tree and holds it against docs/architecture.md.

Two tables there are the rule: the dependency direction of our folders, and the owner of each third-party header. And no
two files include each other, a header and the file that implements it taken as one.
A finding is one line: file, line, what was included and what would be allowed. Exit status 1 if there is any.

Usage: direction.py ROOT
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
# Headers of the C and C++ standards, POSIX and Linux: everybody's.
SYSTEM = re.compile(r"^(?:[a-z_0-9]+(?:\.h)?|(?:sys|linux|netinet|arpa)/[a-z_0-9]+\.h)$")
SYSTEM_NAMED_LIKE_A_LIBRARY = {"sqlite3.h", "sqlite3ext.h", "civetweb.h", "crypt.h", "outgrown.h", "simdjson.h"}


def table(text, name):
    """The rows of the Markdown table between NAME's begin and end marks, as lists of cells."""
    match = re.search(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", text, re.S)
    if not match:
        sys.exit(f"docs/architecture.md: the table {name} is missing")
    rows = [line for line in match.group(1).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def folder_of(path, folders):
    """The listed folder that `path` lies in, the deepest one; None if there is none."""
    inside = [folder for folder in folders if path == folder or path.startswith(folder + "/")]
    return max(inside, key=len, default=None)


def circle(graph):
    """A circle in a graph (each node's targets) as a list of nodes; empty if there is none."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return []
        path.append(node)
        for target in sorted(graph.get(node, ())):
            found = visit(target)
            if found:
                return found
        path.pop()
        done.add(node)
        return []

    for node in sorted(graph):
        found = visit(node)
        if found:
            return found
    return []


def check(root):
    text = (root / "docs/architecture.md").read_text(encoding="utf-8")
    allowed = {names(row[0])[0]: set(names(row[2])) for row in table(text, "dependency-direction")}
    owners = [(re.compile(names(row[0])[0]), set(names(row[1]))) for row in table(text, "third-party")]
    findings = [f"docs/architecture.md: {folder} may include {target}, which the table does not list"
                for folder in allowed for target in sorted(allowed[folder]) if target not in allowed]
    if findings:
        return findings, 0
    found = circle(allowed)
    if found:
        return [f"docs/architecture.md: the direction has a circle: {' -> '.join(found)}"], 0

    count = 0
    included = {}  # by file without its extension
    tops = sorted({folder.split("/")[0] for folder in allowed})
    for path in sorted(p for top in tops for p in (root / top).rglob("*") if p.suffix in {".h", ".cc", ".c"}):
        name = path.relative_to(root).as_posix()
        folder = folder_of(name, allowed)
        if folder is None:
            findings.append(f"{name}:1: lies in no folder of the table in docs/architecture.md")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            count += 1
            ours, theirs = match.groups()
            if ours:
                if ours.rpartition(".")[0] != name.rpartition(".")[0]:
                    included.setdefault(name.rpartition(".")[0], set()).add(ours.rpartition(".")[0])
                target = folder_of(ours, allowed)
                if not (root / ours).is_file() and not ours.endswith(".inc"):
                    findings.append(f'{name}:{number}: "{ours}" is no file from the root of the tree')
                elif target is not None and target != folder and target not in allowed[folder]:
                    may = ", ".join(sorted(allowed[folder])) or "nothing"
                    findings.append(f'{name}:{number}: {folder} includes "{ours}"; it may include {may}')
                continue
            if SYSTEM.match(theirs) and theirs not in SYSTEM_NAMED_LIKE_A_LIBRARY:
                continue
            owner = next((who for pattern, who in owners if pattern.fullmatch(theirs)), None)
            if owner is None:
                findings.append(f"{name}:{number}: <{theirs}> has no owner in docs/architecture.md")
            elif not any(name == who or name.startswith(who + "/") for who in owner):
                findings.append(f"{name}:{number}: <{theirs}> belongs to {', '.join(sorted(owner))}")
    found = circle(included)
    if found:
        findings.append(f"{found[0]}: the includes are a circle: {' -> '.join(found)}")
    return findings, count


def main():
    findings, count = check(pathlib.Path(sys.argv[1]))
    for finding in findings:
        print(finding)
    print(f"{count} includes read, {len(findings)} against the direction")
    sys.exit(1 if findings or count == 0 else 0)


if __name__ == "__main__":
    main()
