"""Random histories of recorded series for a real Prometheus, as OpenMetrics text for promtool's backfill.

A history is made of pieces: healthy, beyond a limit for about as long as `for`, a gap, a series that is twice there, a
store that falls silent, NaN. Everything comes from one seed.
"""

import pathlib

from promtool import promtool

E = 1_790_000_010  # the last evaluation's time
STEP = 30
GIGABYTE = 1024**3
HEALTHY = {"write_error_ratio": 0.001, "writes_per_second": 20, "servers": 1, "file_size_bytes": GIGABYTE,
           "write_p99_seconds": 0.02, "coverage_ratio": 1, "wal_backlog_frames": 0, "wal_size_bytes": 0}
BEYOND = {"write_error_ratio": (0.02,), "writes_per_second": (90, 120), "servers": (2,),
          "file_size_bytes": (6 * GIGABYTE,), "write_p99_seconds": (0.2,), "coverage_ratio": (0.5, 0.94),
          "wal_backlog_frames": (100_000,), "wal_size_bytes": (GIGABYTE,)}


def pieces(dice, signal, evaluations):
    """Values of one signal, oldest first; None is no sample."""
    values = []
    while len(values) < evaluations:
        kind = dice.choices(("healthy", "beyond", "gap", "nan"), (8, 5, 2, 1))[0]
        length = dice.choice((1, 2, 3, 10, 11, 12, 20, 21, 22, 40, 120))
        if kind == "healthy":
            values += [HEALTHY[signal]] * length * 2
        elif kind == "beyond":
            values += [dice.choice(BEYOND[signal])] * length
        elif kind == "gap":
            values += [None] * dice.choice((1, 2, 3, 12, 30))
        else:
            values += ["NaN"] * dice.choice((1, 2))
    return values[:evaluations]


def labels(name):
    return f'job="app",instance="app-1:9108",database="{name}"'


def sample(series, value, time_seconds):
    return f"{series} {value} {time_seconds:.3f}"


def random_store(dice, name, evaluations):
    """The lines of one store whose every signal goes through random pieces, present with random silences."""
    lines = []
    start = E - (evaluations - 1) * STEP
    for signal in HEALTHY:
        quiet = dice.random() < 0.4
        values = [HEALTHY[signal]] * evaluations if quiet else pieces(dice, signal, evaluations)
        twice = dice.randrange(evaluations) if dice.random() < 0.15 else None
        late = dice.choice((0, 0, 0.25, 7.5))  # some engines stamp a little late
        for index, value in enumerate(values):
            if value is None:
                continue
            at = start + index * STEP + late
            lines.append(sample(f"checkpoint:{signal}{{{labels(name)}}}", value, at))
            if twice is not None and twice <= index < twice + 10:
                lines.append(sample(f'checkpoint:{signal}{{{labels(name)},replica="b"}}', value, at))
    at = start - dice.randrange(3600)
    while at <= E:
        for _ in range(dice.choice((40, 200, 1000))):
            if at <= E:
                lines.append(sample(f"checkpoint_block_up{{{labels(name)}}}", 1, at))
            at += 15
        at += dice.choice((0, 60, 301, 600, 5000))
    return lines


def steady_store(name, values_of, evaluations, step=STEP):
    """One store whose signals are `values_of` (signal -> function of the evaluation's index), always present, with the
    raw file size too."""
    lines = []
    start = E - (evaluations - 1) * step
    for signal, healthy in HEALTHY.items():
        for index in range(evaluations):
            value = values_of.get(signal, lambda _, same=healthy: same)(index)
            if value is not None:
                lines.append(sample(f"checkpoint:{signal}{{{labels(name)}}}", value, start + index * step))
    for index in range(evaluations):
        at = start + index * step
        lines.append(sample(f"checkpoint_block_up{{{labels(name)}}}", 1, at))
        size = values_of.get("file_size_bytes", lambda _: GIGABYTE)(index)
        lines.append(sample(f"checkpoint_file_size_bytes{{{labels(name)}}}", size, at))
    return lines


def backfill(folder, lines):
    """Makes the blocks of a Prometheus in `folder`."""
    folder = pathlib.Path(folder)
    text = folder / "series.om"
    # A metric's samples stand together; promtool wants no order of time within it but takes this one.
    text.write_text("\n".join(sorted(lines, key=lambda line: line.split("{", 1)[0])) + "\n# EOF\n")
    made = promtool("tsdb", "create-blocks-from", "openmetrics", text, folder / "prometheus-data")
    if made.returncode != 0:
        raise RuntimeError(made.stdout + made.stderr)
