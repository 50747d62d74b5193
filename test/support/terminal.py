"""Running a program on a terminal of a given width, as a person would, and reading what it shows."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

_SGR = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(command, columns=80, term="xterm-256color", **environment):
    """What `command` writes to standard output, with its colours; line ends are "\\n". A variable given as None is
    not set."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "TERM")}
    wanted = {"TERM": term, **environment}
    env = {**inherited, **{name: value for name, value in wanted.items() if value is not None}}
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=theirs, env=env) as process:
            os.close(theirs)
            theirs = None
            shown = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # EIO: the other side is closed
                    break
                if not part:
                    break
                shown += part
            process.wait()
    finally:
        os.close(ours)
        if theirs is not None:
            os.close(theirs)
    return shown.decode().replace("\r\n", "\n")


def without_colour(text):
    return _SGR.sub("", text)
