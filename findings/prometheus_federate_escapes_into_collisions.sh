#!/usr/bin/env bash
# Finding: one series with labels `store.name` and `store_name` takes a whole federation down, and a metric `store.writes_total` hides
# `store_writes_total` in it, where the reader doesn't ask for UTF-8 names (Prometheus 3.16.0 on both sides, the reader with
# metric_name_validation_scheme: legacy; what a Prometheus 2 asks for is answered likewise).
#
# Guess before the run: such names are escaped so that they stay apart (U__store_2e_name), or what can't be said to an old reader is left out.
# Seen: /federate escapes to underscores and looks no further. The series with both labels is written with the label store_name twice, which is no
# valid exposition: the reader refuses the page, up is 0, and no series of any store arrives. Without that series the two metrics
# become two of one name and equal labels: the reader keeps the first line, the one with the dot as "." sorts before "_", and says nothing
# of it in its log, nor counts it as a duplicate, so that it shows 10 where the server says 1000. Dots come with OTLP and
# translation_strategy NoTranslation, or from a client that exposes them. A reader with the default, UTF-8, gets both.
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
import http.server, sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=1.0.0; escaping=allow-utf-8")
        self.end_headers()
        self.wfile.write(b"""{"store.writes_total",path="/srv"} 10
store_writes_total{path="/srv"} 1000
size_bytes{"store.name"="agents",store_name="old"} 5
""")

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 application.py >application.port &
servers+=($!)
until [ -s application.port ]; do sleep 0.1; done
# start NAME: a Prometheus with NAME.yml; its port is in $port.
start() {
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  ./prometheus --config.file="$1.yml" --storage.tsdb.path="$1" --web.listen-address="127.0.0.1:$port" >"$1.log" 2>&1 &
  servers+=($!)
  curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused --output up "http://127.0.0.1:$port/-/ready"
}
cat >source.yml <<YAML
global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: application, static_configs: [{targets: ["127.0.0.1:$(<application.port)"]}]}
YAML
start source
source=$port
federate() { echo "{job_name: $1, metrics_path: /federate, params: {'match[]': ['$2']}, $3 static_configs: [{targets: ['127.0.0.1:$source']}]}"; }
old="metric_name_validation_scheme: legacy, metric_name_escaping_scheme: underscores,"
cat >reader.yml <<YAML
global: {scrape_interval: 1s}
scrape_configs:
  - $(federate all '{job="application"}' "$old")
  - $(federate writes '{__name__=~"store.writes_total"}' "$old")
  - $(federate utf-8 '{job="application"}' "")
YAML
start reader
cat >ask.py <<'PYTHON'
import json, sys, time, urllib.parse, urllib.request

source, reader = (f"http://127.0.0.1:{port}" for port in sys.argv[1:])

def get(url, accept="*/*", **parameters):
    return urllib.request.urlopen(urllib.request.Request(f"{url}?{urllib.parse.urlencode(parameters)}", headers={"Accept": accept})).read().decode()

def query(server, expression):
    found = json.loads(get(f"{server}/api/v1/query", query=expression))["data"]["result"]
    return sorted(f"{series['metric'].get('__name__', '')} {series['value'][1]}" for series in found)

def targets():
    return {target["scrapePool"]: target for target in json.loads(get(f"{reader}/api/v1/targets"))["data"]["activeTargets"]}

deadline = time.monotonic() + 60
while time.monotonic() < deadline and not (query(reader, 'store_writes_total{job="writes"}') and query(reader, 'store_writes_total{job="utf-8"}')
                                           and targets()["all"]["lastError"]):
    time.sleep(0.2)
print("asked as by Prometheus 2.42")
accept = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
for line in get(f"{source}/federate", accept, **{"match[]": '{__name__=~"store.writes_total|size_bytes"}'}).splitlines():
    if not line.startswith("#"):
        name, _, labels = line.rpartition(" ")[0].rpartition(" ")[0].partition("{")
        print(" ", name, *[label for label in labels.rstrip("}").split(",") if not label.startswith(("instance", "job"))], line.split()[-2])
for job in ("all", "writes", "utf-8"):
    target = targets()[job]
    print(f"{job}: {target['health']} {target['lastError']}".rstrip())
    for series in query(reader, f'{{job="{job}",__name__=~"store.writes_total|size_bytes"}}'):
        print(" ", series)
PYTHON
seen=$(
  python3 ask.py "$source" "$port"
  echo "the reader's log: $(grep --count --invert-match level=INFO reader.log) lines above INFO"
  curl --silent "http://127.0.0.1:$port/metrics" | grep ^prometheus_target_scrapes_sample_duplicate_timestamp_total
)
echo "$seen"
[ "$seen" = "asked as by Prometheus 2.42
  size_bytes store_name=\"agents\" store_name=\"old\" 5
  store_writes_total path=\"/srv\" 10
  store_writes_total path=\"/srv\" 1000
all: down label name \"store_name\" is not unique: invalid sample
writes: up
  store_writes_total 10
utf-8: up
  size_bytes 5
  store.writes_total 10
  store_writes_total 1000
the reader's log: 0 lines above INFO
prometheus_target_scrapes_sample_duplicate_timestamp_total 0" ] || { cat reader.log >&2; echo "the behaviour has changed" >&2; exit 1; }
