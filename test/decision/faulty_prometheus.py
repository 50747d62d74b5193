"""A Prometheus that lies, breaks off or hangs, on one kind of query at a time; the other queries it answers well.

What stores it serves is its world's (faulty_stores.py).
"""

import gzip
import http.server
import json
import threading
import urllib.parse

from faulty_stores import CHECKPOINT, E, POSTGRESQL, STEP, T, rfc3339

def each_series(change):
    """A fault that changes every series of an answer."""
    def fault(document):
        document["data"]["result"] = [changed for series in document["data"]["result"] for changed in change(series)]
        return document
    return fault


def with_values(change):
    """A fault that changes the list of a series' samples; a vector's one sample counts as such a list."""
    def of_series(series):
        if "value" in series:
            series["value"] = change([series["value"]])[-1]
        else:
            series["values"] = change(series["values"])
        return [series]
    return each_series(of_series)


def other_label_name(series):
    metric = dict(series["metric"])
    metric["db"] = metric.pop(store_label(series))
    return [{**series, "metric": metric}]


def store_label(series):
    return next(world.label for world in (CHECKPOINT, POSTGRESQL) if world.label in series["metric"])


def replaced(**members):
    return lambda document: {**document, **members}


def replaced_data(**members):
    return lambda document: {**document, "data": {**document["data"], **members}}


def value_of_newest(text):
    return with_values(lambda values: values[:-1] + [[values[-1][0], text]])


# Faults of the document: the answer goes out well-formed, and says something else.
DOCUMENT_FAULTS = {
    "empty result": each_series(lambda series: []),
    "null result": replaced_data(result=None),
    "object result": replaced_data(result={}),
    "no result": lambda document: {"status": "success", "data": {"resultType": document["data"]["resultType"]}},
    "no data": lambda document: {"status": "success"},
    "status error with 200": lambda document: {"status": "error", "errorType": "timeout", "error": "query timed out"},
    "status missing": lambda document: {"data": document["data"]},
    "scalar": replaced_data(resultType="scalar", result=[T, "0"]),
    "string": replaced_data(resultType="string", result=[T, "healthy"]),
    "other result type": replaced_data(resultType="streams"),
    "warnings": replaced(warnings=["one store gateway did not answer"]),
    "isPartial": replaced(isPartial=True),
    "NaN": value_of_newest("NaN"),
    "+Inf": value_of_newest("+Inf"),
    "-Inf": value_of_newest("-Inf"),
    "value is no number": value_of_newest("0.02 or so"),
    "value is a JSON number": value_of_newest(0),
    "value is null": value_of_newest(None),
    "value is hexadecimal": value_of_newest("0x10"),
    "stale": with_values(lambda values: [v for v in values if v[0] < E - 2 * STEP] or [[E - 3600, "1"]]),
    "only old samples": with_values(lambda values: [[v[0] - 7200, v[1]] for v in values]),
    "samples of the future": with_values(lambda values: [[v[0] + 3600, v[1]] for v in values]),
    "a hole": with_values(lambda values: values[:-4] + values[-2:] if len(values) > 4 else values),
    "one sample": with_values(lambda values: values[-1:]),
    "unsorted": with_values(lambda values: values[::-1]),
    "the same time twice": with_values(lambda values: values + values[-1:]),
    "pair of three": with_values(lambda values: [v + ["1"] for v in values]),
    "no samples": with_values(lambda values: [] if len(values) > 1 else [[]]),
    "duplicated series": each_series(lambda series: [series, dict(series)]),
    "replicas": each_series(lambda series: [
        {**series, "metric": {**series["metric"], "replica": replica}} for replica in "ab"]),
    "other label name": each_series(other_label_name),
    "other label value": each_series(lambda series: [
        {**series, "metric": {**series["metric"], store_label(series): "of-somebody-else"}}]),
    "no labels": each_series(lambda series: [{**series, "metric": {}}]),
    "other series": each_series(lambda series: [{**series, "metric": {**series["metric"], "__name__": "up"}}]),
    "native histograms": each_series(lambda series: [
        {"metric": series["metric"], "histograms": [[E, {"count": "1", "sum": "1", "buckets": []}]]}]),
}


def raw(payload, status=200, headers=(), length=None):
    """A fault that sends these bytes (made from the good answer's)."""
    def send(handler, good):
        body = payload(good)
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if length is None else length(len(body))))
        handler.end_headers()
        handler.wfile.write(body)
    return send


def hang(handler, good):
    handler.server.released.wait(600)  # longer than any test: whoever has no timeout of its own is seen to hang


def drip(handler, good):
    handler.send_response(200)
    handler.end_headers()
    for byte in good:
        handler.wfile.write(bytes([byte]))
        if handler.server.released.wait(1):  # less than the timeout of a query, which counts for all of it
            return


