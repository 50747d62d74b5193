"""The servers that people run today. Debian 12 has those of 2023, so these are built with Go from the module proxy, once, into the
user's cache; Go checks each module against its checksum database.

VERSIONS is the one place that says which. Usage: programs.py [NAME...] builds them, all by default, and prints their folders; exit status
77 if there is no Go.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # meson's and automake's word for it
# A release 3.Y.Z of Prometheus is the module's v0.3YY.Z.
VERSIONS = {
    "prometheus": "v0.316.0",
    "alertmanager": "v0.35.0",
    "victoria-metrics": "v1.151.0",
    "thanos": "v0.42.0",
}


# Measured beside rulegen by `./run bench`, and no server: not among those that are built by default.
PYRRA = "v0.9.5"


class CannotBuild(Exception):
    """Go has failed; the text is the end of what it said."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A module and its programs: the file's name, as in Debian, by the folder of its main package."""
    module: str
    programs: dict
    tags: str = ""  # of the build
    pages: tuple = ()  # folders of its web pages, which are made with Node and embedded; here they are empty


SOURCES = {
    # remove_all_sd: without service discovery, nine tenths of what there is to compile.
    "prometheus": Source("github.com/prometheus/prometheus",
                         {"prometheus": "./cmd/prometheus", "promtool": "./cmd/promtool"}, "remove_all_sd"),
    "alertmanager": Source("github.com/prometheus/alertmanager",
                           {"prometheus-alertmanager": "./cmd/alertmanager", "amtool": "./cmd/amtool"}, "",
                           ("ui/app/dist/elm", "ui/app/dist/mantine")),
    "victoria-metrics": Source("github.com/VictoriaMetrics/VictoriaMetrics",
                               {"victoria-metrics": "./app/victoria-metrics", "vmalert": "./app/vmalert"}),
    # slicelabels: it takes the memory of one kind of labels for another's, and crashes without.
    "thanos": Source("github.com/thanos-io/thanos", {"thanos": "./cmd/thanos"}, "slicelabels"),
}


def cache():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "outgrown" / "servers"


def go_is_here():
    return shutil.which("go") is not None


def _go(*arguments, cwd=None):
    # A work space names modules that are not part of this one.
    done = subprocess.run(["go", *arguments], cwd=cwd, env={**os.environ, "GOWORK": "off", "GOFLAGS": "-buildvcs=false"},
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotBuild(f"go {' '.join(arguments)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _build(source, version, folder):
    """As the project builds it, with its own replacements and checksums; those hold for a main module alone, so that `go get` of it
    would choose other versions."""
    with tempfile.TemporaryDirectory() as temporary:
        empty = pathlib.Path(temporary)
        downloaded = json.loads(_go("mod", "download", "-json", f"{source.module}@{version}", cwd=empty))
        tree = empty / "tree"
        shutil.copytree(downloaded["Dir"], tree)
        for path in [tree, *tree.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)  # the module cache is read-only
        for page in source.pages:
            (tree / page).mkdir(parents=True)
            (tree / page / "index.html").touch()
        for name, package in source.programs.items():
            _go("build", "-p", "2", "-trimpath", "-tags", source.tags, "-ldflags", "-s -w", "-o", str(folder / name), package,
                cwd=tree)


def pyrra():
    """The folder with pyrra, as folder_of."""
    return _folder_of("pyrra", PYRRA, Source("github.com/pyrra-dev/pyrra", {"pyrra": "."}, "", ("ui/build",)))


def folder_of(name):
    """The folder with that server's programs, built if they are not in the cache. None: there is no Go to build them with.
    CannotBuild."""
    return _folder_of(name, VERSIONS[name], SOURCES[name])


def _folder_of(name, version, source):
    folder = cache() / "-".join(filter(None, [name, version, source.tags]))
    if folder.exists():
        return folder
    if not go_is_here():
        return None
    print(f"Building {name} {version}", file=sys.stderr, flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as half:
        made = pathlib.Path(half) / "made"
        made.mkdir()
        _build(source, version, made)
        made.rename(folder)
    return folder


def main():
    for name in sys.argv[1:] or VERSIONS:
        try:
            folder = folder_of(name)
        except CannotBuild as error:
            sys.exit(f"programs: {name} {VERSIONS[name]}: {error}")
        if folder is None:
            print(f"skipped: {name} {VERSIONS[name]} is not in {cache()}, and there is no Go to build it with", file=sys.stderr)
            sys.exit(SKIPPED)
        print(folder)


if __name__ == "__main__":
    main()
