#!/usr/bin/env bash
# Finding: in promtool's unit tests of a rule group with query_offset, a later test changes what an earlier one sees (promtool of
# Prometheus 3.16.0).
#
# Guess before the run: an expression test with eval_time 5m sees what a server would answer at 5m: with query_offset 1m the
# recorded sample of 4m, whatever else is tested.
# Seen: all evaluations up to the group's latest eval_time come first, and the expressions are asked afterwards. The evaluation at 6m stamps
# its sample at 5m. So the test at 5m reads the value of 4m if it is the last one, and that of 5m, which no server had at that time,
# if anything is tested at 6m or later. Adding a test at the end breaks a correct one before it, and the delay that the offset makes
# is invisible to all but the last tests. alert_rule_test is compared during the evaluations, and has no hindsight.
#
# Needs Go and its module proxy; building promtool takes minutes the first time. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
GOBIN="$folder" go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool@v0.316.0
cat >rules.yml <<'YAML'
groups:
  - name: offset
    query_offset: 1m
    rules:
      - {record: recorded, expr: source}
      - {alert: High, expr: source >= 300}
YAML
# test EVAL_TIMES VALUE_AT_5M: whether promtool passes a test of the recorded value at 5m, with tests at these other times.
test_at() {
  {
    echo "rule_files: [rules.yml]
evaluation_interval: 30s
tests:
  - interval: 30s
    input_series: [{series: source, values: 0+30x40}]
    alert_rule_test: [{eval_time: 5m, alertname: High}]
    promql_expr_test:
      - {expr: recorded, eval_time: 5m, exp_samples: [{labels: recorded, value: $2}]}"
    for time in $1; do
      echo "      - {expr: vector(1), eval_time: $time, exp_samples: [{value: 1}]}"
    done
  } >test.yml
  ./promtool test rules test.yml >log 2>&1 && echo passes || echo fails
}
seen="nothing tested later: $(test_at "" 240) with 240, $(test_at "" 300) with 300
an earlier test: $(test_at 1m 240) with 240, $(test_at 1m 300) with 300
a test at 6m: $(test_at 6m 240) with 240, $(test_at 6m 300) with 300
a test at 5m30s: $(test_at 5m30s 240) with 240, $(test_at 5m30s 270) with 270"
echo "$seen"
[ "$seen" = "nothing tested later: passes with 240, fails with 300
an earlier test: passes with 240, fails with 300
a test at 6m: fails with 240, passes with 300
a test at 5m30s: fails with 240, passes with 270" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
