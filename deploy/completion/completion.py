"""A shell's completion of a program's options, from what its --help prints.

Usage: completion.py bash|zsh|fish PROGRAM HELP_FILE
"""

import dataclasses
import re
import sys

# What the placeholder of an option's value stands for. Every other value is free, or its description lists the choices.
KINDS = {"FILE": "file", "DIR": "folder"}


@dataclasses.dataclass
class Option:
    name: str
    value: str  # the placeholder; empty: a flag
    text: str
    repeatable: bool

    @property
    def kind(self):
        return KINDS.get(self.value, "choice" if self.choices else "free") if self.value else "flag"

    @property
    def choices(self):
        """`debug, info, warn or error` as a list; empty if the description is anything else."""
        listed = re.fullmatch(r"((?:\w+(?: \(default\))?, )*)(\w+)(?: \(default\))? or (\w+)", self.text)
        return re.findall(r"(\w+)(?: \(default\))?, ", listed[1]) + [listed[2], listed[3]] if listed else []


def parse(text):
    """The options that a help text of CLI11 explains, and whether the program takes files as arguments."""
    options = []
    lines = text.splitlines()
    for line, following in zip(lines, lines[1:] + [""]):
        if not re.match(r"  -", line):
            continue
        head, _, description = re.sub(r" {2,}", "\0", line.strip()).partition("\0")
        names, _, value = head.partition(" ")
        options.append(Option(names.split(",")[-1] if "," in names else names, re.match(r"[A-Z]*", value)[0],
                              description or following.strip(), value.endswith("...")))
    return options, bool(re.search(r"^  [A-Z]+ FILE ", text, re.M))


def bash(program, options, files):
    of_kind = {}
    for option in options:
        of_kind.setdefault((option.kind, " ".join(option.choices) if option.kind == "choice" else ""), []).append(option.name)
    action = {"file": "_files -f", "folder": "_files -d", "free": ":"}
    function = "_" + program.replace("-", "_")
    cases = "".join(
        f"    {' | '.join(names)}) "
        + (f'mapfile -t COMPREPLY < <(compgen -W "{words}" -- "$word")' if kind == "choice"
           else action[kind].replace("_files", f"{function}_files")) + " ;;\n"
        for (kind, words), names in of_kind.items() if kind != "flag")
    argument = f"else\n        {function}_files -f\n      " if files else ""
    return f"""# Completion of {program} for bash.
{function}_files() {{
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}}

{function}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}}
  # "--format=j" is three words.
  if [ "$word" = "=" ]; then word=""; elif [ "$option" = "=" ]; then option=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
  COMPREPLY=()
  case $option in
{cases}    *)
      if [ "${{word:0:1}}" = "-" ]; then
        mapfile -t COMPREPLY < <(compgen -W "{' '.join(option.name for option in options)}" -- "$word")
      {argument}fi
      ;;
  esac
}}
complete -F {function} {program}
"""


def zsh(program, options, files):
    def quoted(text):
        return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")

    def spec(option):
        action = {"file": ":file:_files", "folder": ":folder:_files -/", "free": f":{option.value.lower()}:", "flag": "",
                  "choice": f":{option.value.lower()}:({' '.join(option.choices)})"}[option.kind]
        return (f"  '{'*' if option.repeatable else ''}{option.name}{'=' if option.value else ''}[{quoted(option.text)}]"
                f"{action}'")

    specs = [spec(option) for option in options] + (["  '*:file:_files'"] if files else [])
    return f"#compdef {program}\n# Completion of {program} for zsh.\n_arguments \\\n" + " \\\n".join(specs) + "\n"


def fish(program, options, files):
    def line(option):
        action = {"file": " -r -F", "folder": ' -x -a "(__fish_complete_directories)"', "free": " -x", "flag": "",
                  "choice": f' -x -a "{" ".join(option.choices)}"'}[option.kind]
        text = option.text.replace("\\", "\\\\").replace("'", "\\'")
        return f"complete -c {program} -l {option.name[2:]}{action} -d '{text}'\n"

    return (f"# Completion of {program} for fish.\n" + ("" if files else f"complete -c {program} -f\n")
            + "".join(map(line, options)))


def main():
    shell, program, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        options, files = parse(file.read())
    if len(options) < 5:
        sys.exit(f"completion.py: {path} is no help text: {len(options)} options")
    sys.stdout.write({"bash": bash, "zsh": zsh, "fish": fish}[shell](program, options, files))


if __name__ == "__main__":
    main()
