"""A Debian of its own in a folder, and a system that runs in one.

Each command in a root has mount and process namespaces of its own, which end with it, so that nothing stays mounted or running.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import servers  # noqa: E402

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"}
# An answer to apt's question, and "keep" to dpkg's about a changed configuration file.
APT = 'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\nDpkg::Options { "--force-confold"; };\n'
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")

ENTER = """
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/var/cache/apt/archives"
exec chroot "$1" sh -euc "cd \\"\\$1\\"; shift; exec \\"\\$@\\"" sh "${@:3}"
"""

# systemd as the first process, in a network that has nothing but loopback.
BOOT = """
set -e
groups=$(mktemp -d)
mount -t cgroup2 cgroup2 "$groups"
mkdir "$groups/$3"
echo $$ >"$groups/$3/cgroup.procs"
exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child bash -euc '
mount --bind "$1" "$1"
mount --bind "$2" "$1/var/cache/apt/archives"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --bind dev dev
ip link set lo up
pivot_root . mnt
umount -l /mnt
exec env -i container=outgrown /lib/systemd/systemd --log-target=null --show-status=no --unit=multi-user.target
' bash "$@"
"""

REMOVE_GROUP = """
mount -t cgroup2 cgroup2 "$1"
[ ! -d "$1/$2" ] || find "$1/$2" -depth -type d -exec rmdir {} +
"""


class Failed(Exception):
    pass


def run(*command, check=True, **options):
    """What a command prints; `check`: it must succeed."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout[-6000:]}")
    return done.stdout


def missing():
    """Why no root can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "not root"
    for tool in ("debootstrap", "buildah", "unshare", "nsenter", "ip"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "sh", "-c", "mount -t proc proc /proc && mount -t cgroup2 cgroup2 /mnt"], capture_output=True,
                          text=True, check=False)
    return f"no namespaces: {done.stderr.strip()}" if done.returncode else ""


def mirror():
    """The mirror of Debian that this machine's apt uses."""
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(RELEASE)", "Created-By: Packages"],
                             capture_output=True, text=True, check=False).stdout
    found = re.search(r"^Debian (\S+) (?!\S*security)", targets, re.M)
    return found[1] if found else "http://deb.debian.org/debian"


class Root:
    def __init__(self, folder, archives):
        self.folder, self.archives = pathlib.Path(folder), pathlib.Path(archives)

    @classmethod
    def bootstrap(cls, release, folder, archives):
        """`archives`: where the packages that are downloaded are kept, for all roots of this release."""
        proxy = run("apt-config", "shell", "proxy", "Acquire::http::Proxy").strip().removeprefix("proxy=").strip("'")
        environment = dict(os.environ, **({"http_proxy": proxy} if proxy else {}))
        archives.mkdir()
        # procps, as every installed system has it: Debian's units of Prometheus and Alertmanager reload by its kill.
        run("debootstrap", "--variant=minbase", "--include=sudo,ca-certificates,procps", release, folder, mirror(), env=environment)
        settings = APT + (f'Acquire::http::Proxy "{proxy}";\n' if proxy else "")
        (folder / "etc/apt/apt.conf.d/outgrown").write_text(settings)
        (folder / "etc/hostname").write_text("outgrown\n")
        (folder / "etc/hosts").write_text("127.0.0.1 localhost outgrown\n")
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, folder / CERTIFICATES.relative_to("/"))
        root = cls(folder, archives)
        root.run("apt-get", "update")
        return root

    def copy(self, folder):
        run("cp", "--archive", "--reflink=auto", self.folder, folder)
        return Root(folder, self.archives)

    def run(self, *command, folder="/", check=True, **variables):
        """What a command prints that runs as root in `folder`."""
        return run("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", ENTER, "bash", self.folder,
                   self.archives, folder, *command, check=check, env=dict(ENVIRONMENT, **variables))

    @contextlib.contextmanager
    def booted(self):
        """The system that runs in this root. Its network is its own; packages have been downloaded before."""
        group = f"outgrown-{os.getpid()}"
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "bash", "-c", BOOT, "bash",
                                    self.folder, self.archives, group], stdin=subprocess.DEVNULL)
        try:
            yield System(process)
        finally:
            process.kill()
            process.wait()
            with tempfile.TemporaryDirectory() as place:
                servers.wait_for("the groups' end", lambda: subprocess.run(
                    ["unshare", "--mount", "bash", "-euc", REMOVE_GROUP, "bash", place, group], capture_output=True,
                    check=False).returncode == 0)


class System:
    def __init__(self, process):
        def first():
            text = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            return text[0] if text and pathlib.Path(f"/proc/{text[0]}/comm").read_text() == "systemd\n" else None

        servers.wait_for("systemd", lambda: process.poll() is not None or first())
        if process.poll() is not None:
            raise Failed("systemd doesn't start here")
        self.first = first()
        servers.wait_for("the system", lambda: self.run("systemctl", "is-system-running", check=False).split()[-1:] in
                         (["running"], ["degraded"]))

    def run(self, *command, check=True, **variables):
        return run("nsenter", "--target", self.first, "--all", "--root", "--wdns=/", *command, check=check,
                   env=dict(ENVIRONMENT, **variables))
