"""Clients that keep a server from its work: attackers.py KIND COUNT PORT.

They print a line once COUNT have connected, go on until SIGTERM, and then print how many seconds the longest of their connections lasted
that was hung up on, and how many they made in all. Who is hung up on comes again.
"""

import collections
import contextlib
import resource
import selectors
import signal
import socket
import sys
import time

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
# Each address has some 28,000 ports, and each port waits a minute after its connection was closed.
SOURCES = [f"127.0.1.{number}" for number in range(1, 201)]
SO_BIND_NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT (linux/in.h): connect(2) chooses the port, by both ends


class Attackers:
    """COUNT clients that connect and send nothing."""

    at_once = b""  # what each one sends
    turn_seconds = None  # how often each one does something more
    away_seconds = 0.0  # until one that was hung up on comes again
    buffer_bytes = None

    def __init__(self, count, port):
        self.count, self.port = count, port
        self.selector = selectors.DefaultSelector()
        self.turns, self.away = collections.deque(), collections.deque()
        self.opened, self.since, self.longest_seconds = 0, {}, 0.0

    def come(self):
        client = socket.socket()
        client.setblocking(False)
        if self.buffer_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer_bytes)
        client.setsockopt(socket.IPPROTO_IP, SO_BIND_NO_PORT, 1)
        client.bind((SOURCES[self.opened % len(SOURCES)], 0))
        client.connect_ex(("127.0.0.1", self.port))
        self.selector.register(client, selectors.EVENT_WRITE)
        self.opened += 1
        if self.opened == self.count:
            print("all have come", flush=True)
        self.since[client] = time.monotonic()

    def leave(self, client):
        with contextlib.suppress(KeyError):  # a reader is not waited for
            self.selector.unregister(client)
        client.close()
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - self.since.pop(client))

    def go(self, client):
        self.leave(client)
        self.away.append(time.monotonic() + self.away_seconds)

    def turn(self, client):
        """What a client does every `turn_seconds`; OSError if it was hung up on."""

    def event(self, client, events):
        if not events & selectors.EVENT_WRITE:  # it was hung up on, or told that its request is none
            self.go(client)
            return
        client.send(self.at_once)  # OSError if the connection failed
        self.selector.modify(client, selectors.EVENT_READ)
        if self.turn_seconds:
            self.turns.append((time.monotonic() + self.turn_seconds, client))

    def step(self, wait_seconds):
        for key, events in self.selector.select(wait_seconds):
            try:
                self.event(key.fileobj, events)
            except OSError:
                self.go(key.fileobj)
        while self.turns and self.turns[0][0] <= time.monotonic():
            client = self.turns.popleft()[1]
            if client.fileno() < 0:
                continue
            try:
                self.turn(client)
            except BlockingIOError:
                pass
            except OSError:
                self.go(client)
                continue
            self.turns.append((time.monotonic() + self.turn_seconds, client))
        while self.away and self.away[0] <= time.monotonic():
            self.away.popleft()
            self.come()

    def run(self):
        for number in range(self.count):
            self.come()
            if number % 50 == 0:
                self.step(0)
        while True:
            self.step(0.01)


class Idle(Attackers):
    away_seconds = 2.0


class Begun(Idle):
    """Idle from the first byte on."""

    at_once = b"G"


class SlowSenders(Attackers):
    at_once = REQUEST + b"X: "
    turn_seconds = 0.2

    def turn(self, client):
        client.send(b"x")


class Connects(Attackers):
    """COUNT new ones a second; each stays until it is hung up on."""

    at_once = REQUEST

    def go(self, client):
        self.leave(client)

    def run(self):
        start = time.monotonic()
        while True:
            while self.opened < (time.monotonic() - start) * self.count:
                self.come()
            self.step(0.002)


class SlowReaders(Attackers):
    """They take a few bytes a second."""

    at_once = REQUEST + b"\r\n"
    turn_seconds = 0.5
    turn_bytes = 4
    buffer_bytes = 4096

    def event(self, client, events):
        super().event(client, events)
        self.selector.unregister(client)  # there is always something to read

    def turn(self, client):
        # A reset is seen at once, before what is left in the socket's buffer.
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or not client.recv(self.turn_bytes):
            raise ConnectionResetError


class SteadyReaders(SlowReaders):
    """Never so slow that a single wait for them would be long."""

    turn_seconds = 0.2
    turn_bytes = 8192


KINDS = {"idle": Idle, "begun": Begun, "slow_senders": SlowSenders, "connects": Connects, "slow_readers": SlowReaders, "steady_readers": SteadyReaders}


def main(kind, count, port):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    attackers = KINDS[kind](int(count), int(port))

    def end(*_):
        print(f"{attackers.longest_seconds:.1f}", attackers.opened, flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    attackers.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
