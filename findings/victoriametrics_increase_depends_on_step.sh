#!/usr/bin/env bash
# Finding: increase(x[1m]) at one instant is 1 or 49 in VictoriaMetrics (1.151.0), by the step of the query.
#
# Guess before the run: the step says at which instants a range query answers, and an instant query has none; a window of 1m means the
# same minute in all of them, and the sample before it counts if it is not too old, by one rule.
# Seen: how old that sample may be grows with the step. After a gap of 9 minutes in the scrapes the increase over the last minute is 1 for
# steps up to 4m, and 49, which is what was counted in the gap, for a step of 5m. An instant query without a step has one of 5m. So a
# rule or a script that asks for an instant finds a peak that the dashboard, with its small step, doesn't show at the same time. rate()
# of the same window is 1/15 a second either way, so the two contradict each other. increase_prometheus() doesn't depend on the step.
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
curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused --output up "http://127.0.0.1:$port/health"
cat >ask.py <<'PYTHON'
import json, sys, time, urllib.parse, urllib.request

url = f"http://127.0.0.1:{sys.argv[1]}"
start = int(time.time()) // 3600 * 3600 - 7200
# A counter, scraped every 15 seconds but for 9 minutes.
samples = [(0, 1), (15, 2), (570, 50), (585, 51)]
lines = "".join(f"x {value} {(start + second) * 1000}\n" for second, value in samples)
urllib.request.urlopen(url + "/api/v1/import/prometheus", lines.encode()).read()
urllib.request.urlopen(url + "/internal/force_flush").read()

def ask(path, **parameters):
    answer = json.load(urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"))
    (series,) = answer["data"]["result"]
    return round(float(series["value"][1] if "value" in series else series["values"][0][1]), 4)

for query in ("increase(x[1m])", "rate(x[1m])", "increase_prometheus(x[1m])"):
    at = start + 585
    ranges = [f"{ask('query_range', query=query, start=at, end=at, step=step):g} ({step})" for step in ("15s", "4m", "5m")]
    print(f"{query}: instant {ask('query', query=query, time=at):g}, range", *ranges)
PYTHON
seen=$(python3 ask.py "$port")
echo "$seen"
[ "$seen" = "increase(x[1m]): instant 49, range 1 (15s) 1 (4m) 49 (5m)
rate(x[1m]): instant 0.0667, range 0.0667 (15s) 0.0667 (4m) 0.0667 (5m)
increase_prometheus(x[1m]): instant 1, range 1 (15s) 1 (4m) 1 (5m)" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
