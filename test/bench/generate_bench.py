"""What a spec of N thresholds costs: `rulegen --generate` and `--check` from start to exit, for the shipped spec and for
specs of 10 to 10,000 thresholds. The cost must be linear in the spec. And what pyrra takes, which generates rules and alerts of SLOs.

Time is the CPU time of the process, the least of several runs, so that a busy machine changes it little.

Usage: generate_bench.py RULEGEN
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "servers"))
import programs  # noqa: E402  (the path above)

SHIPPED = ROOT / "rules" / "checkpoint.toml"
# A threshold of the largest spec may cost this many times what one of a spec a tenth its size costs. 10 would be
# quadratic; caches and the allocator take a little more than 1.
GROWTH_MAX = 2.0
SHIPPED_MS_MAX = 20
SIZES = [10, 100, 1000, 10000]
HEAD = """schema = 1

[store]
name = "scale"
title = "Scale"
sufficient = "sufficient"
next = "more"
identity = ["job", "instance"]
present = "scale_value"

[rules]
scrape_interval = "15s"
interval = "30s"
keep_firing_for = "15m"
flavors = ["prometheus", "victoriametrics"]
runbook_url = "https://example.org/scale.runbook.md"

[output]
rules = "gen"
dashboards = "gen"
docs = "gen"

[alertmanager]
base = "alertmanager.base.yml"

[[verdict]]
id = "soon"
text = "SOON"
severity = "warning"
exit_code = 10

[[verdict]]
id = "now"
text = "NOW"
severity = "critical"
exit_code = 20

[[metric]]
name = "scale_value"
type = "gauge"
help = "A value."
labels = ["kind"]
"""
SIGNAL = """
[[signal]]
id = "value_{i}"
title = "Value {i}"
description = "The value of kind {i}."
unit = "count"
expr = 'max by (job, instance) (scale_value{{kind="{i}"}})'

[[signal.test]]
series = {{ 'scale_value{{kind="{i}"}}' = "7x80" }}
at = "10m"
value = 7
"""
THRESHOLDS_PER_SIGNAL_MAX = 19  # the spec's limit
THRESHOLD = """
[[threshold]]
id = "Value{i}{name}"
signal = "value_{i}"
above = {limit}
for = "5m"
verdict = "{verdict}"
because = "Value {i} >{limit}"
look = "What made it rise."
act = "Make it fall."
"""


def spec_of_pairs(thresholds):
    """Two thresholds a signal, as real specs have about as many."""
    parts = [HEAD]
    for i in range(thresholds // 2):
        parts.append(SIGNAL.format(i=i))
        parts.append(THRESHOLD.format(i=i, name="Now", limit=1000, verdict="now"))
        parts.append(THRESHOLD.format(i=i, name="Soon", limit=800, verdict="soon"))
    return "".join(parts)


def spec_of_full_signals(thresholds):
    """As many thresholds on a signal as it may have, where comparing each with each other would show."""
    parts = [HEAD]
    for i in range(thresholds):
        signal, number = divmod(i, THRESHOLDS_PER_SIGNAL_MAX)
        if number == 0:
            parts.append(SIGNAL.format(i=signal))
        verdict, limit = ("soon", 800000 + number) if number % 2 else ("now", 1000000 + number)
        parts.append(THRESHOLD.format(i=signal, name=f"N{number}", limit=limit, verdict=verdict))
    return "".join(parts)


def spec_of_unknown_references(thresholds):
    """Each names a signal that is not there, and each has to be reported, and the nearest ones sought. Beside them long lists that
    are right: signals in the coverage, labels of a metric that a test's series names."""
    labels = [f"label_{i}" for i in range(10 * thresholds)]
    parts = [spec_of_pairs(thresholds).replace('signal = "value_', 'signal = "valeu_')]
    parts.append('[coverage]\nexpr = "max by (job, instance) (scale_value)"\n')
    for key in ("unknown", "lower_bound"):
        parts.append(f"{key} = [{', '.join(f'{chr(34)}value_{i}{chr(34)}' for i in range(thresholds // 2))}]\n")
    named = ",".join(f'{label}="x"' for label in labels)
    parts.append(f"[[coverage.test]]\nseries = {{ 'scale_labels{{{named}}}' = \"1x80\" }}\nat = \"10m\"\nvalue = 1\n")
    quoted = ", ".join(f'"{label}"' for label in labels)
    parts.append(f'[[metric]]\nname = "scale_labels"\ntype = "gauge"\nhelp = "A value."\nlabels = [{quoted}]\n')
    return "".join(parts)


SLO = """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {{name: slo-{i}, namespace: scale}}
spec:
  target: "99"
  window: 4w
  indicator:
    ratio:
      errors: {{metric: 'checkpoint_writes_total{{status="error",kind="{i}"}}'}}
      total: {{metric: 'checkpoint_writes_total{{kind="{i}"}}'}}
      grouping: [job, instance, database]
"""
SHARE_OF_PYRRA_MAX = 0.5
SHAPES = {"2 a signal": spec_of_pairs, "19 a signal": spec_of_full_signals}


def cpu_seconds(command, accept=(0,)):
    """The CPU time of the command. It must end with an accepted status."""
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL if accept != (0,) else None) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accept:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def measure(rulegen, spec, folder, runs):
    """Milliseconds of a first --generate, of one that changes nothing, and of --check."""
    out = folder / "out"
    first, again, check = [], [], []
    for _ in range(runs):
        shutil.rmtree(out, ignore_errors=True)
        first.append(cpu_seconds([rulegen, "--generate", "--spec", spec, "--out", out]))
        again.append(cpu_seconds([rulegen, "--generate", "--spec", spec, "--out", out]))
        check.append(cpu_seconds([rulegen, "--check", "--spec", spec, "--out", out]))
    return [min(times) * 1000 for times in (first, again, check)]