def huge(handler, good):
    """The good answer, padded with a gigabyte of spaces."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(good[:-1])
    for _ in range(1024):
        handler.wfile.write(b" " * 1048576)
    handler.wfile.write(good[-1:])
    handler.close_connection = True


def redirect(status):
    """To a server that gives the good answer."""
    def send(handler, good):
        raw(lambda _: good, status, [("Location", handler.server.elsewhere + handler.path)])(handler, good)
    return send


def close_at_once(handler, good):
    handler.close_connection = True


def no_http(handler, good):
    handler.wfile.write(good)
    handler.close_connection = True


# Faults of the transfer.
TRANSFER_FAULTS = {
    "closed without an answer": close_at_once,
    "no HTTP": no_http,
    "hung": hang,
    "dripping": drip,
    "huge body": huge,
    "huge header": raw(lambda good: good, headers=[("X-Large", "x" * 400_000)]),
    **{f"redirect {status}": redirect(status) for status in (301, 302, 303, 307, 308)},
    "401": raw(lambda good: b"Unauthorized", 401),
    "404": raw(lambda good: b"404 page not found", 404),
    "422": raw(lambda good: b'{"status":"error","errorType":"execution","error":"too many samples"}', 422),
    "500": raw(lambda good: good, 500),
    "503": raw(lambda good: good, 503),
    "204": raw(lambda good: b"", 204),
    "206": raw(lambda good: good, 206),
    "empty body": raw(lambda good: b""),
    "HTML": raw(lambda good: b"<html><body>Welcome to the captive portal</body></html>"),
    "cut JSON": raw(lambda good: good[:-20]),
    "closed in the body": raw(lambda good: good[:-20], length=lambda size: size + 20),
    "trailing garbage": raw(lambda good: good + b"{}"),
    "two documents": raw(lambda good: good + good),
    "byte order mark and garbage": raw(lambda good: b"\xef\xbb\xbf\xef" + good),
    "invalid UTF-8": raw(lambda good: good.replace(b'"app"', b'"a\xffp"')),
    "NUL bytes": raw(lambda good: good + b"\0" * 100),
    "deeply nested": raw(lambda good: b"[" * 1_000_000),
    "a key twice": raw(lambda good: good.replace(b'{"status":', b'{"status": "error", "status":', 1)),
    "gzip unasked": raw(lambda good: gzip.compress(good, mtime=0), headers=[("Content-Encoding", "gzip")]),
    "gzip garbage": raw(lambda good: b"\x1f\x8b\x08garbage", headers=[("Content-Encoding", "gzip")]),
}

# Faults of the document that says when the server started.
START_FAULTS = {
    "no data": lambda document: {"status": "success"},
    "null data": lambda document: {"status": "success", "data": None},
    "status error with 200": lambda document: {**document, "status": "error"},
    "status missing": lambda document: {"data": document["data"]},
    "other data": replaced(data={"goroutineCount": 42}),
    "no time": replaced(data={"startTime": "this morning"}),
    "a number": replaced(data={"startTime": T - 60}),
    "another day": replaced(data={"startTime": rfc3339(T + 86400)}),
}

# What looks odd and is right: these must not keep a decision from being made.
HARMLESS = {
    "infos": replaced(infos=["PromQL info: metric might not be a counter"]),
    "analysis": replaced_data(analysis={"name": "[scan]", "children": [{"result": [{}]}]}),  # Thanos
    "stats": replaced(stats={"timings": {"a": [1, 2]}}),
    "extra label": each_series(lambda series: [
        {**series, "metric": {**series["metric"], "cluster": "eu"}}]),
    "empty warnings": replaced(warnings=[]),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are written apart

    def do_GET(self):
        kind = "rules" if self.path.startswith("/api/v1/rules") else "start"
        self.server.asked.append(kind)
        self.answer(self.server.world.good_answer(kind, ""), kind)

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = urllib.parse.parse_qs(form)["query"][0]
        kind = self.server.world.kind_of(query, self.server.asked)
        self.server.asked.append(kind)
        self.server.headers.append(dict(self.headers))
        if self.server.tenant is not None and self.headers.get("X-Scope-OrgID") != self.server.tenant:
            raw(lambda good: b"no org id", 401)(self, b"")  # as Mimir answers
            return
        self.answer(self.server.world.good_answer(kind, query), kind)

    def answer(self, document, kind):
        fault_kind, fault = self.server.fault
        document_faults = START_FAULTS if kind == "start" else {**DOCUMENT_FAULTS, **HARMLESS}
        try:
            if fault is None or kind != fault_kind:
                raw(lambda good: good)(self, json.dumps(document).encode())
            elif fault in TRANSFER_FAULTS:
                TRANSFER_FAULTS[fault](self, json.dumps(document).encode())
                self.close_connection = True
            else:
                raw(lambda good: good)(self, json.dumps(document_faults[fault](document)).encode())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has given up, as it should

    def log_message(self, *_):
        pass


class FaultyPrometheus(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, world=CHECKPOINT):
        super().__init__(("127.0.0.1", 0), Handler)
        self.world = world
        self.fault = (None, None)
        self.asked = []
        self.headers = []
        self.elsewhere = None  # the URL to which it redirects
        self.tenant = None  # which X-Scope-OrgID it wants; None: none
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def handle_error(self, request, client_address):
        pass  # a client that gives up is what is tested

    def set_fault(self, kind, fault):
        self.released.set()
        self.released = threading.Event()
        self.fault = (kind, fault)
        self.asked = []
        self.headers = []

    def stop(self):
        self.released.set()
        self.shutdown()
        self.server_close()
