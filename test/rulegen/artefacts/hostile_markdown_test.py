"""GitHub's own Markdown (cmark-gfm) shows hostile texts as they are: no markup, no element, no cell comes out of them.

Usage: hostile_markdown_test.py HOSTILE_MARKDOWN
"""

import html.parser
import os
import re
import subprocess
import sys

SEED, COUNT = "20261123", "100000" if os.environ.get("OUTGROWN_SOAK") else "20000"
# What a document shows of a control character or line break is a space; runs of spaces are one.
BLANK = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
PLACES = 5  # heading, bold, list item, table cell, code in a table cell


class Text(html.parser.HTMLParser):
    """The shown texts, and every element that no generated document has."""

    ALLOWED = {"h1", "ul", "li", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "a"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.shown = []
        self.strange = []

    def handle_starttag(self, tag, attrs):
        # A bare address becomes a link to itself; that is no markup of the text's own.
        if tag not in self.ALLOWED or (tag != "a" and attrs):
            self.strange.append(self.get_starttag_text())

    def handle_data(self, data):
        self.shown.append(data)


def shown(text):
    return BLANK.sub(" ", text)


def main():
    program = sys.argv[1]
    def run(what):
        return subprocess.run([program, what, SEED, COUNT], capture_output=True, check=True).stdout
    texts = run("texts").decode().split("\x1e")[:-1]
    converted = subprocess.run(["cmark-gfm", "-e", "table", "-e", "strikethrough", "-e", "autolink", "--unsafe"],
                               input=run("markdown"), capture_output=True, check=True).stdout.decode()
    parser = Text()
    parser.feed(converted)
    parser.close()
    actual = shown("".join(parser.shown)).replace(" ", "")
    expected = "".join("x" + text + "x" + "x" + text + "x" + "x" + text + "x" + "ab" + "x" + text + "x" + "x" + text + "x"
                       for text in texts)
    expected = shown(expected).replace(" ", "")
    print(f"seed {SEED}: {len(texts)} texts in {PLACES} places each, {len(parser.strange)} strange elements")
    if parser.strange:
        print("first:", parser.strange[:3])
        sys.exit(1)
    if actual != expected:
        at = next((i for i, (a, b) in enumerate(zip(actual, expected)) if a != b), min(len(actual), len(expected)))
        print(f"differs at {at}: shown {actual[max(0, at - 40):at + 40]!r}, written {expected[max(0, at - 40):at + 40]!r}")
        sys.exit(1)


if __name__ == "__main__":
    main()
