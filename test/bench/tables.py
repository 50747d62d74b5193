"""The report's tables and goals as text for a terminal, or as Markdown for docs/benchmarks.md."""

import dataclasses
import sys
from typing import List

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclasses.dataclass
class Table:
    title: str
    columns: List[str]
    rows: List[List[str]]


@dataclasses.dataclass
class Goal:
    what: str
    value: float
    limit: float
    at_least: bool
    unit: str = ""

    @property
    def met(self):
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def cells(self):
        word = "at least" if self.at_least else "at most"
        return [self.what, f"{self.value:.3g}{self.unit}", f"{word} {self.limit:g}{self.unit}", "yes" if self.met else "**no**"]


def render(head, tables, goals, markdown):
    tables = [*tables, Table("Goals", ["what", "seen", "goal", "met"], [goal.cells() for goal in goals])]
    draw = as_markdown if markdown else as_text
    return "\n".join([head + "\n", *(draw(table) for table in tables)])


def as_markdown(table):
    rule = ["---", *("---:" for _ in table.columns[1:])]
    lines = [table.columns, rule, *table.rows]
    return f"### {table.title}\n\n" + "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def as_text(table):
    lines = [table.columns, *([cell.replace("**no**", "NO") for cell in row] for row in table.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.columns))]
    drawn = [line[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))
             for line in lines]
    return "\n".join([table.title, *("  " + line for line in drawn)]) + "\n"


def replace_section(path, text):
    """Puts `text` between the marks of the file."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path}: expected the lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}{END}{after}")
