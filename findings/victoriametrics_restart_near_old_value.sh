#!/usr/bin/env bash
# Finding: a counter that starts anew and reaches more than seven eighths of its old value before it is scraped again has counted nothing for
# VictoriaMetrics (1.151.0): a service that restarts once a minute, with about a hundred errors each time, has none.
#
# Guess before the run: whatever a counter shows after it got smaller has been counted since its start at zero, as Prometheus takes it; 100, then 99,
# is an increase of 99.
# Seen: a decrease of less than an eighth is taken for a slip of the same counter, and only what comes on top is counted. 80, 70, 80, 90 is an
# increase of 90, but 80, 71, 81, 91 one of 20. The values 100, 99, 98 and so on of a restarting service are an increase of 0, in
# increase_pure() and increase_prometheus() too, while resets() counts each restart; Prometheus 3.16.0 makes 384 of these in 4 minutes. So
# one error more or less at the last scrape before a restart decides whether all errors since then exist, and a ratio of errors to writes
# may keep the writes of the new process without its errors.
#
# Needs Go and its module proxy (building the server takes minutes the first time), curl and python3. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN="$folder" go install github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics@v1.151.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./victoria-metrics -storageDataPath=data -httpListenAddr="127.0.0.1:$port" -loggerLevel=ERROR >log 2>&1 &
server=$!
url=http://127.0.0.1:$port
curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused --output up "$url/health"
start=$(($(date +%s) / 60 * 60 - 3600))
# minutely NAME VALUE...: the samples of the series, one a minute, the last one 10 minutes after the start.
minutely() {
  local values=("${@:2}") i
  for i in "${!values[@]}"; do
    echo "errors_total{service=\"$1\"} ${values[i]} $((start + 600 + 60 * (i + 1 - ${#values[@]})))000"
  done
}
{
  minutely "restarts each minute" 100 99 98 97 96 95
  minutely "80 to 70" 60 70 80 80 70 80 90
  minutely "80 to 71" 60 70 80 80 71 81 91
} | curl --silent --fail --data-binary @- "$url/api/v1/import/prometheus"
curl --silent --fail "$url/internal/force_flush"
cat >ask.py <<'PYTHON'
import json, sys, urllib.parse, urllib.request

url, instant = sys.argv[1:]
for function in ("increase", "increase_pure", "increase_prometheus", "resets"):
    query = f"{function}(errors_total[4m])"
    parameters = urllib.parse.urlencode({"query": query, "time": instant, "step": "1m", "nocache": 1})
    found = json.load(urllib.request.urlopen(f"{url}/api/v1/query?{parameters}"))["data"]["result"]
    print(f"{query}:", ", ".join(sorted(f"{series['metric']['service']}: {series['value'][1]}" for series in found)))
PYTHON
seen=$(python3 ask.py "$url" $((start + 600)))
echo "$seen"
[ "$seen" = "increase(errors_total[4m]): 80 to 70: 90, 80 to 71: 20, restarts each minute: 0
increase_pure(errors_total[4m]): 80 to 70: 90, 80 to 71: 20, restarts each minute: 0
increase_prometheus(errors_total[4m]): 80 to 70: 90, 80 to 71: 20, restarts each minute: 0
resets(errors_total[4m]): 80 to 70: 1, 80 to 71: 1, restarts each minute: 4" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
