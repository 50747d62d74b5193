#!/usr/bin/env bash
# Finding: PromQL's `smoothed` modifier on an instant selector doesn't see stale markers, so that a series which has ended lives on
# (Prometheus 3.16.0, the release that made the modifier stable).
#
# Guess before the run: the modifier changes the value between two samples; whether a series is present is decided as without it, so
# that nothing is returned from a stale marker on.
# Seen: a series with a stale marker at 3m is returned with its last value until the lookback of 5 minutes is over, as one whose
# target went away without a marker. absent() over it stays silent for that long. If the series comes back at 6m, the gap is filled with
# values of a straight line, which nobody exposed; asked during the gap, the same instants had answered with the old value.
# An alert on absence, or on a value that a restart resets, changes its meaning with this one word.
#
# Needs Go and its module proxy; building promtool takes minutes the first time. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
GOBIN="$folder" go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool@v0.316.0
cat >test.yml <<'YAML'
rule_files: []
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: ended, values: "0 10 20 stale"}
      - {series: back, values: "0 10 20 stale _ _ 60 70"}
    promql_expr_test:
      - {expr: ended, eval_time: 3m, exp_samples: []}
      - {expr: ended smoothed, eval_time: 3m, exp_samples: [{labels: ended, value: 20}]}
      - {expr: ended smoothed, eval_time: 6m, exp_samples: [{labels: ended, value: 20}]}
      - {expr: ended smoothed, eval_time: 7m, exp_samples: []}
      - {expr: absent(ended), eval_time: 6m, exp_samples: [{value: 1}]}
      - {expr: absent(ended smoothed), eval_time: 6m, exp_samples: []}
      - {expr: back, eval_time: 5m, exp_samples: []}
      - {expr: back smoothed, eval_time: 3m, exp_samples: [{labels: back, value: 30}]}
      - {expr: back smoothed, eval_time: 5m, exp_samples: [{labels: back, value: 50}]}
YAML
./promtool test rules test.yml || { echo "the behaviour has changed" >&2; exit 1; }
