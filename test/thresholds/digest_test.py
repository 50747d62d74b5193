"""Computes the digest of specs from docs/spec.md ("The digest") alone, and compares with rulegen's.

Usage: digest_test.py PRINT_CANONICAL SPEC...
"""

import decimal
import hashlib
import pathlib
import re
import subprocess
import sys
import tomllib

TOKEN = re.compile(r"""
    (?P<skip>\s+|\#[^\n]*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
  | (?P<number>(?:[0-9]|\.[0-9])(?:[eE][+-](?=[0-9])|[0-9A-Za-z_.])*)
  | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
  | (?P<punctuation>=~|!~|!=|==|>=|<=|.)
""", re.X | re.S)
NAME_IN_BRACKETS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|:")
UNITS = {"y": 31536000000, "w": 604800000, "d": 86400000, "h": 3600000, "m": 60000, "s": 1000, "ms": 1}


def tokens(expression):
    """PromQL's tokens with one space between them."""
    found, at, brackets = [], 0, 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if brackets and match["name"]:
            match = NAME_IN_BRACKETS.match(expression, at)
        at = match.end()
        text = match.group()
        if match.lastgroup == "skip":
            continue
        brackets += (text == "[") - (text == "]")
        found.append(text)
    return " ".join(found)


def text(value):
    def escape(match):
        c = match.group()
        return "\\" + c if c in '"\\' else f"\\u{ord(c):04x}"
    return '"' + re.sub(r'["\\\x00-\x1f\x7f]', escape, value) + '"'


def number(value):
    value = float(value)
    return str(int(value)) if value.is_integer() else format(decimal.Decimal(repr(value)), "f")


def duration(value):
    ms = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(\d+)(ms|[ywdhms])", value))
    if ms == 0:
        return "0s"
    for unit in ("y", "w"):
        if ms % UNITS[unit] == 0:
            return f"{ms // UNITS[unit]}{unit}"
    out = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, ms = divmod(ms, UNITS[unit])
        out += f"{count}{unit}" if count else ""
    return out


def listed(values):
    return "[" + ", ".join(text(value) for value in values) + "]"


def listed_set(values):
    return listed(sorted(values, key=lambda value: value.encode()))


def tests(prefix, table):
    for i, test in enumerate(table["test"]):
        path = f"{prefix}.test[{i}]"
        yield f"{path}.name", text(test.get("name", ""))
        yield f"{path}.series", listed_set(
            tokens(series) + " " + " ".join(samples.split()) for series, samples in test["series"].items())
        yield f"{path}.at", duration(test["at"])
        if test.get("recorded", True):
            yield f"{path}.value", number(test["value"])
        else:
            yield f"{path}.recorded", "false"
        if "split" in test:
            yield f"{path}.split", listed_set(f"{reason} {number(value)}" for reason, value in test["split"].items())
        if "reasons" in test:
            yield f"{path}.reasons", listed_set(test["reasons"])


def lines(spec):
    yield "schema", str(spec["schema"])
    store = spec["store"]
    for key in ("name", "title", "sufficient", "next"):
        yield f"store.{key}", text(store[key])
    yield "store.identity", listed(store.get("identity", ["job", "instance"]))
    yield "store.present", text(store["present"])
    if "modified" in store:
        yield "store.modified", text(store["modified"])
    for i, verdict in enumerate(spec["verdict"]):
        for key in ("id", "text", "severity"):
            yield f"verdict[{i}].{key}", text(verdict[key])
        yield f"verdict[{i}].exit_code", str(verdict["exit_code"])
    for i, metric in enumerate(sorted(spec.get("metric", []), key=lambda metric: metric["name"].encode())):
        for key in ("name", "type", "help"):
            yield f"metric[{i}].{key}", text(metric[key])
        yield f"metric[{i}].labels", listed_set(metric.get("labels", []))
    for i, signal in enumerate(spec["signal"]):
        for key in ("id", "title", "description"):
            yield f"signal[{i}].{key}", text(signal.get(key, ""))
        yield f"signal[{i}].unit", signal["unit"]
        yield f"signal[{i}].expr", text(tokens(signal["expr"]))
        if signal.get("split"):
            yield f"signal[{i}].split", text(tokens(signal["split"]))
        if "ceiling" in signal:
            yield f"signal[{i}].ceiling", text(signal["ceiling"])
        yield from tests(f"signal[{i}]", signal)
    for i, threshold in enumerate(spec["threshold"]):
        for key in ("id", "signal"):
            yield f"threshold[{i}].{key}", text(threshold[key])
        key = "above" if "above" in threshold else "below"
        yield f"threshold[{i}].{key}", number(threshold[key])
        yield f"threshold[{i}].for", duration(threshold.get("for", "0s"))
        for key in ("verdict", "because", "look", "act"):
            yield f"threshold[{i}].{key}", text(threshold.get(key, ""))
    if "coverage" in spec:
        coverage = spec["coverage"]
        yield "coverage.expr", text(tokens(coverage["expr"]))
        yield "coverage.minimum", number(coverage.get("minimum", 0.95))
        if number(coverage.get("maximum", 1.05)) != "1.05":
            yield "coverage.maximum", number(coverage["maximum"])
        if coverage.get("reason"):
            yield "coverage.reason", text(tokens(coverage["reason"]))
        for key in ("unknown", "lower_bound"):
            yield f"coverage.{key}", listed_set(coverage.get(key, []))
        yield from tests("coverage", coverage)


def main():
    program, *paths = sys.argv[1:]
    for path in paths:
        canonical = "".join(f"{key} = {value}\n" for key, value in lines(tomllib.loads(pathlib.Path(path).read_text())))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        said = subprocess.run([program, path], check=True, capture_output=True, text=True).stdout
        if said != f"{digest}\n{canonical}":
            ours, theirs = canonical.splitlines(), said.splitlines()[1:]
            first = next((pair for pair in zip(ours, theirs) if pair[0] != pair[1]), ("another number of lines",))
            sys.exit(f"{path}: the digest of docs/spec.md and rulegen's differ:\n" + "\n".join(first))
        print(f"{path}: {digest}")


main()
