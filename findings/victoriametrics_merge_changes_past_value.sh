#!/usr/bin/env bash
# Finding: a sample of VictoriaMetrics (1.151.0) that was read as 0.25 is 0 after a merge, because of a later sample of its series.
#
# Guess before the run: a value is stored to some 15 digits, each for itself; what a query has answered about the past it answers again.
# Seen: the samples of a series that lie in one block share one decimal exponent, and the digits of the small ones that don't fit beside the
# largest are cut off. As long as the two were written apart, each is read as it was written. When their parts are merged, in the
# background or by /internal/force_merge as here, the older one changes: 0.25 to 0 beside 9223372036854775807, which many programs expose
# for "no limit", and 0.0123456789 to 0.012345678 beside 1e9. Beside 5368709120 a latency of 0.004321 stays. +Inf changes nothing. A float64
# with all its digits loses some at once: 0.30000000000000004 is read as 0.3. So an alert or a decision that is asked again for the same
# instant can get another answer.
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

def request(path, body=None, **parameters):
    return urllib.request.urlopen(f"{url}{path}?{urllib.parse.urlencode(parameters)}", body).read()

def write(series, value, second):
    request("/api/v1/import/prometheus", f"{series} {value} {(start + second) * 1000}\n".encode())
    request("/internal/force_flush")

def first(series):
    (found,) = json.loads(request("/api/v1/query", query=series, time=start + 1, step="15s", nocache=1))["data"]["result"]
    return found["value"][1]

pairs = {
    "unlimited": ("0.25", "9223372036854775807"),
    "large": ("0.0123456789", "1e9"),
    "size": ("0.004321", "5368709120"),
    "infinite": ("0.25", "+Inf"),
    "digits": ("0.30000000000000004", "1"),
}
seen = {}
for series, (older, later) in pairs.items():
    write(series, older, 0)
    seen[series] = [first(series)]
for series, (older, later) in pairs.items():
    write(series, later, 15)
    seen[series].append(first(series))
deadline = time.monotonic() + 60
while first("unlimited") == seen["unlimited"][0] and time.monotonic() < deadline:
    request("/internal/force_merge")
    time.sleep(0.5)
for series, (older, later) in pairs.items():
    alone, beside = seen[series]
    print(f"{older} is read as {alone}, with {later} written later {beside}, merged {first(series)}")
PYTHON
seen=$(python3 ask.py "$port")
echo "$seen"
[ "$seen" = "0.25 is read as 0.25, with 9223372036854775807 written later 0.25, merged 0
0.0123456789 is read as 0.0123456789, with 1e9 written later 0.0123456789, merged 0.012345678
0.004321 is read as 0.004321, with 5368709120 written later 0.004321, merged 0.004321
0.25 is read as 0.25, with +Inf written later 0.25, merged 0.25
0.30000000000000004 is read as 0.3, with 1 written later 0.3, merged 0.3" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
