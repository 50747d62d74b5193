#!/usr/bin/env bash
# Finding: of a timer that is sampled at 0.6 statsd_exporter (0.31.0) counts 60 of 100, while the counter in the same packet is right.
#
# Guess before the run: a sampled event stands for 1 / rate of them, for a counter as for the _count of a timer, a histogram or a distribution, up to
# a rounding of one at the end.
# Seen: the quotient is rounded down for each event: above 0.5 a timer isn't scaled at all, at 0.4 it counts twice instead of 2.5 times. Only
# 1/2, 1/3, 1/4 and so on are near, and 0.3 and 0.7 are not of these. Counters are divided as floating-point numbers, and exact. So a
# throughput that is read from a histogram's _count is up to half too small, an error ratio of a counter over that _count up to twice too
# large, and in a histogram that several programs share those with the odd rates have too little weight in every quantile. The mean is
# right, as _sum lacks as much.
#
# Needs Go and its module proxy, and python3. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN="$folder" go install github.com/prometheus/statsd_exporter@v0.31.0
cat >ports.py <<'PYTHON'
import socket

tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for each in (tcp, udp):
    each.bind(("127.0.0.1", 0))
print(tcp.getsockname()[1], udp.getsockname()[1])
PYTHON
read -r web statsd <<<"$(python3 ports.py)"
./statsd_exporter --web.listen-address="127.0.0.1:$web" --statsd.listen-udp="127.0.0.1:$statsd" --statsd.listen-tcp= >log 2>&1 &
server=$!
cat >send.py <<'PYTHON'
import socket, sys, time, urllib.request

web, statsd = sys.argv[1:]
SENT = 60

def shown():
    page = urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics").read().decode()
    return {line.split()[0].partition("{")[0]: float(line.split()[1]) for line in page.splitlines() if not line.startswith("#")}

deadline = time.monotonic() + 60
while True:
    try:
        shown()
        break
    except OSError:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(("127.0.0.1", int(statsd)))
rates = (1, 0.9, 0.6, 0.5, 0.4, 0.3, 0.1)
for rate in rates:
    name = str(rate).replace(".", "_")
    for packet in range(SENT):
        sender.send("\n".join(f"{kind}_{name}:{1 if kind == 'c' else 100}|{kind}|@{rate}" for kind in ("c", "ms", "h", "d")).encode())
        # One by one, so that no packet is dropped.
        while shown().get("statsd_exporter_udp_packets_total", 0) < rates.index(rate) * SENT + packet + 1:
            time.sleep(0.001)
last = f"d_{str(rates[-1]).replace('.', '_')}_count"
while shown().get(last, 0) < SENT / rates[-1] and time.monotonic() < deadline + 60:
    time.sleep(0.1)
samples = shown()
for rate in rates:
    name = str(rate).replace(".", "_")
    print(f"{SENT} sampled at {rate}: counter {samples[f'c_{name}']:.0f}",
          *(f"{kind} {samples[f'{kind}_{name}_count']:.0f}" for kind in ("ms", "h", "d")))
PYTHON
seen=$(python3 send.py "$web" "$statsd")
echo "$seen"
[ "$seen" = "60 sampled at 1: counter 60 ms 60 h 60 d 60
60 sampled at 0.9: counter 67 ms 60 h 60 d 60
60 sampled at 0.6: counter 100 ms 60 h 60 d 60
60 sampled at 0.5: counter 120 ms 120 h 120 d 120
60 sampled at 0.4: counter 150 ms 120 h 120 d 120
60 sampled at 0.3: counter 200 ms 180 h 180 d 180
60 sampled at 0.1: counter 600 ms 600 h 600 d 600" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
