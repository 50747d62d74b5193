"""What the build installs, in a separate folder as a package would put it under /, and programs built against it."""

import os
import shlex
import subprocess
import sys

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command, **options):
    """The standard output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(str(part) for part in command)}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed:
    """`meson install` of the libraries and headers of `build` into the empty folder `folder`."""

    def __init__(self, build, folder):
        run("meson", "install", "-C", build, "--no-rebuild", "--destdir", folder, "--tags", "runtime,devel")
        (description,) = folder.rglob("outgrown.pc")
        self.library_folder = description.parent.parent
        self.environment = dict(
            os.environ, PKG_CONFIG_PATH=str(description.parent), PKG_CONFIG_SYSROOT_DIR=str(folder),
            LD_LIBRARY_PATH=str(self.library_folder))

    def flags(self, *packages):
        return shlex.split(run("pkg-config", "--cflags", "--libs", *packages, env=self.environment))

    def libraries(self, name):
        return sorted(path.name for path in self.library_folder.glob(f"{name}.so*"))

    def compile(self, compiler, source, packages, program):
        """Builds `source` against the installed `packages`, without a warning."""
        flags = [flag for package in packages for flag in self.flags(package)]
        run(*compiler, *STRICT, source, *flags, "-pthread", "-o", program)
