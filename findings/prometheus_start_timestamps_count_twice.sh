#!/usr/bin/env bash
# Finding: with start timestamps a reload that gives the targets one more label counts all that was counted since their start a second time
# (Prometheus 3.16.0, created-timestamp-zero-ingestion, and likewise st-storage with use-start-timestamps; OpenMetrics 1.0).
#
# Guess before the run: the start timestamp says since when a counter counts, so that a target's first increments after its start aren't missed; for
# a target that is scraped already, a new label begins a new series at its present value, as without the feature, and sums stay as they were.
# Seen: the new series is taken to have counted from zero at the process' start, at which the first feature writes a sample of 0 into the past and
# the second lets increase() begin. A counter of 1000, started 20 minutes ago, is 1000 in sum(increase(x[30m])) before the reload and 2000
# after it, though nothing was counted in between, for as long as the range reaches back to the start: a total or an alert over an hour or a
# day has the target's whole life twice. Without the features both are 0. Two more: _created, which without them is a series, is gone, with
# the rules that use it; and zero ingestion writes its 0 also into the quantiles of a summary, which count nothing, so that a latency
# of 0 is their minimum.
#
# Needs Go and its module proxy (building the server takes minutes the first time), curl and python3. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
servers=()
finish() {
  kill "${servers[@]}" || true
  wait
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
GOBIN="$folder" go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/prometheus@v0.316.0
cat >application.py <<'PYTHON'
import http.server, time

started = time.time() - 20 * 60
page = f"""# TYPE writes counter
writes_total 1000
writes_created {started:.3f}
# TYPE write_seconds summary
write_seconds{{quantile="0.99"}} 0.5
write_seconds_count 1000
write_seconds_sum 20
write_seconds_created {started:.3f}
# EOF
""".encode()

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 application.py >application.port &
servers+=($!)
until [ -s application.port ]; do sleep 0.1; done
# configure LABELS: the target with these labels.
configure() {
  cat >prometheus.yml <<YAML
global: {scrape_interval: 1s, scrape_protocols: [OpenMetricsText1.0.0]}
scrape_configs:
  - {job_name: application, static_configs: [{targets: ["127.0.0.1:$(<application.port)"], labels: {$1}}]}
YAML
}
cat >ask.py <<'PYTHON'
import json, sys, time, urllib.parse, urllib.request

port, team = sys.argv[1:]

def query(expression):
    parameters = urllib.parse.urlencode({"query": expression})
    found = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{parameters}"))["data"]["result"]
    return [float(series["value"][1]) for series in found]

deadline = time.monotonic() + 60
while query(f'count_over_time(writes_total{{team="{team}"}}[30m])') < [3] and time.monotonic() < deadline:
    time.sleep(0.2)
total = query("sum(increase(writes_total[30m]))")[0]
lowest = query(f'min_over_time(write_seconds{{quantile="0.99",team="{team}"}}[30m])')[0]
created = query(f'count(last_over_time(writes_created{{team="{team}"}}[30m]))')
print(f'  team "{team}": writes in 30m {round(total, -3):.0f}, lowest quantile {lowest:g}, _created series {len(created)}')
PYTHON
seen=$(
  for features in "" created-timestamp-zero-ingestion st-storage,use-start-timestamps; do
    configure ""
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    ./prometheus --config.file=prometheus.yml --storage.tsdb.path="data-$features" --web.listen-address="127.0.0.1:$port" --web.enable-lifecycle \
      ${features:+--enable-feature="$features"} >log 2>&1 &
    server=$!
    curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused --output up "http://127.0.0.1:$port/-/ready"
    echo "${features:-no feature}"
    python3 ask.py "$port" ""
    configure "team: agents"
    curl --silent --fail --request POST "http://127.0.0.1:$port/-/reload"
    python3 ask.py "$port" agents
    kill "$server"
    wait "$server" || true
  done
)
echo "$seen"
[ "$seen" = "no feature
  team \"\": writes in 30m 0, lowest quantile 0.5, _created series 1
  team \"agents\": writes in 30m 0, lowest quantile 0.5, _created series 1
created-timestamp-zero-ingestion
  team \"\": writes in 30m 1000, lowest quantile 0, _created series 0
  team \"agents\": writes in 30m 2000, lowest quantile 0, _created series 0
st-storage,use-start-timestamps
  team \"\": writes in 30m 1000, lowest quantile 0.5, _created series 0
  team \"agents\": writes in 30m 2000, lowest quantile 0.5, _created series 0" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
