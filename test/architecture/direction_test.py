"""The tests of the architecture can fail: small trees that break the rule in each way give exactly the finding expected."""

import pathlib
import tempfile
import unittest

import direction
import file_lengths
import linked_libraries

DOC = """
<!-- dependency-direction: begin -->
| folder | idea | may include |
|---|---|---|
| `low` | | |
| `high` | | {high} |
| `high/deep` | | `low` |
<!-- dependency-direction: end -->
<!-- third-party: begin -->
| header | owner |
|---|---|
| `lib/.*` | `low/wrap.cc` |
<!-- third-party: end -->
"""


def findings(files, high="`low` `high/deep`"):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {"docs/architecture.md": DOC.format(high=high), "low/a.h": "", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return direction.check(root)[0]


class Direction(unittest.TestCase):
    def test_includes_downwards_and_std_are_fine(self):
        self.assertEqual(findings({"high/b.cc": '#include <vector>\n#include <sys/stat.h>\n#include "low/a.h"\n'}), [])

    def test_an_include_upwards_is_found(self):
        self.assertEqual(findings({"low/b.cc": '\n#include "high/b.h"\n', "high/b.h": ""}),
                         ['low/b.cc:2: low includes "high/b.h"; it may include nothing'])

    def test_the_deepest_folder_counts(self):
        self.assertEqual(findings({"high/deep/b.cc": '#include "high/b.h"\n', "high/b.h": ""}),
                         ['high/deep/b.cc:1: high/deep includes "high/b.h"; it may include low'])

    def test_a_third_party_header_outside_its_owner_is_found(self):
        self.assertEqual(findings({"low/wrap.cc": "#include <lib/x.h>\n", "high/b.cc": "#include <lib/x.h>\n"}),
                         ["high/b.cc:1: <lib/x.h> belongs to low/wrap.cc"])

    def test_a_header_without_owner_is_found(self):
        self.assertEqual(findings({"low/b.cc": "#include <other/x.h>\n"}),
                         ["low/b.cc:1: <other/x.h> has no owner in docs/architecture.md"])

    def test_an_include_that_does_not_start_at_the_root_is_found(self):
        self.assertEqual(findings({"low/b.cc": '#include "a.h"\n'}),
                         ['low/b.cc:1: "a.h" is no file from the root of the tree'])

    def test_files_that_include_each_other_are_found(self):
        self.assertEqual(findings({"low/a.h": '#include "low/c.h"\n', "low/b.h": "", "low/b.cc": '#include "low/a.h"\n',
                                   "low/c.h": "", "low/c.cc": '#include "low/c.h"\n#include "low/b.h"\n'}),
                         ["low/a: the includes are a circle: low/a -> low/c -> low/b -> low/a"])

    def test_a_circle_in_the_table_is_found(self):
        self.assertEqual(findings({}, high="`high`")[0].split(":")[1], " the direction has a circle")


class LinkedLibraries(unittest.TestCase):
    def findings(self, said, needs):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs").mkdir()
            (root / "program").touch()
            (root / "docs" / "architecture.md").write_text(
                "<!-- linked-libraries: begin -->\n| program | links |\n|---|---|\n"
                f"| `program` | {said} |\n| `not-built` | `libx` |\n<!-- linked-libraries: end -->\n", encoding="utf-8")
            return linked_libraries.check(root, root, lambda _: needs)

    def test_a_program_that_links_what_is_said_is_fine(self):
        self.assertEqual(self.findings("`liba` (for this), `libb`", {"liba", "libb"}), ([], 1))

    def test_a_library_that_is_not_linked_and_one_that_is_not_said_are_found(self):
        self.assertEqual(self.findings("`liba`", {"libb"})[0],
                         ["program: docs/architecture.md says that it links liba; it doesn't",
                          "program: links libb, which docs/architecture.md doesn't say"])


class FileLengths(unittest.TestCase):
    def findings(self, files, *reasons):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).write_text(text, encoding="utf-8")
            return [finding.split(":")[0] for finding in file_lengths.check(root, dict.fromkeys(reasons, "why"))[0]]

    def test_300_lines_are_fine_and_more_of_what_is_no_code(self):
        self.assertEqual(self.findings({"a.cc": "\n" * 300, "a.md": "\n" * 301, "words": "\n" * 301}), [])

    def test_a_longer_file_is_found_in_each_language_unless_it_has_a_reason(self):
        long = "#!/bin/sh\n" + "\n" * 300
        self.assertEqual(self.findings(dict.fromkeys(("a.cc", "a.h", "a.py", "a.sh", "run", "why.cc"), long), "why.cc"),
                         ["a.cc", "a.h", "a.py", "a.sh", "run"])

    def test_a_reason_for_a_file_that_is_shorter_or_not_there_is_found(self):
        self.assertEqual(self.findings({"a.cc": "\n" * 300}, "a.cc", "gone.cc"), ["a.cc", "gone.cc"])


if __name__ == "__main__":
    unittest.main()
