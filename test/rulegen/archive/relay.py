"""A relay between rulegen and Prometheus that holds one request for as long as a test wants."""

import contextlib
import http.server
import threading
import urllib.error
import urllib.request

import servers


class Relay(http.server.BaseHTTPRequestHandler):
    """Hands requests on to Prometheus, and holds the `hold_at`th for as long as the test wants."""

    protocol_version = "HTTP/1.1"

    def relay(self):
        state = self.server.state
        with state["lock"]:
            state["count"] += 1
            held = state["count"] == state["hold_at"]
        if held:
            state["reached"].set()
            state["release"].wait(60)
        length = int(self.headers.get("Content-Length", 0))
        request = urllib.request.Request(state["url"] + self.path, self.rfile.read(length) if length else None)
        try:
            with servers._opener.open(request, timeout=30) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client was killed

    do_GET = do_POST = relay

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def relay(url):
    """The state and the URL of a relay to that server."""
    state = {"lock": threading.Lock(), "count": 0, "hold_at": 0, "url": url}
    relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    relay.state = state
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    try:
        yield state, f"http://127.0.0.1:{relay.server_address[1]}"
    finally:
        relay.shutdown()
        relay.server_close()