def row(name, thresholds, times):
    return [name, str(thresholds), *(f"{ms:.1f}" for ms in times), f"{times[2] * 1000 / thresholds:.0f}"]


def measure_shape(rulegen, shape, sizes, runs, folder):
    """A row for each size; and by size, from 1,000 thresholds on (below that the start of the process is most of the time),
    how much more one threshold costs than in the size before."""
    rows, growth = [], {}
    before = None
    for size in sizes:
        spec = folder / "scale.toml"
        spec.write_text(SHAPES[shape](size))
        times = measure(rulegen, spec, folder, runs if size <= 1000 else (runs + 2) // 3)
        rows.append(row(shape, size, times))
        each = [ms / size for ms in times]
        if before and size >= 1000:
            growth[size] = max(now / then for now, then in zip(each, before))
        before = each
    return rows, growth


def growth_of_refusals(rulegen, sizes, runs, folder):
    """By size, from the second on, how much more refusing one threshold costs than in the size before."""
    growth, before = {}, None
    for size in sizes:
        spec = folder / "refused.toml"
        spec.write_text(spec_of_unknown_references(size))
        each = min(cpu_seconds([rulegen, "--check", "--spec", spec], accept=(3,)) for _ in range(runs)) / size
        if before:
            growth[size] = each / before
        before = each
    return growth


def figures(rulegen, sizes, runs, shipped_ms_max=SHIPPED_MS_MAX):
    """The table and the goals, for the report."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", folder)
        shipped = measure(rulegen, SHIPPED, folder, runs)
        rows = [row("rules/checkpoint.toml", 6, shipped)]
        goals = [tables.Goal("generating rules/checkpoint.toml", shipped[0], shipped_ms_max, False, " ms")]
        for shape in SHAPES:
            of_shape, growth = measure_shape(rulegen, shape, sizes, runs, folder)
            rows += of_shape
            goals += [tables.Goal(f"one of {size} thresholds ({shape}), times one of {size // 10}", times, GROWTH_MAX, False)
                      for size, times in growth.items()]
        goals += [tables.Goal(f"refusing one of {size} thresholds, times one of {size // 10}", times, GROWTH_MAX, False)
                  for size, times in growth_of_refusals(rulegen, [size for size in sizes if size >= 1000], 2, folder).items()]
    return tables.Table("Generating and checking, CPU time", [
        "thresholds are", "number", "generate (ms)", "again, unchanged (ms)", "check (ms)", "check (µs a threshold)"], rows), goals


def rules_of(files):
    return sum(len(re.findall(r"^[ -]*(?:alert|record):", file.read_text(), re.MULTILINE)) for file in files)


def pyrras(pyrra, folder, rules_max):
    """pyrra's command for as many SLOs as make no more than so many rules, and how many those are."""
    slos, made = folder / f"slos-{rules_max}", folder / f"made-{rules_max}"
    slos.mkdir()
    made.mkdir()
    command = [pyrra, "generate", "--log-level=error", f"--config-files={slos}/*.yaml", f"--prometheus-folder={made}"]
    (slos / "0.yaml").write_text(SLO.format(i=0))
    cpu_seconds(command)
    each = rules_of(made.iterdir())
    for i in range(1, rules_max // each):
        (slos / f"{i}.yaml").write_text(SLO.format(i=i))
    cpu_seconds(command)
    return command, rules_of(made.iterdir())


def beside_pyrra(rulegen, runs):
    """The table and the goal: the shipped spec, and pyrra with no more rules than that has in all flavors, and in one. None where pyrra
    can't be had; standard error says why."""
    try:
        pyrra, why = programs.pyrra(), "there is no Go to build it with"
    except programs.CannotBuild as error:
        pyrra, why = None, error
    if pyrra is None:
        print(f"skipped: pyrra {programs.PYRRA}: {why}", file=sys.stderr)
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", folder)
        out = folder / "out"
        generate = [rulegen, "--generate", "--spec", SHIPPED, "--out", out]
        cpu_seconds(generate)
        files = list(out.rglob("checkpoint.rules.yml"))
        rules = rules_of(files)
        others = [pyrras(pyrra / "pyrra", folder, rules_max) for rules_max in (rules, rules // len(files))]
        times = [[] for _ in range(1 + len(others))]
        for _ in range(runs):  # in turns
            shutil.rmtree(out)
            for command, of_one in zip([generate, *(command for command, _ in others)], times):
                of_one.append(cpu_seconds(command) * 1000)
    ours, *theirs = map(min, times)
    rows = [["rulegen, rules/checkpoint.toml, with tests, dashboards and documents", str(rules), f"{ours:.1f}"],
            *([f"pyrra {programs.PYRRA}", str(count), f"{ms:.1f}"] for (_, count), ms in zip(others, theirs))]
    return (tables.Table("Generating, beside pyrra, CPU time", ["what", "rules", "ms"], rows),
            [tables.Goal("generating rules/checkpoint.toml, times pyrra for as many rules", ours / theirs[0], SHARE_OF_PYRRA_MAX, False)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rulegen", type=pathlib.Path)
    arguments = parser.parse_args()
    found = [figures(arguments.rulegen.resolve(), SIZES, 10), beside_pyrra(arguments.rulegen.resolve(), 10)]
    made = [one for one in found if one]
    print(tables.render("What a spec of N thresholds costs", [table for table, _ in made], [goal for _, goals in made for goal in goals],
                        markdown=False))


if __name__ == "__main__":
    main()
