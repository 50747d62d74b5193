"""A real PostgreSQL and Debian's exporter for it, for one test: free loopback ports, a data folder of their own."""

import os
import pathlib
import pwd
import shutil
import subprocess

import servers

USER = "postgres"  # PostgreSQL refuses to run as root


def binaries():
    """The folder of the newest installed PostgreSQL's programs; None if it or the exporter is not installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return found[-1] if found and shutil.which("prometheus-postgres-exporter") else None


def _as_user(command):
    """The command as the user `postgres` where this is root, without a process in between that would miss signals."""
    if os.geteuid() != 0:
        return [str(word) for word in command]
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--pdeathsig=INT",
            *(str(word) for word in command)]


class Postgresql(servers.Process):
    """An empty server that trusts the loopback. `folder` must let the user `postgres` pass."""

    def __init__(self, folder):
        self.programs = binaries()
        data = pathlib.Path(folder) / "postgresql"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(data, user.pw_uid, user.pw_gid)
        self.port = servers.free_port()
        subprocess.run(_as_user([self.programs / "initdb", "--pgdata", data, "--auth=trust", "--no-sync",
                                 f"--username={USER}", "--locale=C", "--encoding=UTF8"]),
                       cwd=data, check=True, capture_output=True)
        super().__init__("postgresql", _as_user([
            self.programs / "postgres", "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={data}", "-c", "fsync=off"]), folder)
        try:
            servers.wait_for("PostgreSQL", lambda: self.call("pg_isready").returncode == 0, alive=[self])
        except servers.NotReady:
            self.stop()
            raise

    def command(self, program, *arguments):
        """One of PostgreSQL's own clients, connected to this server."""
        return ["env", "PGHOST=127.0.0.1", f"PGPORT={self.port}", f"PGUSER={USER}", "PGDATABASE=postgres",
                self.programs / program, *arguments]

    def call(self, program, *arguments):
        return subprocess.run(self.command(program, *arguments), capture_output=True, text=True, check=False)


def exporter(folder, postgresql):
    """prometheus-postgres-exporter on a free port, as Debian ships it."""
    port = servers.free_port()
    source = f"postgresql://{USER}@127.0.0.1:{postgresql.port}/postgres?sslmode=disable"
    return servers.Server("postgres-exporter", [
        "prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{port}"], folder, port, "/metrics",
        env={"DATA_SOURCE_NAME": source})
