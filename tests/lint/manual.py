#!/usr/bin/python3
"""Compares what the programs say of their options with the manual pages: each option of --help is in its page, with its letter, in
the part that is about its command; each option of a page is one of the program's."""
import pathlib
import re
import subprocess
import sys

MAN = pathlib.Path(__file__).resolve().parents[2] / "man"
HELP_ROW = re.compile(r"^  (?:-(\w), |    )--([a-z0-9-]+)", re.M)
COMMAND_ROW = re.compile(r"^  ([a-z]+) +\S", re.M)
FLAG = re.compile(r"\bFl (?:Fl |-)?([A-Za-z0-9-]+)|[|,] -([a-z-]+)")
# said once for all commands
EVERYWHERE = {"help", "h"}


def help_of(*argv):
    done = subprocess.run([*argv, "--help"], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout if done.returncode == 0 else ""


def options_of(text):
    """Names and letters in the text of --help."""
    return {word for row in HELP_ROW.findall(text) for word in row if word}


def flags_of(page):
    """Names and letters in mdoc."""
    lines = (line for line in page.splitlines() if not line.startswith('.\\"'))
    return {word for line in lines for m in FLAG.findall(line) for word in m if word}


def part_of(page, command):
    """What the page says of the options of one command: its synopsis and a section of its own, if there is one."""
    synopsis = re.search(r"^\.Sh SYNOPSIS\n(.*?)^\.Sh ", page, re.M | re.S)[1]
    mine = [block for block in synopsis.split(".Nm\n") if block.startswith(f".Cm {command}\n")]
    section = re.search(rf"^\.Ss Options of {command}\n(.*?)^\.S[hs] ", page, re.M | re.S)
    return "".join(mine) + (section[1] if section else "")


def compare(name, known, written):
    if not known:
        yield f"{name} --help lists no options"
    for word in sorted(known - written - EVERYWHERE):
        yield f"{name}: {word} is in --help, but not in its part of the manual page"
    for word in sorted(written - known - EVERYWHERE):
        yield f"{name}: {word} is in its part of the manual page, but not in --help"


def complaints(client, daemons):
    page = (MAN / "culvert.1").read_text(encoding="utf-8")
    commands = COMMAND_ROW.findall(help_of(client))
    if len(commands) < 5:
        yield "culvert --help lists no commands"
    for command in commands:
        yield from compare(f"culvert {command}", options_of(help_of(client, command)), flags_of(part_of(page, command)))
    for word in sorted(EVERYWHERE - flags_of(page)):
        yield f"culvert: {word} is not in the manual page"
    for daemon in daemons:
        name = pathlib.Path(daemon).name
        known, written = options_of(help_of(daemon)), flags_of((MAN / f"{name}.8").read_text(encoding="utf-8"))
        yield from compare(name, known, written)
        for word in sorted(known & EVERYWHERE - written):
            yield f"{name}: {word} is not in the manual page"


def main():
    found = list(complaints(sys.argv[1], sys.argv[2:]))
    print("\n".join(found) or "options and manual pages agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
