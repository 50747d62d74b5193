"""No file of the product or of its tests is longer than 300 lines, but those that are named here with the reason.

A finding is one line: the file, how long it is, and what to do. A file that is named here and isn't longer, or isn't there, is a
finding too. Exit status 1 if there is any.

Usage: file_lengths.py ROOT
"""

import pathlib
import sys

import links

MOST_LINES = 300
CODE = {".c", ".cc", ".h", ".py", ".sh"}
REASONS = {
    "clients/sqlite_observer/file_shim.cc": "the methods of one file, which change one state",
    "counterblock/block_file.cc": "a block's file from its name to its creation; each step is safe only with the one before",
    "counterblock/process_block.cc": "one protocol: the locks of slots, whose order is what keeps them right",
    "counterblock/writer.cc": "one class, each member a call of the application",
    "rulegen/archive/archive.cc": "one folder, part by part, with its manifest",
    "rulegen/artefacts/documents.cc": "three short documents in one manner",
    "rulegen/options.cc": "the command line: every option in one place",
    "rulegen/tree/tree.cc": "the layout on disk and what is left over of an earlier one, which share their folders",
    "rulegen/verify/loaded_rules.cc": "one format: a server's list of rules",
    "rulegen/verify/verify.cc": "every copy of a spec, one after the other",
    "run": "one script for whoever has nothing but the repository",
    "test/counterblock/kill_test.cc": "one program, whose poller sees the kills of writers and of creators",
    "test/e2e/evidence_writer.py": "every application that the situations need, a function each",
    "test/exporter/sqlite/store_states_test.cc": "one table: every state of a database's files",
    "test/packaging/packages_test.py": "one system, from the installation to the purge",
    "thresholds/table_reader.cc": "one class, a member for each kind of value in a spec",
    "thresholds/validate_expressions.cc": "every rule for an expression",
}


def is_code(path):
    """By its name, or by the first line of one without an ending."""
    if path.suffix or not path.is_file():
        return path.suffix in CODE
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def check(root, reasons):
    """The findings, and how many files were read."""
    lines = {path.relative_to(root).as_posix(): len(path.read_bytes().splitlines())
             for path in links.listed(root) if is_code(path) and not path.is_symlink()}
    findings = [f"{name}: {count} lines, expected at most {MOST_LINES}: split it by its ideas, or name it in "
                "test/architecture/file_lengths.py with the reason"
                for name, count in sorted(lines.items()) if count > MOST_LINES and name not in reasons]
    findings += [f"{name}: {lines.get(name, 'no')} lines, expected more than {MOST_LINES}, since it is named with a reason in test/architecture/file_lengths.py"
                 for name in sorted(reasons) if lines.get(name, 0) <= MOST_LINES]
    return findings, len(lines)


def main():
    findings, count = check(pathlib.Path(sys.argv[1]).resolve(), REASONS)
    for finding in findings:
        print(finding)
    print(f"{count} files read, {len(findings)} findings")
    sys.exit(1 if findings or count == 0 else 0)


if __name__ == "__main__":
    main()
