"""The completions offer what the programs take: every option, the folders or files or words of its value. In bash; in fish and
zsh too where these are installed.

Usage: completion_test.py FOLDER HELPS PROGRAM..., where FOLDER has PROGRAM, _PROGRAM and PROGRAM.fish, built from HELPS/PROGRAM.help
"""

import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

folder, helps, programs = None, None, []

# What is typed, and what is offered, in a folder with a folder "specs" and a file "speak".
OFFERS = [
    ("rulegen --form", ["--format"]),
    ("rulegen --gener", ["--generate"]),
    ("rulegen --evaluate --format ", ["json", "text"]),
    ("rulegen --check --spec spe", ["speak", "specs"]),
    ("rulegen --check --out spe", ["specs"]),
    ("rulegen --audit spe", ["speak", "specs"]),
    ("rulegen --evaluate --wait ", []),
    ("outgrown-exporter --log.l", ["--log.level"]),
    ("outgrown-exporter --log.level ", ["debug", "error", "info", "warn"]),
    ("outgrown-exporter --log.format j", ["json"]),
    ("outgrown-exporter --block.dir spe", ["specs"]),
    ("outgrown-exporter spe", []),
]


def output(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True, **options).stdout


class Completion(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="outgrown-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        (self.place / "specs").mkdir()
        (self.place / "speak").touch()

    def test_they_are_built_from_what_the_programs_print(self):
        """But for where the lines break, and how a default is written, which versions of CLI11 differ in."""
        def words(text):
            defaults = re.sub(r"^(  --.*?) \[(\S+)\](?= |$)", r"\1=\2", text, flags=re.M)
            return re.sub(r",\s+--", ",--", defaults).split()

        for program in programs:
            kept = (helps / f"{program.name}.help").read_text(encoding="utf-8")
            self.assertEqual(words(output(program, "--help")), words(kept), "./run regenerate writes it anew")

    def test_every_option_of_the_programs_is_offered_in_every_shell(self):
        for program in programs:
            options = re.findall(r"^  (?:-h,\s*)?--([\w.-]+)", output(program, "--help"), re.M)
            self.assertGreater(len(options), 10)
            for name, pattern in ((program.name, "--{}[ \"]"), (f"_{program.name}", "--{}[=\\[]"),
                                  (f"{program.name}.fish", " -l {} ")):
                text = (folder / name).read_text()
                with self.subTest(name):
                    self.assertEqual([o for o in options if not re.search(pattern.format(re.escape(o)), text)], [])

    def test_bash(self):
        script = r"""
            words=($1); [ "${1% }" = "$1" ] || words+=("")
            COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
            compopt() { :; }
            . "$2/${words[0]}"
            "$(complete -p "${words[0]}" | sed "s/.*-F \([^ ]*\).*/\1/")"
            printf "%s\n" "${COMPREPLY[@]}"
        """
        for typed, offered in OFFERS:
            with self.subTest(typed):
                self.assertEqual(sorted(output("bash", "-c", script, "bash", typed, folder, cwd=self.place).split()), offered)
        self.assertEqual(output("bash", "-c", 'COMP_WORDS=(rulegen --format = j); COMP_CWORD=3; . "$1/rulegen"; _rulegen; '
                                'echo "${COMPREPLY[@]}"', "bash", folder).strip(), "json")

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        for typed, offered in OFFERS:
            with self.subTest(typed):
                shown = output("fish", "--no-config", "-c", f"source {shlex.quote(str(folder / typed.split()[0]))}.fish; "
                               f"complete -C {shlex.quote(typed)}", cwd=self.place, env=dict(os.environ, HOME=str(self.place)))
                self.assertEqual(sorted(line.split("\t")[0].rstrip("/=") for line in shown.splitlines()), offered)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        """At a terminal, since zsh completes nowhere else: what one Tab makes of the line."""
        for typed, offered in OFFERS:
            if len(offered) != 1:
                continue
            with self.subTest(typed):
                self.assertIn(f"<{typed.rsplit(' ', 1)[0]} {offered[0]}", self.line_after_tab(typed))

    def line_after_tab(self, typed):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.place)
            os.execvpe("zsh", ["zsh", "-f", "-i"], dict(os.environ, TERM="dumb", HOME=str(self.place)))
        # Tab completes, and the next key shows the line that there is then.
        os.write(terminal, f"PS1=; fpath=({shlex.quote(str(folder))} $fpath); autoload -U compinit; compinit -u -D; "
                 "show() { print -r -- $'\\n'\"<$BUFFER>\"; exit }; zle -N show; bindkey '^G' show; "
                 f"bindkey '^I' complete-word\n{typed}\t\7".encode())
        shown = b""
        try:
            while select.select([terminal], [], [], 60)[0] and (part := os.read(terminal, 4096)):
                shown += part
        except OSError:
            pass  # the shell has ended
        os.close(terminal)
        os.waitpid(pid, 0)
        return shown.decode()


if __name__ == "__main__":
    folder, helps, *programs = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    unittest.main(argv=sys.argv[:1], verbosity=2)
