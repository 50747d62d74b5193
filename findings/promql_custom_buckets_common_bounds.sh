#!/usr/bin/env bash
# Finding: one replica with other bucket bounds takes an alert on the fleet's latency away, or makes it fire, where the histograms are native ones
# with custom buckets (Prometheus 3.16.0; such as convert_classic_histograms_to_nhcb makes of classic ones).
#
# Guess before the run: a sum over replicas keeps the bounds of all, as the sum by (le) of the classic series does, or leaves out what
# doesn't fit, with the warning of which the documentation speaks; the quantile moves within a bucket.
# Seen: the sum has only the bounds that all have in common, and what was counted above the last of these is above everything known. Half of
# the writes take 0.1 to 1 s. One replica of three, of a new release, has the bounds 0.1, 0.25 and 2.5 in place of 0.1 and 1: each
# replica's own P95 is 0.91 s or more, that of the sum is 0.1 s, the last common bound, and the alert at 0.5 s, which fires without the new
# replica, is silent. If no bound is common (0.25 and 2.5), every quantile is +Inf and every histogram_fraction() 0. The same within one
# series after a restart with other bounds, while the range has two samples from before it: an alert fires on a latency that never was over
# 0.25 s. With the classic series P95 is 2.5 s for both fleets. An annotation of level info is all that says so, which no alert shows.
#
# Needs Go and its module proxy; building promtool takes minutes the first time. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
GOBIN="$folder" go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool@v0.316.0
cat >rules.yml <<'YAML'
groups:
  - name: latency
    rules:
      - {alert: Slow, expr: "histogram_quantile(0.95, sum by (fleet) (rate(write_seconds[3m]))) > 0.5"}
YAML
# Each replica has 100 writes a minute: half in the bucket that holds 0.1 s, half in the one that holds 1 s.
native() {  # FLEET REPLICA BOUNDS BUCKETS
  histogram="{{schema:-53 count:100 sum:55 custom_values:[$3] buckets:[$4]}}"
  echo "      - {series: 'write_seconds{fleet=\"$1\",replica=\"$2\"}', values: '$histogram+${histogram}x9'}"
}
classic() {  # FLEET REPLICA BOUND=COUNT...
  for bucket in "${@:3}" +Inf=100; do
    echo "      - {series: 'classic_bucket{fleet=\"$1\",replica=\"$2\",le=\"${bucket%=*}\"}', values: '${bucket#*=}+${bucket#*=}x9'}"
  done
}
before="{{schema:-53 count:100 sum:5 custom_values:[0.1 1] buckets:[100 0]}}"
after="{{schema:-53 count:100 sum:5 custom_values:[0.25 2.5] buckets:[100 0]}}"
cat >test.yml <<YAML
rule_files: [rules.yml]
evaluation_interval: 1m
fuzzy_compare: true
tests:
  - interval: 1m
    input_series:
$(for fleet in before some none; do
    for replica in 1 2; do
      native "$fleet" "$replica" "0.1 1" "50 50"
      classic "$fleet" "$replica" 0.1=50 1=100
    done
  done
  native some 3 "0.1 0.25 2.5" "50 0 50"
  classic some 3 0.1=50 0.25=50 2.5=100
  native none 3 "0.25 2.5" "50 50"
  classic none 3 0.25=50 2.5=100)
    promql_expr_test:
      - expr: histogram_quantile(0.95, sum by (fleet) (rate(write_seconds[3m])))
        eval_time: 5m
        exp_samples:
          - {labels: '{fleet="before"}', value: 0.91}
          - {labels: '{fleet="some"}', value: 0.1}
          - {labels: '{fleet="none"}', value: .inf}
      - expr: round(histogram_quantile(0.95, sum by (fleet, le) (rate(classic_bucket[3m]))), 0.01)
        eval_time: 5m
        exp_samples:
          - {labels: '{fleet="before"}', value: 0.91}
          - {labels: '{fleet="some"}', value: 2.5}
          - {labels: '{fleet="none"}', value: 2.5}
      - expr: min by (fleet) (histogram_quantile(0.95, rate(write_seconds[3m])))
        eval_time: 5m
        exp_samples:
          - {labels: '{fleet="before"}', value: 0.91}
          - {labels: '{fleet="some"}', value: 0.91}
          - {labels: '{fleet="none"}', value: 0.91}
      - expr: histogram_fraction(0, 1, sum by (fleet) (rate(write_seconds[3m])))
        eval_time: 5m
        exp_samples:
          - {labels: '{fleet="before"}', value: 1}
          - {labels: '{fleet="some"}', value: 0.5}
          - {labels: '{fleet="none"}', value: 0}
    alert_rule_test:
      - {alertname: Slow, eval_time: 5m, exp_alerts: [{exp_labels: {fleet: before}}, {exp_labels: {fleet: none}}]}
  - interval: 1m
    input_series:
      - {series: write_seconds, values: '$before+${before}x4 $after+${after}x4'}
    promql_expr_test:
      - {expr: "histogram_quantile(0.95, rate(write_seconds[3m]))", eval_time: 4m, exp_samples: [{value: 0.095}]}
      - {expr: "histogram_quantile(0.95, rate(write_seconds[3m]))", eval_time: 5m, exp_samples: [{value: .inf}]}
      - {expr: "histogram_quantile(0.95, rate(write_seconds[3m]))", eval_time: 6m, exp_samples: [{value: 0.2375}]}
    alert_rule_test:
      - {alertname: Slow, eval_time: 4m, exp_alerts: []}
      - {alertname: Slow, eval_time: 5m, exp_alerts: [{}]}
      - {alertname: Slow, eval_time: 6m, exp_alerts: []}
YAML
./promtool test rules test.yml || { echo "the behaviour has changed" >&2; exit 1; }
